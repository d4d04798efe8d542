package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// gapCV is the coefficient of variation of the times between requests.
func gapCV(all []Request) float64 {
	n, sum, squares := float64(len(all)-1), 0.0, 0.0
	for i := range all[1:] {
		gap := (all[i+1].At - all[i].At).Seconds()
		sum += gap
		squares += gap * gap
	}
	return math.Sqrt(squares/n-sum/n*sum/n) / (sum / n)
}

// A bin of many requests shows the CV that was asked for, and all of its requests,
// however bursty they come.
func TestGammaArrivalsHaveTheirCV(t *testing.T) {
	for _, cv := range []float64{0.2, 0.5, 1, 2, 5, 10} {
		opt := minutes()
		opt.Step, opt.Arrivals, opt.CV = time.Hour, ArrivalsGamma, cv
		got := drain(t, mustRead(t, "time,model,requests\n2024-11-18T09:00,a,200000\n", opt).Source("a", 1), time.Hour)
		if len(got) != 200_000 {
			t.Fatalf("cv %v: %d requests", cv, len(got))
		}
		if have := gapCV(got); math.Abs(have/cv-1) > 0.05 {
			t.Errorf("cv is %.3f, want %v", have, cv)
		}
	}
}

// What a recording measured on the gaps of a window, its replay shows on average,
// also where a window has few requests for its CV.
func TestRecordedCVIsReplayed(t *testing.T) {
	for _, n := range []int{20, 100, 2000} {
		for _, cv := range []float64{0.5, 1.2, 3} {
			shape := burst{gamma: true}.shape(row{requests: float64(n), cv: cv}, 1)
			random := rand.New(rand.NewPCG(1, 2))
			squares, rounds := 0.0, 3000
			for range rounds {
				// The n gaps of the circle: those between arrivals, and the one across the ends.
				g := newGammaGaps(0, 1e15, int64(n), shape, random)
				begin := g.next(random)
				last, total := begin, 0.0
				for g.left > 0 {
					at := g.next(random)
					total += math.Pow(float64(at-last)/1e15, 2)
					last = at
				}
				total += math.Pow(1-float64(last-begin)/1e15, 2)
				squares += total*float64(n) - 1
			}
			if have := math.Sqrt(squares / float64(rounds)); math.Abs(have/cv-1) > 0.1 {
				t.Errorf("%d requests: cv is %.3f, want %v", n, have, cv)
			}
		}
	}
}

// Thinning a stream at random and thinning its shape give the same burstiness.
func TestThinnedBurstsAreThoseOfRandomThinning(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const n, keep = 400_000, 0.1
	for _, cv := range []float64{0.5, 4} {
		g := newGammaGaps(0, time.Duration(1e15), n, 1/(cv*cv), random)
		var kept []Request
		for g.left > 0 {
			if at := g.next(random); random.Float64() < keep {
				kept = append(kept, Request{At: at})
			}
		}
		shape := burst{gamma: true, cv: cv}.shape(row{requests: n}, keep)
		if want, have := gapCV(kept), 1/math.Sqrt(shape); math.Abs(have/want-1) > 0.05 {
			t.Errorf("cv %v thinned to %v: shape says %.3f, random thinning %.3f", cv, keep, have, want)
		}
	}
}

// No time of a bin is denser than another, on average over many bins.
func TestGammaArrivalsAreEvenOnAverage(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, shape := range []float64{0.05, 0.5, 4} {
		var tenths [10]float64
		const bins, n = 20_000, 7
		for range bins {
			for g := newGammaGaps(0, 1000, n, shape, random); g.left > 0; {
				tenths[g.next(random)/100]++
			}
		}
		for i, have := range tenths {
			// Requests of one bin clump: their variance is at most n times that of as many
			// independent ones.
			if want := bins * n / 10.0; math.Abs(have-want) > 4*math.Sqrt(n*want) {
				t.Errorf("shape %v: %v requests in tenth %d, want about %v", shape, have, i, want)
			}
		}
	}
}

