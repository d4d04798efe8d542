package scenario

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// counts plays traffic that never ends and counts it by bins of a step, for so
// many bins.
func counts(t *testing.T, s *Scenario, seed uint64, step time.Duration, bins int) []float64 {
	t.Helper()
	source := s.forever(seed)(s.feeds[0], s.feeds[0].models[0])
	out := make([]float64, bins)
	last := time.Duration(-1)
	for {
		r, ok := source.Next()
		if !ok {
			t.Fatalf("it ended after %v", last)
		}
		if r.At < last {
			t.Fatalf("%v after %v", r.At, last)
		}
		last = r.At
		if i := int(r.At / step); i < bins {
			out[i]++
		} else {
			return out
		}
	}
}
var _ = math.Abs
var _ = strings.Cut
var _ traffic.Source
