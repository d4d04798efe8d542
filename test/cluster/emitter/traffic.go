package emitter

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// traffic is one model with its queue, its servers and what became of its requests.
type traffic struct {
	Model
	random  *rand.Rand
	rate    Rate
	waiting []request // by free, then by arrival
	servers []*server // by key; those that drain after their pod went are among them

	arrived     int
	cut         int
	redelivered int
	delays      []time.Duration // of what was served: what the SLO is about
	late        int
	latency     histogram // as the gateway sees it
}

// advance lets traffic flow from one time to another.
func (t *traffic) advance(from, to time.Time) {
	t.arrive(poisson(t.expected(from)*to.Sub(from).Seconds(), t.random), from, to)
	t.dispatch(to)
	t.finish(to)
}

// expected asks for the rate and refuses what is no rate.
func (t *traffic) expected(at time.Time) float64 {
	if t.rate == nil {
		return 0
	}
	rate := t.rate(t.Name, at)
	if !(rate >= 0) || math.IsInf(rate, 0) {
		panic(fmt.Sprintf("emitter: the rate of %s at %s is %v: give a finite number of requests a second, zero or more", t.Name, at.Format(time.RFC3339), rate))
	}
	return rate
}

// arrive adds n requests at random instants between two times.
func (t *traffic) arrive(n int, from, to time.Time) {
	first := len(t.waiting)
	for range n {
		at := from.Add(time.Duration(t.random.Float64() * float64(to.Sub(from))))
		t.waiting = append(t.waiting, request{at, at})
	}
	slices.SortFunc(t.waiting[first:], func(a, b request) int { return a.arrived.Compare(b.arrived) })
	t.arrived += n
}

// dispatch gives the requests, oldest first, each to the server that can begin it
// first, as far as that is not after a time.
func (t *traffic) dispatch(by time.Time) {
	begun := map[*server]bool{}
	n := 0
	for ; n < len(t.waiting); n++ {
		s, at := t.first(t.waiting[n])
		if s == nil || at.After(by) {
			break
		}
		s.begin(t.waiting[n], at)
		begun[s] = true
	}
	t.waiting = t.waiting[n:]
	for s := range begun {
		s.executions++
	}
}

// first is the server that can begin a request first; of several, the one that runs
// least, and then the one that has rested longest.
func (t *traffic) first(r request) (*server, time.Time) {
	var best *server
	var when time.Time
	for _, s := range t.servers {
		if !s.taking {
			continue
		}
		at := later(s.available(), r.free)
		if best == nil || cmp.Or(at.Compare(when), cmp.Compare(len(s.running), len(best.running)), s.next.Compare(best.next)) < 0 {
			best, when = s, at
		}
	}
	return best, when
}

// finish counts what ended by a time, cuts what outlived the grace of its pod, and
// forgets servers that are gone.
func (t *traffic) finish(by time.Time) {
	gone := func(s *server) bool {
		end := by
		if s.stopping && s.deadline.Before(by) {
			end = s.deadline
		}
		for _, w := range s.finish(end) {
			t.count(w)
		}
		if s.stopping && !s.deadline.After(by) {
			t.interrupt(s, by)
		}
		return !s.present && len(s.running) == 0
	}
	t.servers = slices.DeleteFunc(t.servers, gone)
}

// count books a served request.
func (t *traffic) count(w work) {
	delay := w.finish.Sub(w.arrived)
	t.latency.observe(delay)
	delay -= t.Stream
	t.delays = append(t.delays, delay)
	if delay > t.SLO {
		t.late++
	}
}

// interrupt ends what a server runs: it is cut, or delivered again if it came from
// Kafka, where it was not committed.
func (t *traffic) interrupt(s *server, at time.Time) {
	if !t.asynchronous() {
		t.cut += len(s.running)
		s.running = nil
		return
	}
	t.redelivered += len(s.running)
	for _, w := range s.running {
		t.waiting = append(t.waiting, request{w.arrived, at})
	}
	s.running = nil
	slices.SortStableFunc(t.waiting, func(a, b request) int { return a.arrived.Compare(b.arrived) })
}

// running counts what is in service.
func (t *traffic) running() int {
	n := 0
	for _, s := range t.servers {
		n += len(s.running)
	}
	return n
}

// share is how many of the waiting requests lie at a server: they are spread over
// those that take work. Consumers of Kafka fetch only what they begin.
func (t *traffic) share(s *server) int {
	if !s.taking || t.asynchronous() {
		return 0
	}
	taking := slices.DeleteFunc(slices.Clone(t.servers), func(s *server) bool { return !s.taking })
	i, n := slices.Index(taking, s), len(taking)
	return (len(t.waiting) + n - 1 - i) / n
}
