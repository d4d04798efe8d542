package policy

import (
	"math"
	"testing"
)

func TestDecayIsTheRootOfItsEquation(t *testing.T) {
	for _, load := range []float64{1e-6, 0.01, 0.3, 0.6, 0.9, 0.999, 1 - 1e-9} {
		if got := decay(load, 1); math.Abs(got-load) > 1e-6*load {
			t.Errorf("exponential work at load %v: %v", load, got)
		}
		for _, cv2 := range []float64{0, 0.01, 0.25, 4, 100} {
			got := decay(load, cv2)
			if !(got > 0 && got < 1) {
				t.Errorf("load %v, variation %v: %v", load, cv2, got)
				continue
			}
			if cv2 < 1 && got > load*(1+1e-9) || cv2 > 1 && got < load*(1-1e-9) {
				t.Errorf("load %v, variation %v: %v is on the wrong side of the load", load, cv2, got)
			}
			z := 1 / got
			service := math.Exp(load * (z - 1))
			if cv2 > 0 {
				service = math.Pow(1+load*cv2*(1-z), -1/cv2)
			}
			if 1+load*cv2*(1-z) < 1e-6 {
				continue // so near the pole that S tells nothing
			}
			if math.Abs(service-z) > 1e-5*z {
				t.Errorf("load %v, variation %v: z = %v, S = %v", load, cv2, z, service)
			}
		}
	}
}

func TestWaitsOfKnownLaws(t *testing.T) {
	for _, c := range []struct {
		story                  string
		t, vary, servers, want float64
		ahead                  float64
	}{
		{"the rest of one constant batch is uniform", 0.75, 0, 1, 0.25, 0},
		{"the first of four is the least of four uniform times", 0.5, 0, 4, 0.0625, 0},
		{"two batches ahead of one server", 2.75, 0, 1, 0.25, 2},
		{"two batches ahead of four servers take half a batch", 0.5, 0, 4, 1, 2},
		{"exponential batches forget", 1, 1, 2, math.Exp(-2), 0},
		{"two exponential batches in a row", 1, 1, 1, 2 * math.Exp(-1), 1},
		{"half the variation, half the way", 0.75, 0.5, 1, (0.25 + math.Exp(-0.75)) / 2, 0},
		{"work that varies more waits longer", 2, 3, 1, math.Exp(-1), 0},
		{"no time has passed", 0, 0.3, 3, 1, 0},
		{"less than none", -1, 0, 1, 1, 0},
	} {
		if got := waits(c.t, 1, c.vary, c.servers, c.ahead); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.story, got, c.want)
		}
	}
}
