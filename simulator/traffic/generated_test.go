package traffic

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

func TestGeneratedCountsAreWhatTheRateExpects(t *testing.T) {
	const week = 7 * 24 * time.Hour
	for _, shape := range Shapes() {
		t.Run(shape, func(t *testing.T) {
			g := Generated{Model: "transcribe-fr", Shape: shape, Zone: "Europe/Paris", Peak: 6}
			got := counts(drain(t, mustGenerate(t, g, monday, week, 7), week), week, time.Minute)
			want := g.Expected(monday, week, time.Minute, 7)
			if len(got) != len(want) {
				t.Fatalf("%d bins expected, %d counted", len(want), len(got))
			}
			sum, chi, variance := 0.0, 0.0, 0.0
			for i, n := range got {
				mean := want[i].Requests
				sum += n
				chi += (n - mean) * (n - mean) / mean
				variance += 2 + 1/mean // of the squared, scaled deviation of a Poisson number
			}
			within(t, "requests of the week", sum, total(want), 3)
			if shape == ShapeEven {
				return
			}
			if n := float64(len(got)); math.Abs(chi-n) > 4*math.Sqrt(variance) {
				t.Errorf("chi-squared of the minutes is %.1f, expected %.0f within %.0f", chi, n, 4*math.Sqrt(variance))
			}
		})
	}
}

func TestConstantRateIsPoisson(t *testing.T) {
	const duration = 6 * time.Hour
	g := Generated{Model: "m", Shape: ShapeConstant, Peak: 5}
	requests := drain(t, mustGenerate(t, g, monday.Add(17*time.Second), duration, 1), duration)
	// Index of dispersion of n counts: mean 1, standard deviation sqrt(2/n).
	for _, step := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		n := counts(requests, duration, step)
		if d := dispersion(n); math.Abs(d-1) > 4*math.Sqrt(2/float64(len(n))) {
			t.Errorf("index of dispersion of counts per %v is %.4f over %d bins", step, d, len(n))
		}
	}
	// Gaps are exponential: the Kolmogorov distance stays under 1.95/sqrt(n) (0.1 %).
	gaps := make([]float64, len(requests)-1)
	for i := range gaps {
		gaps[i] = (requests[i+1].At - requests[i].At).Seconds()
	}
	slices.Sort(gaps)
	distance := 0.0
	for i, gap := range gaps {
		distance = max(distance, math.Abs(float64(i+1)/float64(len(gaps))-(1-math.Exp(-5*gap))))
	}
	if limit := 1.95 / math.Sqrt(float64(len(gaps))); distance > limit {
		t.Errorf("gaps are %.5f from exponential, more than %.5f", distance, limit)
	}
}

func dispersion(n []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range n {
		mean += x / float64(len(n))
	}
	for _, x := range n {
		sum += (x - mean) * (x - mean)
	}
	return sum / float64(len(n)-1) / mean
}

func TestEvenIsAMetronome(t *testing.T) {
	g := Generated{Model: "m", Shape: ShapeEven, Peak: 4}
	requests := drain(t, mustGenerate(t, g, monday, time.Hour, 3), time.Hour)
	if len(requests) != 4*3600 {
		t.Fatalf("%d requests in an hour at 4 a second", len(requests))
	}
	for i, r := range requests[1:] {
		if gap := r.At - requests[i].At; (gap - 250*time.Millisecond).Abs() > time.Nanosecond {
			t.Fatalf("a gap of %v", gap)
		}
	}
	for _, b := range g.History(monday, time.Hour, time.Minute, 3) {
		if b.Requests != 240 {
			t.Fatalf("%v requests in the minute at %v", b.Requests, b.At)
		}
	}
}

func TestSameSeedSameTraffic(t *testing.T) {
	const day = 24 * time.Hour
	g := office("transcribe-fr", 2)
	g.Work = WorkSpread{Kind: WorkLognormal, CV: 0.7}
	first := drain(t, mustGenerate(t, g, monday, day, 5), day)
	if diff := cmp.Diff(first, drain(t, mustGenerate(t, g, monday, day, 5), day)); diff != "" {
		t.Errorf("a second source differs: %s", diff)
	}
	if cmp.Equal(first, drain(t, mustGenerate(t, g, monday, day, 6), day)) {
		t.Error("another seed gives the same traffic")
	}
	// The spread of work has a stream of its own: arrivals stay where they are.
	g.Work = WorkSpread{}
	for i, r := range drain(t, mustGenerate(t, g, monday, day, 5), day) {
		if r.At != first[i].At || r.Work != 1 {
			t.Fatalf("request %d is %+v without a spread of work, and came at %v with one", i, r, first[i].At)
		}
	}
}

