package emitter

import (
	"time"
)

// request is one piece of work that waits.
type request struct {
	arrived time.Time
	free    time.Time // since when it may be begun; later than arrived if it was delivered again
}

// work is a request that a server runs.
type work struct {
	request
	finish time.Time
}

// server is the program that a pod would run.
type server struct {
	key, uid        string // key is namespace/name of the pod
	namespace, name string
	node, kind      string
	device          Device
	speed           Speed
	stream          time.Duration // length of a session, zero for requests

	born     time.Time // when its pod was first ready
	since    time.Time // since when it takes work without a pause
	next     time.Time // when it can begin another request
	taking   bool      // takes new work
	present  bool      // its pod is there, and so are its metrics
	stopping bool      // was asked to stop
	deadline time.Time // when what it runs is cut, if stopping

	running []work // by finish

	served     int
	executions int // batches: requests begun at the same step
	queued     time.Duration
	total      time.Duration
	latency    histogram
}

// available is when the server can begin another piece of work, whatever waits.
func (s *server) available() time.Time {
	at := s.next
	if s.stream > 0 {
		at = s.since
		if full := len(s.running) - s.speed.Streams; full >= 0 {
			at = s.running[full].finish
		}
	}
	return later(at, s.since)
}

// begin takes a request at a time not before available. Sessions and requests of one
// server last equally long, so running stays sorted.
func (s *server) begin(r request, at time.Time) {
	lasts := s.stream
	if lasts == 0 {
		lasts = s.speed.Latency
		s.next = at.Add(time.Duration(float64(time.Second) / s.speed.PerSecond))
	}
	s.queued += at.Sub(later(r.arrived, s.born))
	s.running = append(s.running, work{r, at.Add(lasts)})
}

// finish takes out what has ended by a time.
func (s *server) finish(by time.Time) []work {
	n := 0
	for n < len(s.running) && !s.running[n].finish.After(by) {
		n++
	}
	done := s.running[:n]
	s.running = s.running[n:]
	for _, w := range done {
		took := w.finish.Sub(later(w.arrived, s.born))
		s.served++
		s.total += took
		s.latency.observe(took)
	}
	return done
}

// busy is the share of the slice that works, 0 to 1.
func (s *server) busy() float64 {
	slots := float64(s.speed.Streams)
	if s.stream == 0 {
		slots = max(1, s.speed.PerSecond*s.speed.Latency.Seconds())
	}
	return min(1, float64(len(s.running))/slots)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
