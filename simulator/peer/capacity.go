package peer

import (
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// server is one replica as it was measured: what a peer knows that is told of the
// profile.
type server struct {
	slots int // requests or sessions that it has in service at most
	perf  fleet.Performance
	lasts float64 // mean seconds of a session; zero where it serves requests
}

// newServer reads a profile. One without batch times serves sessions, of which each
// holds a stream for as long as its work lasts.
func newServer(m fleet.Model, p fleet.Performance) server {
	if len(p.Batch) == 0 {
		return server{slots: p.Streams, perf: p, lasts: m.Profile.MeanWork}
	}
	s := server{slots: p.MaxBatch(), perf: p}
	if p.Streams > 0 {
		s.slots = min(s.slots, p.Streams)
	}
	return s
}

// estimate is the time, in seconds, that an arrival would take to be answered that
// meets so many in service and waiting at the server: full batches for those ahead
// of it, then its own. A session is answered when it begins, and waits until one
// ends when no stream is free.
func (s server) estimate(ahead float64) float64 {
	most := float64(s.slots)
	if s.lasts > 0 {
		return math.Max(0, ahead-most+1) * s.lasts / most
	}
	full := math.Floor(ahead / most)
	own := int(ahead-full*most) + 1
	return full*s.perf.BatchSeconds(s.slots) + s.perf.BatchSeconds(own)
}

// sustained is the largest rate, in average arrivals a second, that the server was
// measured to complete in batches that take no longer than the limit, in seconds.
// Where even a lone request takes longer, it is the rate of lone requests.
func (s server) sustained(limit float64) float64 {
	if s.lasts > 0 {
		return float64(s.slots) / s.lasts
	}
	best := 1 / s.perf.BatchSeconds(1)
	for n := 2; n <= s.slots; n++ {
		if took := s.perf.BatchSeconds(n); took <= limit {
			best = math.Max(best, float64(n)/took)
		}
	}
	return best
}

// throughput is the largest rate, in average arrivals a second, that the server
// completes at all.
func (s server) throughput() float64 { return s.sustained(math.Inf(1)) }