// A source is never touched by how another is read, and streams of different
// models, parts and seeds are not correlated.
func TestSourcesAreIndependent(t *testing.T) {
	const day = 24 * time.Hour
	one := Generated{Model: "a", Shape: ShapeConstant, Peak: 1}
	alone := drain(t, mustGenerate(t, one, monday, day, 9), day)
	x, y := mustGenerate(t, one, monday, day, 9), mustGenerate(t, Generated{Model: "b", Shape: ShapeConstant, Peak: 1}, monday, day, 9)
	for i := range alone {
		for range i % 3 {
			y.Next()
		}
		if r, _ := x.Next(); r != alone[i] {
			t.Fatalf("request %d is %+v beside another source, %+v alone", i, r, alone[i])
		}
	}
	base := counts(alone, day, time.Minute)
	other := func(g Generated, seed uint64) []float64 {
		return counts(drain(t, mustGenerate(t, g, monday, day, seed), day), day, time.Minute)
	}
	part := one
	part.Part = 1
	for name, n := range map[string][]float64{
		"another model": other(Generated{Model: "b", Shape: ShapeConstant, Peak: 1}, 9),
		"another part":  other(part, 9),
		"the next seed": other(one, 10),
	} {
		// The correlation of n independent pairs has a standard deviation of 1/sqrt(n).
		if c := correlation(base, n); math.Abs(c) > 4/math.Sqrt(float64(len(n))) {
			t.Errorf("counts correlate with those of %s: %.3f", name, c)
		}
	}
}

