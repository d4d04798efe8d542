package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkPath fails unless every quantile is finite, not negative and in order,
// and the leads ascend.
func checkPath(tb rapid.TB, p Path) {
	tb.Helper()
	for i, pt := range p.Points {
		if i > 0 && pt.Lead <= p.Points[i-1].Lead {
			tb.Fatalf("lead %v after %v", pt.Lead, p.Points[i-1].Lead)
		}
		if len(pt.Quantiles) != len(Levels()) || !slices.IsSorted(pt.Quantiles) {
			tb.Fatalf("lead %v: quantiles %v cross", pt.Lead, pt.Quantiles)
		}
		for _, v := range append(slices.Clone(pt.Quantiles), pt.Mean) {
			if !(v >= 0) || math.IsInf(v, 0) {
				tb.Fatalf("lead %v: %v among %v, mean %v", pt.Lead, v, pt.Quantiles, pt.Mean)
			}
		}
	}
}

// feed observes values one step apart from at on, and returns the end.
func feed(f Forecaster, at time.Time, step time.Duration, values ...float64) time.Time {
	for _, v := range values {
		_ = f.Observe(Observation{At: at, Value: v, Known: true})
		at = at.Add(step)
	}
	return at
}

func repeated(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }

// Whatever arrives, from spikes and gaps to a clock that jumps about, the path
// stays a path.
func TestQuantilesNeverCross(t *testing.T) {
	values := []float64{0, 1e-9, 0.2, 3, 50, 1e12, maxRate, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), -1}
	rapid.Check(t, func(t *rapid.T) {
		step := rapid.SampledFrom([]time.Duration{0, 15 * time.Second, time.Minute, 7 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "step")
		f := NewSeasonal(step, Unit(rapid.SampledFrom([]float64{0, 1, 30}).Draw(t, "unit")))
		at := monday
		for range rapid.IntRange(0, 12).Draw(t, "phases") {
			base := rapid.SampledFrom(values).Draw(t, "base")
			noise := rapid.Float64Range(0, 2).Draw(t, "noise")
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			for range rapid.IntRange(1, 400).Draw(t, "bins") {
				_ = f.Observe(Observation{At: at, Value: base * (1 + noise*rng.Float64()), Known: rng.IntN(10) > 0})
				at = at.Add(max(step, time.Second))
			}
			at = at.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "jump")) * time.Second)
			now := at.Add(time.Duration(rapid.IntRange(-100, 100000).Draw(t, "age")) * time.Second)
			p := f.Forecast(now, Leads(48*time.Hour))
			checkPath(t, p)
			q := p.Quantile(rapid.Float64().Draw(t, "level"), time.Duration(rapid.Int64().Draw(t, "lead")))
			if !(q >= 0) || math.IsInf(q, 0) {
				t.Fatalf("quantile %v", q)
			}
		}
	})
}

func TestSameObservationsSamePath(t *testing.T) {
	series := generated(7, 3, 2)
	a, now := fed(t, series, time.Minute)
	b, _ := fed(t, series, time.Minute)
	b.Forecast(now, Leads(time.Hour)) // looking changes nothing
	if diff := cmp.Diff(a.Forecast(now, Leads(24*time.Hour)), b.Forecast(now, Leads(24*time.Hour))); diff != "" {
		t.Error(diff)
	}
}

