package evaluate

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// byHand computes a score from the rows as its definition reads, without a sum kept
// on the way.
func byHand(s *series.Series, rows []Row, tr *Trial, method string, lead time.Duration) Score {
	var own []Row
	for _, r := range rows {
		if r.Method == method && r.Lead == lead {
			own = append(own, r)
		}
	}
	n := float64(len(own))
	mean := func(of func(Row) float64) float64 {
		sum := 0.0
		for _, r := range own {
			sum += of(r)
		}
		return sum / n
	}
	loss := func(level, y, q float64) float64 { return max(level*(y-q), (level-1)*(y-q)) }
	middle := func(r Row) float64 {
		if r.Answer.Quantiles == nil {
			return r.Answer.Mean
		}
		return r.Answer.Quantiles[4]
	}
	some := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	hit := func(r Row) float64 {
		if r.Actual > r.Answer.Bought {
			return 0
		}
		return 1
	}
	scale, pairs := 0.0, 0.0
	day := int(24 * time.Hour / s.Step)
	first := int(math.Ceil(tr.From * float64(len(s.Values))))
	for i := day; i < first; i++ {
		if d := math.Abs(s.Values[i] - s.Values[i-day]); !math.IsNaN(d) {
			scale, pairs = scale+d, pairs+1
		}
	}
	scale /= pairs
	actual := mean(func(r Row) float64 { return r.Actual })
	out := Score{
		Lead: Length(lead), Method: method, Count: len(own), Mean: actual,
		Pinball: some(mean(func(r Row) float64 { return loss(tr.Level, r.Actual, r.Answer.Bought) }) / actual),
		MASE:    some(mean(func(r Row) float64 { return math.Abs(r.Actual - middle(r)) }) / scale),
		SMAPE: some(mean(func(r Row) float64 {
			if r.Actual == 0 && middle(r) == 0 {
				return 0
			}
			return 200 * math.Abs(r.Actual-middle(r)) / (math.Abs(r.Actual) + math.Abs(middle(r)))
		})),
		Covered: some(mean(hit)), Classes: map[string]float64{}, Capacity: tr.GPUs.Capacity,
	}
	run := 0
	for _, r := range own {
		if run++; hit(r) == 1 {
			run = 0
		}
		out.Misses = max(out.Misses, run)
	}
	at := func(r Row) time.Time { return s.At(r.Target).In(tr.Zone) }
	among := map[string]func(time.Time) bool{
		"night":          func(t time.Time) bool { return t.Hour() < 6 },
		"morning":        func(t time.Time) bool { return t.Hour() >= 6 && t.Hour() < 12 },
		"afternoon":      func(t time.Time) bool { return t.Hour() >= 12 && t.Hour() < 18 },
		"evening":        func(t time.Time) bool { return t.Hour() >= 18 },
		"weekend":        func(t time.Time) bool { return t.Weekday() == 0 || t.Weekday() == 6 },
		"monday-morning": func(t time.Time) bool { return t.Weekday() == 1 && t.Hour() >= 6 && t.Hour() < 12 },
		"first-10m":      func(t time.Time) bool { return t.Minute() < 10 },
	}
	for name, in := range among {
		hits, tries := 0.0, 0.0
		for _, r := range own {
			if in(at(r)) {
				hits, tries = hits+hit(r), tries+1
			}
		}
		if tries > 0 {
			out.Classes[name] = hits / tries
		}
	}
	over, demand := 0.0, 0.0
	for _, r := range own {
		if among["night"](at(r)) {
			over, demand = over+max(0, r.Answer.Bought-r.Actual), demand+r.Actual
		}
		gpus := math.Ceil(r.Answer.Bought / tr.GPUs.Capacity)
		hours := s.Step.Hours()
		out.Cost += hours * (tr.GPUs.Price*gpus + tr.GPUs.Late*max(0, r.Actual/tr.GPUs.Capacity-gpus))
		out.Foresight += hours * tr.GPUs.Price * math.Ceil(r.Actual/tr.GPUs.Capacity)
	}
	out.NightOver = some(over / demand)
	if own[0].Answer.Quantiles == nil {
		return out
	}
	all := 0.0
	for i, level := range forecast.Levels() {
		all += mean(func(r Row) float64 { return 2 * loss(level, r.Actual, r.Answer.Quantiles[i]) }) / 11
		out.Coverage = append(out.Coverage, mean(func(r Row) float64 {
			if r.Actual <= r.Answer.Quantiles[i] {
				return 1
			}
			return 0
		}))
	}
	out.WQL = some(all / actual)
	out.MSIS = some(mean(func(r Row) float64 {
		low, high := r.Answer.Quantiles[0], r.Answer.Quantiles[8]
		switch {
		case r.Actual < low:
			return high - low + 40*(low-r.Actual)
		case r.Actual > high:
			return high - low + 40*(r.Actual-high)
		}
		return high - low
	}) / scale)
	return out
}

