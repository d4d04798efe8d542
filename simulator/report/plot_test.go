package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// TestThinningKeepsEveryExtreme: what a thinned timeline shows has the lowest and
// the highest of each of its pieces, in order, and is bounded.
func TestThinningKeepsEveryExtreme(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5000).Draw(t, "samples")
		seed := rapid.Uint32().Draw(t, "seed")
		duration := time.Duration(max(1, n)) * time.Minute
		samples := make([]simulator.Sample, n)
		for i := range samples {
			seed = seed*1664525 + 1013904223
			samples[i] = simulator.Sample{At: monday.Add(time.Duration(i) * time.Minute), GPUs: int(seed >> 20)}
		}
		got := thin(samples, monday, duration, gpus)
		if len(got) > max(2*buckets+2, 0) {
			t.Fatalf("%d of %d are left", len(got), n)
		}
		kept := map[time.Time]bool{}
		for i, s := range got {
			kept[s.At] = true
			if i > 0 && !s.At.After(got[i-1].At) {
				t.Fatal("out of order")
			}
		}
		width := duration/buckets + 1
		for from := 0; from < n; {
			to := from
			for to < n && samples[to].At.Sub(monday)/width == samples[from].At.Sub(monday)/width {
				to++
			}
			low, high := extent(samples[from:to], gpus)
			hasLow, hasHigh := false, false
			for _, s := range samples[from:to] {
				hasLow = hasLow || kept[s.At] && gpus(s) == low
				hasHigh = hasHigh || kept[s.At] && gpus(s) == high
			}
			if !hasLow || !hasHigh {
				t.Fatalf("an extreme of samples %d to %d is lost", from, to)
			}
			from = to
		}
	})
}

// TestAxisHoldsEveryValue in few round steps.
func TestAxisHoldsEveryValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Float64Range(0, 1e9).Draw(t, "most")
		whole := rapid.Bool().Draw(t, "whole")
		a := axisFor(most, 0, whole)
		if a.top < most*(1-1e-6) || a.steps() < 1 || a.steps() > intervals {
			t.Fatalf("axis to %g in %d steps for %g", a.top, a.steps(), most)
		}
		other := axisFor(most*7.3, a.steps(), false)
		if other.steps() != a.steps() || other.top < most*7.3*(1-1e-6) {
			t.Fatalf("the second axis has %d steps to %g", other.steps(), other.top)
		}
	})
}

