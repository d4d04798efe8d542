package forecast

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wednesdays are the holidays of the tests: every second one from the third on.
func wednesdays(day time.Time) bool {
	n := int(day.Sub(monday).Hours() / 24)
	return n >= 16 && n%14 == 2
}

// withHolidays makes the holidays of a generated series as quiet as share says: 0 like
// any day, 1 like the Saturday four days before.
func withHolidays(days int, share float64) []Observation {
	series := generated(11, days, 5)
	for i := range series {
		if wednesdays(series[i].At) {
			series[i].Value += share * (series[i-4*1440].Value - series[i].Value)
		}
	}
	return series
}

// dayMean is the mean of the medians forecast for each minute of a day from its
// midnight, and of what came.
func dayMean(tb testing.TB, series []Observation, day int, options ...Option) (said, came float64) {
	tb.Helper()
	f, now := fed(tb, series[:day*1440], time.Minute, options...)
	leads := make([]time.Duration, 1440)
	for i := range leads {
		leads[i] = time.Duration(i) * time.Minute
	}
	for i, pt := range f.Forecast(now, leads).Points {
		said += pt.Quantiles[medianIndex] / 1440
		came += series[day*1440+i].Value / 1440
	}
	return said, came
}

// Holidays are foreseen from the midnight before: the first as a Sunday, later ones as
// what holidays turned out to be.
func TestHolidayIsForeseen(t *testing.T) {
	for _, c := range []struct {
		name     string
		share    float64
		day      int
		from, to float64 // of what came
	}{
		{"first, quiet", 1, 16, 0.7, 1.4},
		{"second, quiet", 1, 30, 0.7, 1.4},
		{"fourth, half as quiet", 0.5, 58, 0.75, 1.25},
		{"fourth, like any day", 0, 58, 0.75, 1.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, came := dayMean(t, withHolidays(c.day+1, c.share), c.day, Holidays(wednesdays))
			if said < c.from*came || said > c.to*came {
				t.Errorf("mean median %g, came %g", said, came)
			}
		})
	}
}

// The day after a holiday, and the same day a week later, are what they are without one.
func TestHolidayDisturbsNoOtherDay(t *testing.T) {
	for _, after := range []int{1, 7} {
		day := 16 + after
		quiet, plain := withHolidays(day+1, 1), withHolidays(day+1, 0)
		said, _ := dayMean(t, quiet, day, Holidays(wednesdays))
		want, _ := dayMean(t, plain, day)
		if said < 0.85*want || said > 1.15*want {
			t.Errorf("%d days after: mean median %g, %g without the holiday", after, said, want)
		}
	}
}

// A calendar without holidays changes nothing, to the bit.
func TestNoHolidaysChangeNothing(t *testing.T) {
	zone := time.FixedZone("east", 5*3600)
	series := generated(12, 10, 2)
	a, now := fed(t, series, time.Minute, In(zone))
	b, _ := fed(t, series, time.Minute, Holidays(func(day time.Time) bool {
		if day.Hour() != 12 || day.Location() != zone {
			t.Fatalf("asked about %v, want noon in the zone", day)
		}
		return false
	}), In(zone))
	if diff := cmp.Diff(a.Forecast(now, Leads(48*time.Hour)), b.Forecast(now, Leads(48*time.Hour))); diff != "" {
		t.Error(diff)
	}
}

// A day is asked about once while it is of interest, and answers cost no memory.
func TestHolidaysAreAskedOnceADay(t *testing.T) {
	asked := map[time.Time]int{}
	series := withHolidays(20, 1)
	f, now := fed(t, series, time.Minute, Holidays(func(day time.Time) bool { asked[day]++; return wednesdays(day) }))
	for day, n := range asked {
		if n > 1 {
			t.Errorf("%v asked %d times", day, n)
		}
	}
	clear(asked)
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		if err := f.Observe(Observation{At: now, Value: series[i].Value, Known: true}); err != nil {
			t.Fatal(err)
		}
		now, i = now.Add(time.Minute), i+1
	}); n > 0 {
		t.Errorf("%g allocations an observation", n)
	}
}
