package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// counted returns Poisson counts a minute, as rates, around a mean rate.
func counted(seed uint64, days int, mean func(minute int) float64) []Observation {
	rng := rand.New(rand.NewPCG(seed, 5))
	series := make([]Observation, days*1440)
	for i := range series {
		series[i] = Observation{
			At: monday.Add(time.Duration(i) * time.Minute), Known: true,
			Value: float64(poisson(rng, 60*mean(i))) / 60,
		}
	}
	return series
}

// amplest returns how many times the mean rate the 0.95 quantile was at a lead, on
// average over the origins of a span, and the highest.
func amplest(t *testing.T, series []Observation, from, till int, lead time.Duration, mean func(int) float64) (average, most float64) {
	t.Helper()
	s := NewSeasonal(time.Minute)
	n := 0.0
	for i, o := range series[:till] {
		if err := s.Observe(o); err != nil {
			t.Fatal(err)
		}
		if i < from || i%10 != 0 {
			continue
		}
		ahead := i + 1 + int(lead/time.Minute)
		q := s.Forecast(o.At.Add(time.Minute), []time.Duration{lead}).Quantile(0.95, lead)
		over := q / mean(ahead)
		average, n, most = average+over, n+1, max(most, over)
	}
	return average / n, most
}

// An outage of two hours, in which nothing was counted, leaves no trace in the bands
// of the day after it, not even where the record began with some quiet minutes.
func TestOutageWidensNoBandForLong(t *testing.T) {
	mean := func(minute int) float64 { return 1 + 0.6*math.Sin(2*math.Pi*float64(minute)/1440) }
	const begins, ends = 9*1440 + 420, 9*1440 + 540
	series := counted(1, 11, mean)
	for i := range series {
		if i < 3 || i >= begins && i < ends {
			series[i].Value = 0
		}
	}
	for _, lead := range []time.Duration{time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour} {
		average, most := amplest(t, series, ends+120, len(series)-120, lead, mean)
		if average > 1.8 || most > 4 {
			t.Errorf("%v ahead: 0.95 quantile at %.2f times the mean on average, %.2f at most", lead, average, most)
		}
	}
}

// A service that is closed at night, and was closed when its record began, has bands in
// its opening hours that are about as wide as they must be.
func TestClosedNightsWidenNoBand(t *testing.T) {
	mean := func(minute int) float64 {
		if hour := float64(minute%1440) / 60; hour >= 11.5 && hour < 22 {
			return 1.5 * math.Sin(math.Pi*(hour-10)/13.5)
		}
		return 0
	}
	series := counted(2, 10, mean)
	for _, lead := range []time.Duration{time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour} {
		for day := 7; day < 9; day++ {
			average, most := amplest(t, series, day*1440+13*60, day*1440+20*60, lead, mean)
			if average > 1.6 || most > 3 {
				t.Errorf("day %d, %v ahead: 0.95 quantile at %.2f times the mean on average, %.2f at most", day, lead, average, most)
			}
			if average < 1.1 {
				t.Errorf("day %d, %v ahead: 0.95 quantile at only %.2f times the mean", day, lead, average)
			}
		}
	}
}

// A service that falls to a hundredth of its load for good is forecast there a day later,
// and not by what its errors were when it fell.
func TestWhatEndedIsNotExpectedForDays(t *testing.T) {
	const falls = 5 * 1440
	mean := func(minute int) float64 {
		if minute < falls {
			return 5
		}
		return 0.05
	}
	series := counted(3, 7, mean)
	s := NewSeasonal(time.Minute)
	for _, o := range series[:falls+1440] {
		if err := s.Observe(o); err != nil {
			t.Fatal(err)
		}
	}
	now := series[falls+1440].At
	for _, lead := range []time.Duration{10 * time.Minute, time.Hour} {
		path := s.Forecast(now, []time.Duration{lead})
		if m := path.Points[0].Mean; m < 0.02 || m > 0.2 {
			t.Errorf("%v ahead: %g a second are expected, 0.05 come", lead, m)
		}
		if q := path.Quantile(0.9, lead); q > 0.6 {
			t.Errorf("%v ahead: 0.9 quantile %g, 0.05 come", lead, q)
		}
	}
}