func correlation(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	n := float64(len(a))
	for i := range a {
		sa, sb, saa, sbb, sab = sa+a[i], sb+b[i], saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	return (sab - sa*sb/n) / math.Sqrt((saa-sa*sa/n)*(sbb-sb*sb/n))
}

// What a scenario has as history is the past of the same rate, and the future of
// a scenario that begins earlier is the rate of one that begins later.
func TestHistoryJoinsTheFuture(t *testing.T) {
	const day = 24 * time.Hour
	start := monday.Add(2*day + 10*time.Hour + 20*time.Minute)
	g := office("transcribe-fr", 40)
	past := g.History(start, 2*day, time.Minute, 4)
	if len(past) != 2*24*60 || past[0].At != -2*day || past[len(past)-1].At != -time.Minute {
		t.Fatalf("%d bins from %v to %v", len(past), past[0].At, past[len(past)-1].At)
	}
	earlier := g.Expected(start.Add(-2*day), 3*day, time.Minute, 4)
	later := g.Expected(start, day, time.Minute, 4)
	for i, b := range later {
		if e := earlier[i+len(past)].Requests; math.Abs(e-b.Requests) > 1e-9*e {
			t.Fatalf("at %v %v is expected, and %v seen from two days earlier", b.At, b.Requests, e)
		}
	}
	chi := 0.0
	for i, b := range past {
		chi += (b.Requests - earlier[i].Requests) * (b.Requests - earlier[i].Requests) / earlier[i].Requests
	}
	if n := float64(len(past)); math.Abs(chi-n) > 4*math.Sqrt(2*n) {
		t.Errorf("chi-squared of the history is %.0f over %.0f minutes", chi, n)
	}
	// Across the start the counts agree: 30 minutes on each side at mid-morning.
	future := counts(drain(t, mustGenerate(t, g, start, day, 4), day), day, time.Minute)
	before, after := total(past[len(past)-30:]), 0.0
	for _, n := range future[:30] {
		after += n
	}
	if math.Abs(before/after-1) > 0.05 {
		t.Errorf("%v requests in the half hour before the start, %v after", before, after)
	}
	// Another stream: the past is not the future of a scenario that starts earlier.
	replayed := counts(drain(t, mustGenerate(t, g, start.Add(-2*day), 2*day, 4), 2*day), 2*day, time.Minute)
	same := 0
	for i := range past {
		if past[i].Requests == replayed[i] {
			same++
		}
	}
	if same > len(past)/2 {
		t.Errorf("%d of %d minutes of the history are those of a run", same, len(past))
	}
}

func TestWorkIsAverageOne(t *testing.T) {
	const n = 200_000
	for name, want := range map[string]struct {
		spread WorkSpread
		cv     float64
	}{
		"fixed":       {WorkSpread{}, 0},
		"exponential": {WorkSpread{Kind: WorkExponential}, 1},
		"lognormal":   {WorkSpread{Kind: WorkLognormal, CV: 0.8}, 0.8},
	} {
		s := newSampler(want.spread, streamKey{seed: 1, purpose: name}.random())
		sum, squares := 0.0, 0.0
		for range n {
			x := s.next()
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		if limit := 4*want.cv/math.Sqrt(n) + 1e-12; math.Abs(mean-1) > limit {
			t.Errorf("%s: mean %.5f, expected 1 within %.5f", name, mean, limit)
		}
		if cv := math.Sqrt(max(0, squares/n-mean*mean)); math.Abs(cv-want.cv) > 0.02 {
			t.Errorf("%s: cv %.4f, expected %v", name, cv, want.cv)
		}
	}
}

func TestMergeKeepsOrderAndLosesNothing(t *testing.T) {
	const day = 24 * time.Hour
	uk := Generated{Model: "en", Shape: ShapeOfficeHours, Zone: "Europe/London", Peak: 1}
	us := Generated{Model: "en", Shape: ShapeOfficeHours, Zone: "America/New_York", Peak: 2, Part: 1}
	alone := len(drain(t, mustGenerate(t, uk, monday, day, 1), day)) + len(drain(t, mustGenerate(t, us, monday, day, 1), day))
	both := drain(t, Merge(mustGenerate(t, uk, monday, day, 1), mustGenerate(t, us, monday, day, 1)), day)
	if len(both) != alone {
		t.Errorf("%d requests merged of %d", len(both), alone)
	}
	if n := len(drain(t, Merge(), day)); n != 0 {
		t.Errorf("%d requests of no source", n)
	}
}

func TestPoissonNumbersHaveTheirDistribution(t *testing.T) {
	for _, mean := range []float64{0.1, 3, 9.99, 10, 40, 1000} {
		random := streamKey{seed: 2, purpose: words.Number(mean)}.random()
		const n = 100_000
		seen := map[int]float64{}
		for range n {
			seen[int(poisson(mean, random))]++
		}
		chi, degrees := 0.0, -1.0
		for k := 0; k < int(mean+20*math.Sqrt(mean)+20); k++ {
			lg, _ := math.Lgamma(float64(k) + 1)
			if want := n * math.Exp(float64(k)*math.Log(mean)-mean-lg); want >= 10 {
				chi += (seen[k] - want) * (seen[k] - want) / want
				degrees++
			}
		}
		if math.Abs(chi-degrees) > 4*math.Sqrt(2*degrees) {
			t.Errorf("mean %v: chi-squared %.1f with %.0f degrees of freedom", mean, chi, degrees)
		}
	}
	if n := poisson(0, nil); n != 0 {
		t.Errorf("%v of nothing", n)
	}
}

func TestGeneratorRefusesNonsenseWithAWayOut(t *testing.T) {
	good := office("transcribe-fr", 2)
	edit := func(f func(*Generated)) Generated {
		g := good
		f(&g)
		return g
	}
	for name, tc := range map[string]struct {
		give  Generated
		field string
		says  string
	}{
		"no model":          {edit(func(g *Generated) { g.Model = "" }), "model", "name the model"},
		"a shape misspelt":  {edit(func(g *Generated) { g.Shape = "ofice-hours" }), "shape", `did you mean "office-hours"?`},
		"peak not a number": {edit(func(g *Generated) { g.Peak = math.NaN() }), "peak", "NaN is no rate"},
		"infinite peak":     {edit(func(g *Generated) { g.Peak = math.Inf(1) }), "peak", "no rate"},
		"negative peak":     {edit(func(g *Generated) { g.Peak = -1 }), "peak", "-1 is no rate"},
		"too many requests": {edit(func(g *Generated) { g.Peak = 1e6 }), "peak", "would fit"},
		"an unknown zone":   {edit(func(g *Generated) { g.Zone = "Europe/Pari" }), "zone", "America/New_York"},
		"the local zone":    {edit(func(g *Generated) { g.Zone = "Local" }), "zone", "IANA"},
		"a zone and zones":  {edit(func(g *Generated) { g.Zones = []ZoneWeight{{"UTC", 1}} }), "zone", "keep one"},
		"a zone of weight 0": {edit(func(g *Generated) {
			g.Zone, g.Zones = "", []ZoneWeight{{"Europe/London", 0}}
		}), "zones", "share of users"},
		"work misspelt": {edit(func(g *Generated) { g.Work.Kind = "log-normal" }), "work", `did you mean "lognormal"?`},
		"cv of zero":    {edit(func(g *Generated) { g.Work.Kind = WorkLognormal }), "work", "standard deviation over the mean"},
		"cv of nothing": {edit(func(g *Generated) { g.Work.CV = 1 }), "work", "leave cv out"},
		"cv not a number": {edit(func(g *Generated) {
			g.Work = WorkSpread{WorkLognormal, math.NaN()}
		}), "work", "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewGenerated(tc.give, monday, time.Hour, 1)
			var complaint *SpecError
			if !errors.As(err, &complaint) || complaint.Field != tc.field || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, expected a complaint about %s that says %q", err, tc.field, tc.says)
			}
		})
	}
	for _, duration := range []time.Duration{0, -time.Hour, math.MaxInt64} {
		if _, err := NewGenerated(good, monday, duration, 1); err == nil {
			t.Errorf("a duration of %v passes", duration)
		}
	}
	if _, err := NewGenerated(good, time.Time{}, time.Hour, 1); err == nil {
		t.Error("a start in the year 1 passes")
	}
	if drain(t, mustGenerate(t, Generated{Model: "m", Shape: ShapeEven}, monday, time.Hour, 1), time.Hour) != nil {
		t.Error("a peak of zero makes requests")
	}
}