// A shape of one is the scatter of a Poisson process: the same law of the first
// arrival of five.
func TestGammaOfOneIsPoisson(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	const rounds = 50_000
	mean := 0.0
	for range rounds {
		g := newGammaGaps(0, 1_000_000, 5, 1, random)
		mean += float64(g.next(random)) / rounds
	}
	if want := 1_000_000.0 / 6; math.Abs(mean/want-1) > 0.02 {
		t.Errorf("the first of five comes at %.0f on average, want %.0f", mean, want)
	}
}

// fleetRates is ServeGen's layout of a few clients.
func fleetRates(t *rapid.T, windows int) (text string, perClient map[string][]float64) {
	text = "model,client,window_start_s,rate_rps,cv\n"
	perClient = map[string][]float64{}
	for client := range rapid.IntRange(1, 5).Draw(t, "clients") {
		for w := range windows {
			rate := rapid.Float64Range(0, 0.5).Draw(t, "rate")
			cv := rapid.SampledFrom([]float64{0, 0.3, 1, 4, 1000}).Draw(t, "cv")
			text += fmt.Sprintf("m,%d,%d,%v,%v\n", client, w*600, rate, cv)
			perClient[fmt.Sprint(client)] = append(perClient[fmt.Sprint(client)], rate*600)
		}
	}
	return text, perClient
}

// Whatever the rates, the burstiness and the scale: every client's requests are
// right to half a request, in the window and in its history, and none is lost.
func TestFleetsAreRightToHalfARequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, clients := fleetRates(t, 4)
		opt := TraceOptions{
			Start: traceStart, Duration: 20 * time.Minute, History: 20 * time.Minute, Arrivals: ArrivalsGamma,
			Scale:  rapid.SampledFrom([]float64{0.01, 0.3, 1, 2.5}).Draw(t, "scale"),
			Spread: WorkSpread{Kind: WorkLognormal, CV: 1},
		}
		trace, err := ReadTrace("rates.csv", strings.NewReader(text), opt)
		if err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		for _, windows := range clients {
			want += scaled(windows[2]+windows[3], opt.Scale)
		}
		_, promised := trace.Requests("m")
		got, last := int64(0), time.Duration(0)
		for s := trace.Source("m", rapid.Uint64().Draw(t, "seed")); ; got++ {
			r, ok := s.Next()
			if !ok {
				break
			}
			if r.At < last || r.At >= opt.Duration || !(r.Work >= 0) || math.IsInf(r.Work, 0) {
				t.Fatalf("request %+v after %v", r, last)
			}
			last = r.At
		}
		if got != promised || math.Abs(float64(got-want)) > float64(len(clients)) {
			t.Fatalf("%d requests, %d promised, %d expected", got, promised, want)
		}
	})
}

// The draws of a model depend on seed, model and part, and not on who else is read.
func TestClientsDrawFromStreamsOfTheirOwn(t *testing.T) {
	const both = "model,client,window_start_s,rate_rps,cv\nm,a,0,1,3\nm,b,0,1,3\n"
	opt := TraceOptions{Start: traceStart, Duration: 10 * time.Minute, Arrivals: ArrivalsGamma, Models: map[string]fleet.ModelName{"m": "x"}}
	one := drain(t, mustRead(t, "model,client,window_start_s,rate_rps,cv\nm,a,0,1,3\n", opt).Source("x", 1), opt.Duration)
	all := drain(t, mustRead(t, both, opt).Source("x", 1), opt.Duration)
	if len(all) != 1200 || len(one) != 600 {
		t.Fatalf("%d and %d requests", len(all), len(one))
	}
	in := map[time.Duration]bool{}
	for _, r := range all {
		in[r.At] = true
	}
	for _, r := range one {
		if !in[r.At] {
			t.Fatalf("the request at %v is gone beside another client", r.At)
		}
	}
	if cmp.Equal(all, drain(t, mustRead(t, both, opt).Source("x", 2), opt.Duration)) {
		t.Error("another seed gives the same arrivals")
	}
}