// From nothing to two weeks: the path says what it rests on, and the band is
// honest about it.
func TestShortHistoriesAreHonest(t *testing.T) {
	series := generated(5, 15, 5)
	for _, c := range []struct {
		name    string
		bins    int
		basis   string
		widest  float64 // of q0.95 over q0.05, half an hour ahead
		longest float64 // the same a day ahead
	}{
		{"nothing", 0, BasisNone, math.Inf(1), math.Inf(1)},
		{"one hour", 10*60 + 60, BasisLevel, 20, math.Inf(1)},
		{"one day", 1440 + 600, BasisSeasonal, 4, 10},
		{"two days", 2*1440 + 600, BasisSeasonal, 3, 6},
		{"two weeks", 14*1440 + 600, BasisSeasonal, 2.2, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := max(0, c.bins-60)
			if c.basis == BasisSeasonal {
				first = 0
			}
			f := NewSeasonal(time.Minute)
			for _, o := range series[first:c.bins] {
				if err := f.Observe(o); err != nil {
					t.Fatal(err)
				}
			}
			p := f.Forecast(monday.Add(time.Duration(c.bins)*time.Minute), Leads(24*time.Hour))
			checkPath(t, p)
			if p.Basis != c.basis {
				t.Errorf("basis %q, want %q", p.Basis, c.basis)
			}
			for _, l := range []struct {
				lead   time.Duration
				widest float64
			}{{30 * time.Minute, c.widest}, {24 * time.Hour, c.longest}} {
				low, high := p.Quantile(0.05, l.lead), p.Quantile(0.95, l.lead)
				if high > l.widest*low {
					t.Errorf("lead %v: from %g to %g, wider than %g times", l.lead, low, high, l.widest)
				}
				if c.basis == BasisNone && (low != 0 || high < 10) {
					t.Errorf("lead %v: from %g to %g without any observation", l.lead, low, high)
				}
			}
			if p.Quantile(0.9, 24*time.Hour)/p.Quantile(0.1, 24*time.Hour) < p.Quantile(0.9, 0)/p.Quantile(0.1, 0) {
				t.Error("a day ahead is surer than the next minute")
			}
		})
	}
}

func TestZeroDemandNeedsConfirmedZeros(t *testing.T) {
	f := NewSeasonal(time.Minute)
	at := monday
	for range 120 {
		if err := f.Observe(Observation{At: at}); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Minute)
	}
	if p := f.Forecast(at, Leads(time.Hour)); p.Basis != BasisNone || p.Quantile(0.9, 0) <= 0 {
		t.Errorf("two hours of gaps: basis %s, 0.9 quantile %g", p.Basis, p.Quantile(0.9, 0))
	}
	at = feed(f, at, time.Minute, 0)
	if p := f.Forecast(at, Leads(time.Hour)); p.Quantile(0.9, time.Hour) <= 0 {
		t.Error("one zero is read as a promise of zero")
	}
	at = feed(f, at, time.Minute, repeated(0, 1440)...)
	p := f.Forecast(at, Leads(24*time.Hour))
	checkPath(t, p)
	if q := p.Max(0.975, 0, 24*time.Hour); q > 0.1/60 {
		t.Errorf("a day of zeros: 0.975 quantile %g, more than a tenth of an event", q)
	}
}

func TestGapIsNoZero(t *testing.T) {
	series := generated(3, 3, 5)
	end := 2*1440 + 10*60 // ten in the morning
	f, now := fed(t, series[:end], time.Minute)
	before := f.Forecast(now, Leads(12*time.Hour))
	gap := 3 * time.Hour
	for at := now; at.Before(now.Add(gap)); at = at.Add(time.Minute) {
		if err := f.Observe(Observation{At: at}); err != nil {
			t.Fatal(err)
		}
	}
	after := f.Forecast(now.Add(gap), Leads(12*time.Hour))
	checkPath(t, after)
	for _, lead := range []time.Duration{0, time.Hour, 6 * time.Hour} {
		// The same target from the same observations is the same answer, just older;
		// only the last few bins were learnt meanwhile.
		if got, want := after.Quantile(0.9, lead), before.Quantile(0.9, lead+gap); math.Abs(got-want) > 0.01*want {
			t.Errorf("lead %v: %g after the gap, %g before", lead, got, want)
		}
	}
	if after.Quantile(0.9, 0) <= after.Quantile(0.5, 0)*1.1 {
		t.Error("three hours without data did not widen the band")
	}
}