// The peak that the complaint proposes is accepted.
func TestProposedPeakFits(t *testing.T) {
	g := Generated{Model: "m", Shape: ShapeConstant, Peak: 1000}
	_, err := NewGenerated(g, monday, 24*time.Hour, 1)
	if err == nil {
		t.Fatal("86.4 million requests pass")
	}
	g.Peak = 115
	if !strings.Contains(err.Error(), "a peak of 115 would fit") {
		t.Errorf("got %v", err)
	}
	if _, err := NewGenerated(g, monday, 24*time.Hour, 1); err != nil {
		t.Error(err)
	}
}

func BenchmarkNext(b *testing.B) {
	for name, g := range map[string]Generated{
		"office":    office("transcribe-fr", 12),
		"quiet":     office("transcribe-it", 0.5),
		"lognormal": {Model: "m", Shape: ShapeTopOfHour, Zone: "Europe/Paris", Peak: 12, Work: WorkSpread{Kind: WorkLognormal, CV: 0.8}},
		"constant":  {Model: "m", Shape: ShapeConstant, Peak: 8},
	} {
		b.Run(name, func(b *testing.B) {
			const fortnight = 14 * 24 * time.Hour
			s := mustGenerate(b, g, monday, fortnight, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := s.Next(); !ok {
					b.StopTimer()
					s = mustGenerate(b, g, monday, fortnight, 1)
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkScenario is the normal case: a fortnight, fifteen models, about six
// million requests.
func BenchmarkScenario(b *testing.B) {
	for b.Loop() {
		n := 0
		for i := range 15 {
			g := office(fleet.ModelName("model-"+words.Number(float64(i))), 0.7)
			if i == 0 {
				g = Generated{Model: "model-en", Shape: ShapeTopOfHour, Peak: 8, Zones: []ZoneWeight{
					{"Europe/London", 0.25}, {"America/New_York", 0.4}, {"America/Los_Angeles", 0.2}, {"Asia/Kolkata", 0.15},
				}}
			}
			s := mustGenerate(b, g, monday, 14*24*time.Hour, 1)
			for {
				if _, ok := s.Next(); !ok {
					break
				}
				n++
			}
		}
		b.ReportMetric(float64(n), "requests")
	}
}
