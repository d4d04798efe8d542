package traffic

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata" // so that the tests do not depend on the machine's zones

	"github.com/tessera-autoscaler/tessera/fleet"
)

// monday is the start of most tests: a working week in winter.
var monday = time.Date(2024, time.November, 18, 0, 0, 0, 0, time.UTC)

func mustGenerate(t testing.TB, g Generated, start time.Time, duration time.Duration, seed uint64) Source {
	t.Helper()
	s, err := NewGenerated(g, start, duration, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drain takes all requests and checks what every source promises.
func drain(t testing.TB, s Source, duration time.Duration) []Request {
	t.Helper()
	var all []Request
	last := time.Duration(0)
	for {
		r, ok := s.Next()
		if !ok {
			break
		}
		if r.At < last || r.At >= duration {
			t.Fatalf("request %d at %v, after one at %v, in a window of %v", len(all), r.At, last, duration)
		}
		if !(r.Work >= 0) || math.IsInf(r.Work, 0) {
			t.Fatalf("request %d has work %v", len(all), r.Work)
		}
		last = r.At
		all = append(all, r)
	}
	if _, again := s.Next(); again {
		t.Fatal("the source goes on after its end")
	}
	return all
}

func total(bins []Bin) float64 {
	sum := 0.0
	for _, b := range bins {
		sum += b.Requests
	}
	return sum
}

// counts bins requests.
func counts(requests []Request, duration, step time.Duration) []float64 {
	n := make([]float64, (duration+step-1)/step)
	for _, r := range requests {
		n[r.At/step]++
	}
	return n
}

// within fails where got is further than sigmas standard deviations of a Poisson
// number from its mean. Seeds are fixed, so a test that passes always passes.
func within(t testing.TB, what string, got, mean, sigmas float64) {
	t.Helper()
	if math.Abs(got-mean) > sigmas*math.Sqrt(mean) {
		t.Errorf("%s: got %.0f, expected %.1f within %.1f", what, got, mean, sigmas*math.Sqrt(mean))
	}
}

func office(model fleet.ModelName, peak float64) Generated {
	return Generated{Model: model, Shape: ShapeOfficeHours, Zone: "Europe/Paris", Peak: peak}
}