func TestInvalidValueIsGapAndReported(t *testing.T) {
	series := generated(4, 2, 1)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.001, 2 * maxRate} {
		a, now := fed(t, series, time.Minute)
		b, _ := fed(t, series, time.Minute)
		if err := a.Observe(Observation{At: now, Value: bad, Known: true}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
		if err := b.Observe(Observation{At: now}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		if diff := cmp.Diff(b.Forecast(now, Leads(time.Hour)), a.Forecast(now, Leads(time.Hour))); diff != "" {
			t.Errorf("%v is no gap:\n%s", bad, diff)
		}
	}
}

func TestOldObservationChangesNothing(t *testing.T) {
	series := generated(4, 2, 1)
	f, now := fed(t, series, time.Minute)
	want := f.Forecast(now, Leads(time.Hour))
	for _, age := range []time.Duration{time.Second, time.Minute, time.Hour, 1000 * time.Hour} {
		err := f.Observe(Observation{At: now.Add(-age), Value: 99, Known: true})
		if !errors.Is(err, ErrOutOfOrder) {
			t.Errorf("%v old: %v", age, err)
		}
	}
	if diff := cmp.Diff(want, f.Forecast(now, Leads(time.Hour))); diff != "" {
		t.Error(diff)
	}
}

// One sample from a clock that runs years ahead must not make all that follow
// look old; two in a row are believed.
func TestClockThatLeaps(t *testing.T) {
	f, now := fed(t, generated(4, 2, 1), time.Minute)
	ahead := now.AddDate(3, 0, 0)
	if err := f.Observe(Observation{At: ahead, Value: 1, Known: true}); !errors.Is(err, ErrLeap) {
		t.Fatalf("three years ahead: %v", err)
	}
	if err := f.Observe(Observation{At: now, Value: 1, Known: true}); err != nil {
		t.Fatalf("back on time: %v", err)
	}
	if err := f.Observe(Observation{At: ahead, Value: 1, Known: true}); !errors.Is(err, ErrLeap) {
		t.Fatalf("a single leap again: %v", err)
	}
	if err := f.Observe(Observation{At: ahead.Add(time.Minute), Value: 1, Known: true}); err != nil {
		t.Fatalf("the second in a row: %v", err)
	}
	checkPath(t, f.Forecast(ahead.Add(2*time.Minute), Leads(time.Hour)))
}

// A spike of 1e12 is forgotten within minutes, and is not expected tomorrow.
func TestSpikeIsForgotten(t *testing.T) {
	for name, at := range map[string]int{"first ever": 0, "first day": 700, "third day": 2*1440 + 700} {
		t.Run(name, func(t *testing.T) {
			series := generated(6, 4, 5)
			for i := range series {
				series[i].Value = 2 + math.Mod(series[i].Value, 0.5)
			}
			series[at].Value = 1e12
			f := NewSeasonal(time.Minute)
			for i, o := range series {
				if err := f.Observe(o); err != nil {
					t.Fatal(err)
				}
				if i < at+15 || i < 60 {
					continue
				}
				if i%97 == 0 || i < at+30 {
					p := f.Forecast(o.At.Add(time.Minute), Leads(30*time.Hour))
					checkPath(t, p)
					if p.Quantile(0.5, time.Minute) > 5 || p.Max(0.9, 0, 30*time.Hour) > 40 {
						t.Fatalf("%v after: median %g, largest 0.9 quantile %g", o.At.Sub(series[at].At),
							p.Quantile(0.5, time.Minute), p.Max(0.9, 0, 30*time.Hour))
					}
				}
			}
		})
	}
}

// A constant rate has no error, so only the noise of counting it is left.
func TestConstantKeepsTheNoiseOfCounts(t *testing.T) {
	for _, c := range []struct {
		unit, low, high float64
	}{
		{0, 1.98, 2.02},
		{1, 0, 2.4},  // 120 a minute
		{30, 0, 4.1}, // 4 a minute
	} {
		f := NewSeasonal(time.Minute, Unit(c.unit))
		now := feed(f, monday, time.Minute, repeated(2, 14*1440)...)
		p := f.Forecast(now, Leads(time.Hour))
		low, high := p.Quantile(0.1, 30*time.Minute), p.Quantile(0.9, 30*time.Minute)
		if low < c.low || high > c.high {
			t.Errorf("unit %g: from %g to %g, wider than %g to %g", c.unit, low, high, c.low, c.high)
		}
		if c.unit > 0 {
			sd := math.Sqrt(2 * c.unit / 60)
			if high < 2+1.1*sd || low > 2-1.0*sd {
				t.Errorf("unit %g: from %g to %g, counting noise alone has %g", c.unit, low, high, sd)
			}
		}
	}
}

// Meetings begin at the full hour: the profile must not smear that.
func TestBurstAtTheFullHourIsKept(t *testing.T) {
	f, now := fed(t, generated(8, 7, 5)[:4*1440+9*60+30], time.Minute) // Friday, half past nine
	p := f.Forecast(now, Leads(time.Hour))
	burst := p.Quantile(0.5, 30*time.Minute)
	before, after := p.Quantile(0.5, 25*time.Minute), p.Quantile(0.5, 45*time.Minute)
	if ratio := 2 * burst / (before + after); ratio < 1.5 || ratio > 2.1 {
		t.Errorf("ten o'clock is %.2f times its surroundings, want about 1.9", ratio)
	}
}

// Days follow the clock of the zone, also across the change to summer time.
func TestDayFollowsItsZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("time zones are absent: %v", err)
	}
	f := NewSeasonal(time.Minute, In(zone))
	start := time.Date(2025, 3, 24, 0, 0, 0, 0, zone) // the clocks change on the 30th
	end := time.Date(2025, 3, 31, 6, 0, 0, 0, zone)
	for at := start; at.Before(end); at = at.Add(time.Minute) {
		rate := 1.0
		if h := at.In(zone).Hour(); h >= 8 && h < 18 {
			rate = 10
		}
		if err := f.Observe(Observation{At: at, Value: rate, Known: true}); err != nil {
			t.Fatal(err)
		}
	}
	p := f.Forecast(end, Leads(4*time.Hour))
	if night, day := p.Quantile(0.5, 105*time.Minute), p.Quantile(0.5, 135*time.Minute); night > 2 || day < 5 {
		t.Errorf("a quarter to eight %g, a quarter past %g", night, day)
	}
}

