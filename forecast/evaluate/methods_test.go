package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// setting is one for tests of a single method.
func setting(step time.Duration, first int, ahead ...int) Setting {
	return Setting{Step: step, Day: max(1, int(24*time.Hour/step)), Ahead: ahead, First: first, Level: 0.9, Zone: time.UTC}
}

// feed observes values from monday on.
func feed(m Method, step time.Duration, values ...float64) {
	for i, v := range values {
		m.Observe(monday.Add(time.Duration(i)*step), v)
	}
}

// The offset is the one at the time of issue: what is not in yet has moved nothing.
// Three bins ahead, the first outcome of a forecast is in with the fourth bin.
func TestTrackerKnowsOnlyOutcomesThatAreIn(t *testing.T) {
	s := setting(time.Hour, 0, 3)
	tr := newTracker(3, &s)
	for bin, z := range []float64{1, 9, 9} {
		tr.step(bin, z, 1)
		if a := tr.answer(); a.Bought != math.Expm1(1) {
			t.Fatalf("after bin %d it buys %g: no outcome was in", bin, a.Bought)
		}
	}
	tr.step(3, 2, 1) // the forecast of bin 0 was 1, and 2 came
	gain := 0.2 * (1 + 1e-6)
	if a, want := tr.answer(), math.Expm1(1+0.9*gain); math.Abs(a.Bought-want) > 1e-12 {
		t.Errorf("it buys %g, want %g", a.Bought, want)
	}
	// Whatever comes for long, the share at or below is the level.
	rng := rand.New(rand.NewPCG(1, 2))
	hits, n := 0, 20000
	one := newTracker(1, &s)
	for bin := range n {
		z := 3 + rng.NormFloat64()
		if bin > 0 && z <= one.issued+one.offsets[len(one.offsets)-1] {
			hits++
		}
		one.step(bin, z, 3)
	}
	if c := float64(hits) / float64(n); math.Abs(c-0.9) > 0.01 {
		t.Errorf("it covers %g, want 0.9", c)
	}
}

// The factor is the one that was best over all outcomes before scoring starts, and
// stays.
func TestHeadroomIsTheBestFactorBeforeScoring(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const first, ahead = 200, 4
	values := make([]float64, 300)
	for i := range values {
		values[i] = 10 * math.Exp(0.3*rng.NormFloat64())
		if i >= first {
			values[i] *= math.Exp(2 * rng.NormFloat64()) // would ask for another factor
		}
	}
	m := newHeadroom(setting(time.Hour, first, ahead))
	feed(m, time.Hour, values...)
	best, least := 0.0, math.Inf(1)
	for _, h := range headrooms {
		sum := 0.0
		for i := ahead; i < first; i++ {
			sum += pinball(0.9, values[i], h*values[i-ahead])
		}
		if sum < least {
			best, least = h, sum
		}
	}
	if got, want := m.Forecast(0).Bought, best*values[len(values)-1]; got != want || best == 1 {
		t.Errorf("it buys %g, want %g times the last value", got, best)
	}
}

func TestYesterdayIsTheNewestKnownDay(t *testing.T) {
	values := make([]float64, 60)
	for i := range values {
		values[i] = float64(i)
	}
	values[30], values[54] = nan, nan // 6 o'clock of the second and the third day
	m := newYesterdayTracker(setting(time.Hour, 0, 1, 19)).(*yesterdayTracker)
	feed(m, time.Hour, values...)
	for target, want := range map[int]float64{60: 36, 61: 37, 78: 6} {
		if got := math.Expm1(m.sameTime(target)); math.Abs(got-want) > 1e-9 {
			t.Errorf("bin %d: %g, want %g", target, got, want)
		}
	}
}

// On a straight line the trend is found, and goes on.
func TestKalmanFollowsALine(t *testing.T) {
	m := newKalman(setting(time.Minute, 0, 1, 10))
	for i := range 400 {
		v := 3 * float64(i)
		if i%50 == 7 {
			v = nan
		}
		m.Observe(monday.Add(time.Duration(i)*time.Minute), v)
	}
	for i, want := range []float64{3 * 400, 3 * 409} {
		if got := m.Forecast(i).Bought; math.Abs(got-want) > 0.5 {
			t.Errorf("%g, want %g", got, want)
		}
	}
}

