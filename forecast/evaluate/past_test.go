package evaluate

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// said is what a forecast says of its target, to the bit.
func said(r Row) string {
	text := fmt.Sprint(r.Method, r.Origin, r.Lead, r.Target, math.Float64bits(r.Answer.Mean), math.Float64bits(r.Answer.Bought))
	for _, q := range r.Answer.Quantiles {
		text += fmt.Sprint(" ", math.Float64bits(q))
	}
	return text
}

// Whatever happens after an instant, no method had said anything else before it: the
// future is changed, and every row whose origin lies before the change stays the same
// to the bit.
func TestNobodySeesTheFuture(t *testing.T) {
	const bins = 7 * 48
	entrants := everyone()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		tr := trial(30*time.Minute, 3*time.Hour)
		tr.From = rapid.Float64Range(0.1, 0.8).Draw(t, "from")
		tr.Delay = time.Duration(rapid.IntRange(0, 90).Draw(t, "delay")) * time.Minute
		change := rapid.IntRange(bins/4, bins-1).Draw(t, "change")
		was := daily(seed, 30*time.Minute, bins)
		is := &series.Series{Name: was.Name, Start: was.Start, Step: was.Step, Values: append([]float64(nil), was.Values...)}
		for i := change; i < bins; i++ {
			is.Values[i] = rapid.OneOf(rapid.Just(nan), rapid.Float64Range(0, 1e9)).Draw(t, "value")
		}
		before := func(s *series.Series) map[string]bool {
			rows := map[string]bool{}
			_, err := tr.Run(s, entrants, func(r Row) {
				if r.Origin < change && !math.IsNaN(was.Values[r.Target]) && !math.IsNaN(is.Values[r.Target]) {
					rows[said(r)] = true
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		if diff := cmp.Diff(before(was), before(is)); diff != "" {
			t.Fatalf("the future from bin %d on changed what was said before (-was +is):\n%s", change, diff)
		}
	})
}

// echo says what it saw last, so that a counting series shows what was visible.
type echo struct{ last float64 }

func (e *echo) Observe(_ time.Time, v float64) { e.last = v }
func (e *echo) Forecast(int) Answer            { return point(e.last) }

func TestOriginIsTheNewestVisibleBinAndGapsHaveNoRows(t *testing.T) {
	s := &series.Series{Name: "count", Start: monday, Step: time.Minute}
	for i := range 10 {
		s.Values = append(s.Values, float64(i))
	}
	s.Values[8] = nan
	tr := trial(10*time.Second, 3*time.Minute)
	tr.Delay = 90 * time.Second
	_, rows := play(t, tr, s, []Entrant{{"echo", func(Setting) Method { return &echo{} }}})
	var got [][4]int
	for _, r := range rows {
		got = append(got, [4]int{int(r.Lead / time.Second), r.Origin, r.Target, int(r.Answer.Bought)})
		if r.Actual != float64(r.Target) {
			t.Errorf("actual %g at %d", r.Actual, r.Target)
		}
	}
	// The delay hides two bins; the lead counts from the newest that ended.
	want := [][4]int{{180, 0, 5, 0}, {180, 1, 6, 1}, {10, 2, 5, 2}, {180, 2, 7, 2}, {10, 3, 6, 3}, {10, 4, 7, 4}, {180, 4, 9, 4}, {10, 6, 9, 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lead, origin, target, seen (-want +got):\n%s", diff)
	}
}

// Nothing is forecast before anything was seen.
func TestNothingIsSaidBeforeTheFirstValue(t *testing.T) {
	s := &series.Series{Name: "late", Start: monday, Step: time.Hour, Values: []float64{nan, nan, nan, 4, 5, 6}}
	tr := trial(time.Hour)
	tr.From = 0
	_, rows := play(t, tr, s, everyone())
	for _, r := range rows {
		if r.Origin < 3 || math.IsNaN(r.Answer.Bought) || math.IsNaN(r.Answer.Mean) {
			t.Errorf("%+v", r)
		}
	}
	if want := 2 * len(everyone()); len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
}

// Whatever comes, everybody's answers are finite, never negative, and ascending.
func TestAnswersAreSound(t *testing.T) {
	spiked := daily(1, 30*time.Minute, 500)
	for i := range 40 {
		spiked.Values[11*i] = 1e12
	}
	gap := daily(2, 30*time.Minute, 500)
	for i := 200; i < 260; i++ {
		gap.Values[i] = nan
	}
	flat := &series.Series{Name: "flat", Start: monday, Step: time.Hour, Values: make([]float64, 200)}
	three := &series.Series{Name: "three", Start: monday, Step: time.Hour, Values: []float64{1, 2, 3}}
	days := &series.Series{Name: "days", Start: monday, Step: 24 * time.Hour, Values: []float64{1, 2, 3, 4, 5, nan, 7, 8}}
	for _, s := range []*series.Series{spiked, gap, flat, three, days} {
		tr := trial(30*time.Minute, 5*time.Hour)
		tr.From = 0
		r, rows := play(t, tr, s, everyone())
		for _, row := range rows {
			floor := 0.0
			for _, v := range append([]float64{0, row.Answer.Mean, row.Answer.Bought}, row.Answer.Quantiles...) {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					t.Fatalf("%s: %s says %v for bin %d", s.Name, row.Method, row.Answer, row.Target)
				}
			}
			for _, q := range row.Answer.Quantiles {
				if q < floor {
					t.Fatalf("%s: the quantiles of %s cross: %v", s.Name, row.Method, row.Answer.Quantiles)
				}
				floor = q
			}
		}
		if len(r.Scores) != 2*len(everyone()) {
			t.Errorf("%s: %d scores", s.Name, len(r.Scores))
		}
	}
}

func TestTrialsThatMakeNoSense(t *testing.T) {
	s := daily(1, time.Hour, 48)
	for name, spoil := range map[string]func(*Trial){
		"no leads":         func(tr *Trial) { tr.Leads = nil },
		"lead of nothing":  func(tr *Trial) { tr.Leads = []time.Duration{0} },
		"from is NaN":      func(tr *Trial) { tr.From = nan },
		"from is one":      func(tr *Trial) { tr.From = 1 },
		"negative delay":   func(tr *Trial) { tr.Delay = -1 },
		"level is one":     func(tr *Trial) { tr.Level = 1 },
		"level is NaN":     func(tr *Trial) { tr.Level = nan },
		"negative price":   func(tr *Trial) { tr.GPUs.Price = -1 },
		"capacity is NaN":  func(tr *Trial) { tr.GPUs.Capacity = nan },
		"late is infinite": func(tr *Trial) { tr.GPUs.Late = math.Inf(1) },
	} {
		tr := trial(time.Hour)
		spoil(&tr)
		if _, err := tr.Run(s, nil, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
