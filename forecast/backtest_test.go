package forecast

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// trial runs a backtest that must succeed and logs what it found.
func trial(tb testing.TB, f Forecaster, t Trial) []Score {
	tb.Helper()
	scores, err := Backtest(f, t, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range scores {
		tb.Logf("lead %-6v n %5d | pinball90/mean %.4f last %.4f headroom %.4f day %.4f | WAPE %.3f last %.3f day %.3f |"+
			" cover .1 %.3f .5 %.3f .9 %.3f .975 %.3f .995 %.3f",
			s.Lead, s.Count, s.Forecast.Pinball90/s.Mean, s.Last.Pinball90/s.Mean, s.Headroom.Pinball90/s.Mean,
			s.Day.Pinball90/s.Mean, s.Forecast.WAPE, s.Last.WAPE, s.Day.WAPE,
			s.Coverage[2], s.Coverage[4], s.Coverage[6], s.Coverage[8], s.Coverage[10])
	}
	return scores
}

// Two weeks of office hours with bursts at the full hour: in the second week the
// 0.9 quantile covers nine in ten, and costs less than any rival.
func TestSecondWeekIsCoveredAndCheaperThanTheRivals(t *testing.T) {
	for seed := range uint64(3) {
		scores := trial(t, NewSeasonal(time.Minute), Trial{
			Series: generated(seed, 14, 5), Step: time.Minute,
			Leads: []time.Duration{time.Minute, 10 * time.Minute, 30 * time.Minute}, From: 0.5,
		})
		for _, s := range scores {
			if s.Count != 7*1440 {
				t.Errorf("lead %v: %d targets scored, want all of the second week", s.Lead, s.Count)
			}
			if c := s.Coverage[6]; c < 0.85 || c > 0.95 {
				t.Errorf("lead %v: the 0.9 quantile covers %.3f, want 0.85 to 0.95", s.Lead, c)
			}
			for name, rival := range map[string]Loss{"last": s.Last, "last with headroom": s.Headroom, "day": s.Day} {
				if s.Forecast.Pinball90 >= rival.Pinball90 || s.Forecast.WAPE >= rival.WAPE {
					t.Errorf("lead %v: %+v does not beat %s %+v", s.Lead, s.Forecast, name, rival)
				}
			}
		}
	}
}

// The same on recorded traffic, 30 minutes ahead, over the second half of each
// series. The last value with the headroom fitted on the first half is the rival
// that is hard to beat; where it wins, the table says so.
func TestRecordedTrafficAtHalfAnHour(t *testing.T) {
	leads := []time.Duration{10 * time.Minute, 30 * time.Minute, 24 * time.Hour}
	numbered := func(n string) func(testing.TB) []Observation {
		return func(tb testing.TB) []Observation { tb.Helper(); return crane(tb, n) }
	}
	fleet := func(n string) func(testing.TB) []Observation {
		return func(tb testing.TB) []Observation { tb.Helper(); return fleetRate(tb, n) }
	}
	const noUnit = 0 // measured quantities that count nothing
	for _, c := range []struct {
		name         string
		read         func(testing.TB) []Observation
		step         time.Duration
		unit         float64
		last, headed bool // whether it beats the last value, and that with headroom
	}{
		{"crane0", numbered("0"), time.Minute, noUnit, true, true},
		{"crane1", numbered("1"), time.Minute, noUnit, true, true},
		{"crane2", numbered("2"), time.Minute, noUnit, true, true},
		{"crane3", numbered("3"), time.Minute, noUnit, true, true},
		{"crane4", numbered("4"), time.Minute, noUnit, true, true},
		{"crane5", numbered("5"), time.Minute, noUnit, true, false},
		{"crane6", numbered("6"), time.Minute, noUnit, false, false}, // jumps to seventyfold and back
		{"crane7", numbered("7"), time.Minute, noUnit, true, true},
		{"internet", internet, 5 * time.Minute, noUnit, true, true},
		{"taxi", taxi, 30 * time.Minute, 1, true, true},
		{"genai", genai, time.Minute, 1, true, true},
		{"m-large", fleet("m-large"), 10 * time.Minute, 1, true, true},
		{"m-mid", fleet("m-mid"), 10 * time.Minute, 1, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			scores := trial(t, NewSeasonal(c.step, Unit(c.unit)), Trial{
				Series: c.read(t), Step: c.step, Leads: leads, From: 0.5,
			})
			s := scores[1]
			if c.last && s.Forecast.Pinball90 >= s.Last.Pinball90 {
				t.Errorf("pinball loss %g, the last value has %g", s.Forecast.Pinball90, s.Last.Pinball90)
			}
			if c.headed && s.Forecast.Pinball90 >= s.Headroom.Pinball90 {
				t.Errorf("pinball loss %g, the last value with headroom has %g", s.Forecast.Pinball90, s.Headroom.Pinball90)
			}
			if cover := s.Coverage[6]; c.last && (cover < 0.85 || cover > 0.97) {
				t.Errorf("the 0.9 quantile covers %.3f, want 0.85 to 0.97", cover)
			}
		})
	}
}