// A day that repeats is repeated, with one of Crane's margins; so is a week whose days
// differ. Without a period the last value stands in.
func TestDSPRepeatsThePeriod(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	shape := func(i int) float64 { return 100 + 40*math.Sin(2*math.Pi*float64(i)/48) }
	m := newDSP(setting(30*time.Minute, 0, 1, 20)).(*dsp)
	for i := range 5*48 + 13 {
		v := shape(i)
		if i == 100 {
			v = nan
		}
		m.Observe(monday.Add(time.Duration(i)*30*time.Minute), v)
	}
	for i, ahead := range []int{1, 20} {
		want := shape(5*48 + 12 + ahead)
		if got := m.Forecast(i).Bought; math.Abs(got/want-1.01) > 1e-3 {
			t.Errorf("%d ahead: %g, want %g and the margin of 1 %%", ahead, got, want)
		}
	}
	noise := newDSP(setting(30*time.Minute, 0, 1)).(*dsp)
	for i := range 500 {
		noise.Observe(monday.Add(time.Duration(i)*30*time.Minute), 100+rng.NormFloat64())
	}
	if noise.curve != nil || noise.Forecast(0).Bought != noise.last {
		t.Errorf("it sees a period in noise")
	}
}

// A day that repeats is continued exactly, whatever the parameters are, and one with a
// trend is followed.
func TestHoltWintersContinuesADay(t *testing.T) {
	shape := func(i int) float64 { return 50 + 20*math.Sin(2*math.Pi*float64(i)/24) }
	for _, trend := range []float64{0, 0.1} {
		m := newHoltWinters(setting(time.Hour, 300, 1, 30))
		for i := range 400 {
			m.Observe(monday.Add(time.Duration(i)*time.Hour), shape(i)+trend*float64(i))
		}
		for i, ahead := range []int{1, 30} {
			at := 399 + ahead
			off := 1e-9 + trend*0.1*float64(ahead)
			if got, want := m.Forecast(i).Bought, shape(at)+trend*float64(at); math.Abs(got/want-1) > off {
				t.Errorf("trend %g, %d ahead: %g, want %g", trend, ahead, got, want)
			}
		}
		if n := len(m.(*holtWinters).trials); n != 1 {
			t.Errorf("%d sets of parameters are left once scoring started", n)
		}
	}
}

// Hours are means of days and weeks before the refresh, and are held for the hour.
func TestHourlyIsTheMeanOfPastHours(t *testing.T) {
	m := newHourly(setting(30*time.Minute, 0, 1, 2, 3))
	for i := range 2 * 48 * 7 {
		m.Observe(monday.Add(time.Duration(i)*30*time.Minute), float64(i/2)) // the hour since the start
	}
	// Hour 336 begins: of the days before, hours 312, 288 and so on, of the weeks 168 and 0.
	day, n := 0.0, 0.0
	for h := 312; h >= 0; h -= 24 {
		day, n = day+float64(h), n+1
	}
	want := (day/n + (168.+0)/2) / 2
	for i := range 2 {
		if got := m.Forecast(i).Bought; got != want {
			t.Errorf("%g, want %g", got, want)
		}
	}
	if got := m.Forecast(2).Bought; got != want+1 {
		t.Errorf("the next hour: %g, want %g", got, want+1)
	}
	young := newHourly(setting(time.Hour, 0, 1))
	feed(young, time.Hour, 5, 6, 7)
	if got := young.Forecast(0).Bought; got != 7 {
		t.Errorf("without a day it says %g, want the last value", got)
	}
}

// A smoothed level forgets within eight minutes, and at longer steps at once.
func TestEWMAIsTheLastValueAtLongSteps(t *testing.T) {
	m := newEWMATracker(setting(10*time.Minute, 0, 1)).(*ewmaTracker)
	feed(m, 10*time.Minute, 5, 80, nan)
	if got := math.Expm1(m.level); math.Abs(got-80) > 1e-9 {
		t.Errorf("%g", got)
	}
	fast := newEWMATracker(setting(time.Minute, 0, 1)).(*ewmaTracker)
	feed(fast, time.Minute, 0, math.Expm1(8))
	if fast.level != 1 {
		t.Errorf("an eighth of 8 is %g", fast.level)
	}
}

// Each name is told once, and names what makes it.
func TestMethodsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range everyone() {
		if seen[e.Name] {
			t.Errorf("%s twice", e.Name)
		}
		seen[e.Name] = true
	}
	if Rivals()[0].Name != Reference || named(t, headroomName).New == nil {
		t.Error("the reference comes first")
	}
}

func BenchmarkTrial(b *testing.B) {
	s := daily(1, time.Minute, 7*1440)
	for _, e := range everyone() {
		b.Run(e.Name, func(b *testing.B) {
			for b.Loop() {
				tr := trial(10*time.Minute, 30*time.Minute)
				if _, err := tr.Run(s, []Entrant{e}, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(s.Values)), "ns/bin")
		})
	}
}
