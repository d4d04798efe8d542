package fleet

import (
	"fmt"
	"math"
)

// Serving is what the servers of a profile work on.
type Serving string

// The two kinds of work. A request is one piece of work that a server answers, in
// batches. A session is a stream of media in real time: it holds one of a server's
// streams from its beginning to its end, and its work is how many seconds it lasts.
const (
	ServesRequests Serving = "requests" // also what a profile without a word serves
	ServesSessions Serving = "sessions"
)

// Full is what becomes of a session that finds no free stream.
type Full string

// It waits for one, up to the latency of its class, and is then refused; or it is
// refused at once, as where callers try elsewhere.
const (
	FullWaits   Full = "wait"
	FullRefuses Full = "refuse"
)

// Sessions tells whether the profile serves sessions.
func (p PerformanceProfile) Sessions() bool { return p.Serves == ServesSessions }

// Check tells what is wrong with the figures of one of the profile's slices, naming
// the field.
func (p PerformanceProfile) Check(perf Performance) error {
	if p.Sessions() {
		return perf.validateSessions()
	}
	return perf.Validate()
}

// RealTime is how many sessions the server holds in real time at once: all its
// streams while the rest of its GPU is idle, and fewer beside busy neighbours, who
// make each take 1 + Interference times as long.
func (p Performance) RealTime(busyNeighbours bool) int {
	if !busyNeighbours {
		return p.Streams
	}
	return int(math.Floor(float64(p.Streams)/(1+p.Interference) + 1e-9))
}

// validateSessions tells what is wrong with the figures of a server of sessions.
// Batch times have no effect on them, and need not be given.
func (p Performance) validateSessions() error {
	if p.Streams < 1 {
		return fmt.Errorf("streams = %d: a profile of sessions says how many a server holds in real time at once, one or more", p.Streams)
	}
	err := p.validateNeeds()
	if len(p.Batch)+len(p.Seconds) > 0 {
		err = p.Validate()
	}
	if err != nil {
		return err
	}
	if p.RealTime(true) < 1 {
		return fmt.Errorf("streams = %d with an interference of %v: beside busy neighbours not one session runs in real time; give more streams, or a slice without neighbours", p.Streams, p.Interference)
	}
	return nil
}