// echo is a forecaster whose every quantile is the newest value.
type echo struct {
	newest Observation
	asked  []time.Time
}

func (e *echo) Observe(o Observation) error { e.newest = o; return nil }

func (e *echo) Forecast(now time.Time, leads []time.Duration) Path {
	e.asked = append(e.asked, now)
	p := Path{At: now}
	for _, l := range leads {
		q := make([]float64, levelCount)
		for i := range q {
			q[i] = e.newest.Value
		}
		p.Points = append(p.Points, Point{Lead: l, Mean: e.newest.Value, Quantiles: q})
	}
	return p
}

// A counting series shows at once what a forecaster saw: its value is its index.
func TestBacktestShowsOnlyWhatHadEnded(t *testing.T) {
	var series []Observation
	for i := range 10 {
		series = append(series, Observation{At: monday.Add(time.Duration(i) * time.Minute), Value: float64(i), Known: i != 8})
	}
	var got [][4]int
	f := &echo{}
	scores, err := Backtest(f, Trial{
		Series: series, Step: time.Minute, Leads: []time.Duration{10 * time.Second, 3 * time.Minute}, From: 0.5,
		Delay: 90 * time.Second,
	}, func(r Row) {
		got = append(got, [4]int{
			int(r.Lead / time.Second), int(r.Origin.Sub(monday) / time.Minute),
			int(r.Target.Sub(monday) / time.Minute), int(r.Point.Quantiles[4]),
		})
		if r.Actual != float64(r.Target.Sub(monday)/time.Minute) {
			t.Errorf("actual %g at %v", r.Actual, r.Target)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Two bins are hidden by the delay; the lead counts from the newest that ended.
	want := [][4]int{{180, 0, 5, 0}, {180, 1, 6, 1}, {10, 2, 5, 2}, {180, 2, 7, 2}, {10, 3, 6, 3}, {10, 4, 7, 4}, {180, 4, 9, 4}, {10, 6, 9, 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lead, origin, target, seen (-want +got):\n%s", diff)
	}
	for _, s := range scores {
		// The echo is the last value, so it scores the same.
		if s.Count != 4 || s.Forecast != s.Last {
			t.Errorf("lead %v: %d targets, %+v, the last value %+v", s.Lead, s.Count, s.Forecast, s.Last)
		}
	}
	if want := 3.0; scores[0].Forecast.Pinball90 != scoredLevel*want {
		t.Errorf("pinball loss %g, want %g", scores[0].Forecast.Pinball90, scoredLevel*want)
	}
}

func TestBacktestComparesWithYesterday(t *testing.T) {
	var series []Observation
	for i := range 96 {
		// The same every day; the last value is always wrong.
		series = append(series, Observation{At: monday.Add(time.Duration(i) * time.Hour), Value: float64(i%24) + 1, Known: i != 50})
	}
	scores := trial(t, &echo{}, Trial{Series: series, Step: time.Hour, Leads: []time.Duration{time.Hour, 30 * time.Hour}, From: 0.5})
	for _, s := range scores {
		if s.Day.Pinball90 != 0 || s.Day.WAPE != 0 || s.Last.WAPE == 0 {
			t.Errorf("lead %v: day %+v, last %+v", s.Lead, s.Day, s.Last)
		}
	}
}

func TestBacktestRefusesWhatItCannotScore(t *testing.T) {
	good := []Observation{{At: monday, Value: 1, Known: true}, {At: monday.Add(time.Hour), Value: 1, Known: true}}
	lead := []time.Duration{time.Hour}
	for name, give := range map[string]Trial{
		"no series":      {Step: time.Hour, Leads: lead},
		"no leads":       {Series: good, Step: time.Hour},
		"no step":        {Series: good, Leads: lead},
		"negative delay": {Series: good, Step: time.Hour, Leads: lead, Delay: -1},
		"from is NaN":    {Series: good, Step: time.Hour, Leads: lead, From: math.NaN()},
		"negative value": {Series: []Observation{{At: monday, Value: -1, Known: true}}, Step: time.Hour, Leads: lead},
		"time goes back": {Series: []Observation{good[0], good[1], good[0]}, Step: time.Hour, Leads: lead},
		"endless series": {Series: []Observation{good[0], {At: monday.AddDate(100, 0, 0)}}, Step: time.Second, Leads: lead},
	} {
		if _, err := Backtest(&echo{}, give, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	give := Trial{Series: []Observation{good[0], {At: monday, Value: 1}}, Step: time.Hour, Leads: lead}
	if _, err := Backtest(&echo{}, give, nil); !errors.Is(err, ErrOutOfOrder) {
		t.Errorf("same bin twice: %v", err)
	}
}