// An error is known only when its target was observed.
func TestErrorsAreLearntOnlyWhenDue(t *testing.T) {
	f := NewSeasonal(time.Minute)
	at := monday
	for i := range int64(3000) {
		at = feed(f, at, time.Minute, 1)
		for k := range f.aheads {
			a := &f.aheads[k]
			seen := a.seen
			if i < a.steps && seen > 0 {
				t.Fatalf("after %d bins an error at %d bins is known", i+1, a.steps)
			}
			if i > a.steps+2*a.stride && seen == 0 {
				t.Fatalf("after %d bins no error at %d bins is known", i+1, a.steps)
			}
		}
	}
}

func TestLevelJumpIsFollowed(t *testing.T) {
	f := NewSeasonal(time.Minute)
	now := feed(f, monday, time.Minute, repeated(1, 4*1440)...)
	now = feed(f, now, time.Minute, repeated(50, 15)...)
	p := f.Forecast(now, Leads(time.Hour))
	if q := p.Quantile(0.5, 10*time.Minute); q < 40 || q > 60 {
		t.Errorf("fifteen minutes after a jump from 1 to 50 the median is %g", q)
	}
}

// held is the memory behind a value, slices with their whole capacity.
func held(v reflect.Value) uintptr {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*time.Location]() {
			return 0
		}
		return v.Type().Elem().Size() + held(v.Elem())
	case reflect.Struct:
		sum := uintptr(0)
		for _, f := range v.Fields() {
			sum += held(f)
		}
		return sum
	case reflect.Array:
		sum := uintptr(0)
		for i := range v.Len() {
			sum += held(v.Index(i))
		}
		return sum
	case reflect.Slice:
		sum := uintptr(v.Cap()) * v.Type().Elem().Size()
		for i := range v.Len() {
			sum += held(v.Index(i))
		}
		return sum
	}
	return 0
}

