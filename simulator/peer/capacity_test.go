package peer

import (
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestServerOfBatches: 0.8 s for one, 2.4 for four, 4 for eight.
func TestServerOfBatches(t *testing.T) {
	s := newServer(one, one.Profile.Variants[0].Slices[0])
	for limit, want := range map[float64]float64{10: 2, 4: 2, 2.4: 4 / 2.4, 0.8: 1.25, 0.1: 1.25} {
		if got := s.sustained(limit); math.Abs(got-want) > 1e-9 {
			t.Errorf("within %g s it sustains %g a second, want %g", limit, got, want)
		}
	}
	for ahead, want := range map[float64]float64{0: 0.8, 3: 2.4, 7: 4, 8: 4.8, 20: 8 + 2.8} {
		if got := s.estimate(ahead); math.Abs(got-want) > 1e-9 {
			t.Errorf("behind %g it takes %g s, want %g", ahead, got, want)
		}
	}
	few := one.Profile.Variants[0].Slices[0]
	few.Streams = 3
	if got := newServer(one, few).slots; got != 3 {
		t.Errorf("with three streams it holds %d at once", got)
	}
}

// TestServerOfSessions: ten streams of two minutes each are one session every twelve
// seconds; one that finds a free stream does not wait.
func TestServerOfSessions(t *testing.T) {
	m := speech("live", fleet.Streaming, time.Second)
	m.Profile.MeanWork = 120
	s := newServer(m, fleet.Performance{Streams: 10})
	if s.slots != 10 || math.Abs(s.throughput()-1.0/12) > 1e-12 {
		t.Errorf("%d streams, %g sessions a second", s.slots, s.throughput())
	}
	for ahead, want := range map[float64]float64{0: 0, 9: 0, 10: 12, 12: 36} {
		if got := s.estimate(ahead); got != want {
			t.Errorf("behind %g a session waits %g s, want %g", ahead, got, want)
		}
	}
}