// Every score of every method is what its definition says.
func TestScoresAreTheirDefinitions(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for seed, step := range []time.Duration{10 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		s := daily(uint64(seed), step, 6*int(24*time.Hour/step)+17)
		tr := trial(10*time.Minute, 30*time.Minute)
		tr.Zone, tr.Level, tr.GPUs = paris, 0.8, GPUs{Capacity: 3, Price: 2, Late: 11}
		tr.From, tr.Delay = 0.6, time.Duration(seed)*7*time.Minute
		r, rows := play(t, tr, s, everyone())
		for _, got := range r.Scores {
			want := byHand(s, rows, &tr, got.Method, time.Duration(got.Lead))
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-12)); diff != "" {
				t.Errorf("series %d, %s, lead %s (-by hand +got):\n%s", seed, got.Method, got.Lead, diff)
			}
		}
	}
}

// Where no price is given, a GPU serves a tenth of the mean, and the level of the
// trial is the one that costs least.
func TestDefaultPricesMakeTheLevelWorthBuying(t *testing.T) {
	s := daily(3, time.Hour, 1000)
	tr := trial(time.Hour)
	tr.GPUs.Capacity = 0.01 // so fine that rounding costs nothing
	g := tr.newGame(s, nil, nil)
	at := func(level float64) float64 {
		sorted := append([]float64(nil), s.Values...)
		for i, v := range sorted {
			if math.IsNaN(v) {
				sorted[i] = 20
			}
		}
		actual := append([]float64(nil), sorted...)
		for i := range sorted { // insertion sort is enough
			for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
				sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
			}
		}
		q, cost := sorted[int(level*float64(len(sorted)))], 0.0
		for _, y := range actual {
			cost += g.prices.cost(y, q, tr.Level)
		}
		return cost
	}
	if low, right, high := at(0.8), at(0.9), at(0.97); right >= low || right >= high {
		t.Errorf("buying q0.8 costs %g, q0.9 %g and q0.97 %g", low, right, high)
	}
	tr.GPUs.Capacity = 0
	if got := tr.GPUs.of(s).capacity; math.Abs(got-2) > 0.2 {
		t.Errorf("a GPU serves %g of a mean of 20", got)
	}
}

// A score that cannot be computed is absent.
func TestNoScoreWithoutTargets(t *testing.T) {
	s := &series.Series{Name: "short", Start: monday, Step: time.Hour, Values: []float64{1, 2, nan}}
	r, rows := play(t, trial(time.Hour), s, everyone())
	if len(rows) != 0 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, s := range r.Scores {
		if s.Count != 0 || s.Pinball != nil || s.WQL != nil || s.MASE != nil || s.SMAPE != nil || s.MSIS != nil || s.Covered != nil || len(s.Classes) != 0 {
			t.Errorf("%+v", s)
		}
	}
	if p := Pool([]Result{r}, 0.9); p[0].Ratio != nil || p[0].Series != 0 {
		t.Errorf("%+v", p[0])
	}
}

func TestPoolIsTheGeometricMeanOverTheReference(t *testing.T) {
	v := func(x float64) *float64 { return &x }
	lead := Length(time.Minute)
	result := func(name string, ours, reference, fitted, covered float64) Result {
		return Result{Series: name, Scores: []Score{
			{Lead: lead, Method: Tessera, Count: 5, Pinball: v(ours), Covered: v(covered), Misses: int(10 * ours), Cost: 3, Foresight: 2},
			{Lead: lead, Method: Reference, Count: 5, Pinball: v(reference)},
			{Lead: lead, Method: headroomName, Count: 5, Pinball: v(fitted)},
		}}
	}
	got := Pool([]Result{result("a", 0.2, 0.4, 0.3, 0.91), result("b", 0.9, 0.45, 0.8, 0.87)}, 0.9)
	if len(got) != 3 || got[0].Method != Tessera || got[0].Series != 2 {
		t.Fatalf("%+v", got)
	}
	p := got[0]
	if math.Abs(*p.Ratio-1) > 1e-12 || *p.Worst != 2 || p.WorstOf != "b" || *p.Ahead != 1 || p.Within != 1 {
		t.Errorf("ratio %v, worst %v of %s, ahead on %d, within on %d", *p.Ratio, *p.Worst, p.WorstOf, *p.Ahead, p.Within)
	}
	if p.Mean.Misses != 9 || math.Abs(*p.Mean.Covered-0.89) > 1e-12 || *p.Over != 1.5 || p.Mean.Count != 10 {
		t.Errorf("%+v, cost over foresight %v", p.Mean, *p.Over)
	}
}