func TestStateIsBounded(t *testing.T) {
	f, _ := fed(t, generated(1, 15, 5), time.Minute)
	size := int(held(reflect.ValueOf(f)))
	t.Logf("about %d bytes a series", size)
	if size > 40_000 {
		t.Errorf("%d bytes a series, want below 40,000", size)
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	f, now := fed(t, generated(1, 2, 5), time.Minute)
	if n := testing.AllocsPerRun(1000, func() {
		_ = f.Observe(Observation{At: now, Value: 3, Known: true})
		now = now.Add(time.Minute)
	}); n != 0 {
		t.Errorf("%g allocations an observation", n)
	}
}

// From its first hour on, the band keeps what it promises, and the loss falls as
// the history grows: the curve at 6 h, 24 h, 7 d and 14 d.
func TestHistoryBuysAccuracyAndTheBandIsHonestBefore(t *testing.T) {
	leads := []time.Duration{9 * time.Minute, 29 * time.Minute}
	spans := []struct{ from, to int }{{1, 6}, {6, 24}, {24, 7 * 24}, {7 * 24, 14 * 24}, {14 * 24, 21 * 24}} // hours
	for k, lead := range leads {
		var n, hit, loss [5]float64
		for seed := range uint64(6) {
			series := generated(seed, 21, 5)
			f := NewSeasonal(time.Minute)
			steps := int(lead/time.Minute) + 1
			for i, o := range series {
				if err := f.Observe(o); err != nil {
					t.Fatal(err)
				}
				if i%7 > 0 || i+steps >= len(series) {
					continue
				}
				for j, s := range spans {
					if i >= 60*s.from && i < 60*s.to {
						q := f.Forecast(o.At.Add(time.Minute), leads[k:k+1]).Points[0].Quantiles[scoredIndex]
						y := series[i+steps].Value
						n[j]++
						count(&hit[j], y <= q)
						loss[j] += Pinball(scoredLevel, y, q) / officeHours(series[i+steps].At, 5)
					}
				}
			}
		}
		for j, s := range spans {
			cover := hit[j] / n[j]
			t.Logf("lead %v, %d to %d hours of history: coverage %.3f, loss %.3f of the rate", lead+time.Minute, s.from, s.to, cover, loss[j]/n[j])
			least := 0.87
			if s.from < 6 {
				least = 0.72 // the first morning grows manyfold, and nothing has ever shown it
			}
			if cover < least || cover > 0.97 {
				t.Errorf("lead %v, %d to %d hours: the 0.9 quantile covers %.3f", lead+time.Minute, s.from, s.to, cover)
			}
		}
		if first, last := loss[2]/n[2], loss[4]/n[4]; last > 0.85*first {
			t.Errorf("lead %v: loss %.3f in the third week, %.3f in the first", lead+time.Minute, last, first)
		}
	}
}

// A series that rises a hundredfold for good is not foreseen to rise a hundredfold again:
// the band a day ahead stays within what ever happened.
func TestJumpDoesNotBlowUpTheBand(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	f := NewSeasonal(5*time.Minute, Unit(0))
	const day = 288
	for i := range 12 * day {
		rate := 0.004
		if i >= 5*day {
			rate = 0.4
		}
		at := monday.Add(time.Duration(i) * 5 * time.Minute)
		if err := f.Observe(Observation{At: at, Value: rate * math.Exp(0.03*rng.NormFloat64()), Known: true}); err != nil {
			t.Fatal(err)
		}
		if i < 5*day || i%72 > 0 {
			continue
		}
		for _, pt := range f.Forecast(at, []time.Duration{10 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour}).Points {
			if q := pt.Quantiles[scoredIndex]; q > 4 {
				t.Errorf("%d hours after the jump, lead %v: the 0.9 quantile is %g, ten times what ever came", (i-5*day)/12, pt.Lead, q)
			}
		}
	}
}

// TestAShortBurstOfEachDayIsForeseen: what comes for a quarter of an hour or a few
// minutes at the same time of each day is expected at its minute, and not around it.
func TestAShortBurstOfEachDayIsForeseen(t *testing.T) {
	for minutes, least := range map[int]float64{4: 0.75, 15: 0.85, 240: 0.85} {
		random := rand.New(rand.NewPCG(1, 1))
		s := NewSeasonal(time.Minute)
		rise := time.Date(2026, 11, 23, 9, 57, 0, 0, time.UTC)
		now := rise.Add(-2 * time.Minute)
		for at := now.Add(-14 * 24 * time.Hour); at.Before(now); at = at.Add(time.Minute) {
			rate := 2.8
			if since := (at.Sub(rise)%(24*time.Hour) + 24*time.Hour) % (24 * time.Hour); since < time.Duration(minutes)*time.Minute {
				rate = 12
			}
			if err := s.Observe(Observation{At: at, Value: max(0, rate+0.2*random.NormFloat64()), Known: true}); err != nil {
				t.Fatal(err)
			}
		}
		p := s.Forecast(now, Leads(30*time.Minute))
		if got := p.Quantile(0.5, 2*time.Minute); (got-2.8)/(12-2.8) < least {
			t.Errorf("a burst of %d minutes from 2.8 to 12 is expected at %.1f in its first minute", minutes, got)
		}
		if got := p.Quantile(0.5, time.Minute); got > 4 {
			t.Errorf("a minute before a burst of %d minutes %.1f is expected, it is 2.8 then", minutes, got)
		}
	}
}