func TestAxisLabels(t *testing.T) {
	for _, test := range []struct {
		most  float64
		whole bool
		want  string
	}{
		{0, true, "0 1"},
		{1, true, "0 1"},
		{7, true, "0 2 4 6 8"},
		{17, true, "0 5 10 15 20"},
		{0.9, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{11, false, "0.0 2.5 5.0 7.5 10.0 12.5"},
		{12000, false, "0 2,500 5,000 7,500 10,000 12,500"},
	} {
		a := axisFor(test.most, 0, test.whole)
		var got []string
		for i := range a.steps() + 1 {
			got = append(got, a.text(i))
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("up to %g: %s, want %s", test.most, text, test.want)
		}
	}
}

func TestTimeLinesAreRound(t *testing.T) {
	for _, test := range []struct {
		start    time.Time
		duration time.Duration
		want     string
	}{
		{monday, time.Hour, "Mon 18 Nov|00:05|00:10|00:15|00:20|00:25|00:30|00:35|00:40|00:45|00:50|00:55|01:00"},
		{monday.Add(22*time.Hour + 7*time.Minute), 4 * time.Hour, "22:30|23:00|23:30|Tue 19 Nov|00:30|01:00|01:30|02:00"},
		{monday, 14 * day, "Mon 18 Nov|Tue 19 Nov|Wed 20 Nov|Thu 21 Nov|Fri 22 Nov|Sat 23 Nov|Sun 24 Nov|Mon 25 Nov|Tue 26 Nov|Wed 27 Nov|Thu 28 Nov|Fri 29 Nov|Sat 30 Nov|Sun 1 Dec|Mon 2 Dec"},
		{monday.Add(day), 60 * day, "Mon 25 Nov|Mon 2 Dec|Mon 9 Dec|Mon 16 Dec|Mon 23 Dec|Mon 30 Dec|Mon 6 Jan|Mon 13 Jan"},
	} {
		var got []string
		for _, line := range timeLines(test.start, test.duration) {
			got = append(got, line.text)
		}
		if text := strings.Join(got, "|"); text != test.want {
			t.Errorf("%v from %v: %s", test.duration, test.start, text)
		}
	}
}

// TestStepsHoldUntilTheNextSample: a fleet is what it was until it is seen to be
// otherwise, up to the end of the run.
func TestStepsHoldUntilTheNextSample(t *testing.T) {
	samples := []simulator.Sample{
		{At: monday, GPUs: 1}, {At: monday.Add(6 * time.Hour), GPUs: 3, Starting: 2}, {At: monday.Add(12 * time.Hour), GPUs: 3}, {At: monday.Add(18 * time.Hour), GPUs: 3, Starting: 1},
	}
	p := newPlot(Summary{Start: monday, Duration: day}, 4, 4, true)
	if got, want := p.stepLine(p.left, samples, gpus), "M50 212.5H303V97.5H1062"; got != want {
		t.Errorf("line %s, want %s", got, want)
	}
	if got, want := p.stepBand(p.left, samples, ready, gpus), "M303 212.5H303V97.5H556V212.5H303ZM809 155H809V97.5H1062V155H809Z"; got != want {
		t.Errorf("band %s, want %s", got, want)
	}
}

// TestMoneySoFarEndsAtTheExactCost whatever the samples missed.
func TestMoneySoFarEndsAtTheExactCost(t *testing.T) {
	rate := fleet.PerHour(dollars("10"))
	s := Summary{Start: monday, Duration: 4 * time.Hour, Result: simulator.Result{Cost: dollars("44"), Timeline: []simulator.Sample{
		{At: monday}, {At: monday.Add(time.Hour), Rate: rate}, {At: monday.Add(2 * time.Hour), Rate: rate.Times(3)}, {At: monday.Add(3 * time.Hour)},
	}}}
	var got []float64
	for _, p := range spentUntil(s) {
		got = append(got, p.value)
	}
	if diff := cmp.Diff([]float64{0, 0, 11, 44, 44}, got); diff != "" {
		t.Error(diff)
	}
	if got := datesOf(s)[0]; got.Cost != "$44.00" {
		t.Errorf("the day cost %s", got.Cost)
	}
}

// TestDecisionsOfOnePlanAreOne, and those of two plans are two.
func TestDecisionsOfOnePlanAreOne(t *testing.T) {
	list := append(examplePurchases(monday, 3, 0), examplePurchases(monday.Add(time.Minute), 2, 3)...)
	got := decisionsOf(list)
	if len(got) != 2 || len(got[0].Nodes) != 3 || len(got[1].Nodes) != 2 {
		t.Fatalf("decisions %+v", got)
	}
	if line, want := tallyOf(got).Line(), "5 nodes bought in 2 decisions: 5 mixed, 0 dedicated"; line != want {
		t.Errorf("%s, want %s", line, want)
	}
	p := newPlot(Summary{Start: monday, Duration: 14 * day}, 1, 1, true)
	p.decide(got)
	want := []dot{{X: "50", Class: "mixed", To: "d1", Says: "2 decisions to buy from Mon 18 Nov 00:00 to Mon 18 Nov 00:01"}}
	if diff := cmp.Diff(want, p.Dots); diff != "" {
		t.Error(diff)
	}
}

func TestWords(t *testing.T) {
	seconds := func(v float64) *float64 { return &v }
	for _, test := range []struct{ got, want string }{
		{count(0), "0"},
		{count(-1234567), "-1,234,567"},
		{money(dollars("1234567.891")), "$1,234,567.89"},
		{money(fleet.Micros(1_234_500_000, "CHF")), "1,234.50 CHF"},
		{fine(dollars("0.01234")), "$0.0123"},
		{fine(fleet.Micros(12_340, "CHF")), "0.0123 CHF"},
		{fine(dollars("12.3456")), "$12.35"},
		{percent(0.999999), "99.99%"},
		{percent(0.9950), "99.50%"},
		{percent(1), "100.00%"},
		{target(0.995), "99.5%"},
		{target(0.9999), "99.99%"},
		{latency(nil), "none"},
		{latency(seconds(0.0814)), "81 ms"},
		{latency(seconds(3.456)), "3.46 s"},
		{latency(seconds(704.5)), "11m44s"},
		{span(0), "0s"},
		{span(300 * time.Millisecond), "300ms"},
		{span(15 * time.Minute), "15m"},
		{span(14 * day), "14d"},
		{span(25*time.Hour + 90*time.Second), "1d1h1m30s"},
		{between("1", "1"), "1"},
		{between("1", "2"), "1 to 2"},
		{number(0.00123), "0.0012"},
		{number(1234.5), "1,234"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