// The work of requests is spread around that of their row.
func TestWorkIsSpreadAroundItsRow(t *testing.T) {
	opt := minutes()
	opt.Spread = WorkSpread{Kind: WorkLognormal, CV: 0.8}
	got := drain(t, mustRead(t, "time,model,requests,work\n2024-11-18T09:00,a,200000,200000\n2024-11-18T09:01,a,200000,600000\n", opt).Source("a", 1), time.Hour)
	sums, squares := [2]float64{}, 0.0
	for _, r := range got {
		sums[r.At/time.Minute] += r.Work
		if r.At < time.Minute {
			squares += r.Work * r.Work
		}
	}
	mean := sums[0] / 200_000
	if cv := math.Sqrt(squares/200_000-mean*mean) / mean; math.Abs(cv/0.8-1) > 0.03 || math.Abs(mean/0.5-1) > 0.02 || math.Abs(sums[1]/sums[0]-3) > 0.1 {
		t.Errorf("mean %.3f, cv %.3f, second minute %.3f times the first", mean, cv, sums[1]/sums[0])
	}
}

// Gaps are told where bins are missing, and closed where that is wanted.
func TestGapsStayGaps(t *testing.T) {
	const text = "timestamp,value\n2024-11-18 09:00:00,10\n2024-11-18 09:01:00,10\n2024-11-18 09:04:00,40\n2024-11-18 09:30:00,1\n"
	opt := minutes()
	opt.Step, opt.Models = 0, map[string]fleet.ModelName{AnyModel: "x"}
	trace := mustRead(t, text, opt)
	if open, filled := trace.Gaps("x"); open != (Gaps{2, 27 * time.Minute}) || filled != (Gaps{}) {
		t.Errorf("open %+v, filled %+v", open, filled)
	}
	if n, _ := trace.Requests("x"); n != 61 {
		t.Errorf("%d requests", n)
	}
	opt.Fill = 2 * time.Minute
	trace = mustRead(t, text, opt)
	if open, filled := trace.Gaps("x"); open != (Gaps{1, 25 * time.Minute}) || filled != (Gaps{1, 2 * time.Minute}) {
		t.Errorf("open %+v, filled %+v", open, filled)
	}
	if diff := cmp.Diff([]float64{10, 10, 20, 30, 40, 0}, amounts(trace.Expected("x", time.Minute)[:6])); diff != "" {
		t.Error(diff)
	}
}

func amounts(bins []Bin) []float64 {
	var out []float64
	for _, b := range bins {
		out = append(out, b.Requests)
	}
	return out
}

// Options that a recording cannot honour are refused.
func TestArrivalsThatMakeNoSense(t *testing.T) {
	const counts = "time,model,requests\n2024-11-18T09:00,a,3\n"
	for name, tt := range map[string]struct {
		opt  func(*TraceOptions)
		says string
	}{
		"gamma of unknown cv":  {func(o *TraceOptions) { o.Arrivals = ArrivalsGamma }, "give cv"},
		"gamma of requests":    {func(o *TraceOptions) { o.Arrivals, o.CV, o.Step = ArrivalsGamma, 2, 0 }, "time of its own"},
		"cv of Poisson":        {func(o *TraceOptions) { o.CV = 2 }, "only gamma"},
		"cv that is no number": {func(o *TraceOptions) { o.Arrivals, o.CV = ArrivalsGamma, math.NaN() }, "cv NaN"},
		"unknown arrivals":     {func(o *TraceOptions) { o.Arrivals = "gama" }, `did you mean "gamma"?`},
		"fill of sparse rows":  {func(o *TraceOptions) { o.Fill = time.Minute }, "had no requests"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := minutes()
			tt.opt(&opt)
			_, err := ReadTrace("t.csv", strings.NewReader(counts), opt)
			complaint(t, err, "t.csv", recording.FaultOptions, 0, tt.says)
		})
	}
}
