package bound

import (
	"container/heap"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// sessions is what the sessions of a model ask for. One that came at a and lasts d
// begins by a + wait, or never, and runs without a break; so if all of it runs, it
// runs from a + wait to a + d for sure, whenever it began.
type sessions struct {
	calendar
	mean    float64       // seconds of a session of work 1
	wait    time.Duration // by which one may begin late
	asked   float64       // seconds that could run by the end
	slack   float64       // seconds by which sums of times may be rounded
	missed  float64       // seconds that were asked for and did not run in real time, at most
	highest int           // sessions that run for sure at once

	now    time.Duration
	come   queue[stretch] // whose sure time has not begun
	ends   instants       // of those that run for sure
	minute []float64      // seconds of the present bin by how many run for sure
	spells []spell        // by bin, and by how many run
	passes []int          // sessions that fill bins, as differences from bin to bin
}

// stretch is a span of time.
type stretch struct{ from, to time.Duration }

// spell is the time of a bin in which so many sessions run for sure, in seconds.
type spell struct {
	bin, running int
	seconds      float64
}

// longest bounds a session: the world ends them after a year.
const longest = 365 * 24 * time.Hour

func newSessions(m fleet.Model, c calendar) *sessions {
	s := &sessions{calendar: c, mean: m.Profile.MeanWork, wait: m.SLO.Limit, minute: []float64{0}, passes: make([]int, c.bins+1)}
	if m.Profile.WhenFull == fleet.FullRefuses {
		s.wait = 0
	}
	return s
}

// add takes in one session, and answers when it runs if it does not wait.
func (s *sessions) add(r traffic.Request) stretch {
	lasts := time.Duration(min(max(r.Work*s.mean*1e9, 1), float64(longest)))
	s.asked += min(lasts, s.duration-r.At).Seconds()
	s.slack += 1e-9 * lasts.Seconds()
	s.advance(r.At)
	if lasts > s.wait {
		s.come.push(stretch{r.At + s.wait, r.At + lasts})
	}
	return stretch{r.At, min(r.At+lasts, s.duration)}
}

// flush lets the rest of the run pass.
func (s *sessions) flush() {
	s.advance(s.duration)
	s.pass(s.duration)
	s.close()
}

// advance lets sessions begin and end up to an instant: those that come from now on
// do neither before.
func (s *sessions) advance(to time.Duration) {
	for {
		switch {
		case len(s.ends) > 0 && s.ends[0] <= to && (s.come.n == 0 || s.ends[0] <= s.come.first().from):
			s.pass(s.ends[0])
			heap.Pop(&s.ends)
		case s.come.n > 0 && s.come.first().from <= to:
			s.pass(s.come.first().from)
			heap.Push(&s.ends, s.come.first().to)
			s.come.pop()
			s.highest = max(s.highest, len(s.ends))
		default:
			return
		}
	}
}

// pass counts the time until an instant, in which as many run as do now.
func (s *sessions) pass(until time.Duration) {
	until = min(until, s.duration)
	for s.now < until {
		end := min(until, s.now.Truncate(s.step)+s.step)
		for len(s.minute) <= len(s.ends) {
			s.minute = append(s.minute, 0)
		}
		s.minute[len(s.ends)] += (end - s.now).Seconds()
		if end%s.step == 0 {
			s.close()
		}
		s.now = end
	}
}

// close ends the present bin.
func (s *sessions) close() {
	bin := int(s.now / s.step)
	for running, seconds := range s.minute {
		if running > 0 && seconds > 0 {
			s.spells = append(s.spells, spell{bin, running, seconds})
		}
	}
	clear(s.minute)
}

// instants is a heap of them, the earliest first.
type instants []time.Duration

func (h instants) Len() int           { return len(h) }
func (h instants) Less(i, j int) bool { return h[i] < h[j] }
func (h instants) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *instants) Push(x any)        { *h = append(*h, x.(time.Duration)) }
func (h *instants) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// stream counts the seconds of a session as work that comes while it runs, if it
// does not wait: each is done so much later as the session began late.
func (d *demand) stream(run stretch) {
	first, last := int(run.from/d.step), int(run.to/d.step)
	if first == last {
		d.part(first, run.from, run.to)
		return
	}
	d.part(first, run.from, time.Duration(first+1)*d.step)
	d.live.passes[first+1]++
	d.live.passes[last]--
	if end := time.Duration(last) * d.step; end < run.to {
		d.part(last, end, run.to)
	}
}

// part counts the work of a session in one bin.
func (d *demand) part(bin int, from, to time.Duration) {
	at, further := d.split(bin, from, to)
	d.work[0][len(crowds)-1][bin] += at
	d.work[1][len(crowds)-1][bin] += further
}

// split divides a span of a bin, in seconds, into work that reaches no further than
// any of its bin does, and work that reaches one bin further.
func (d *demand) split(bin int, from, to time.Duration) (at, further float64) {
	turn := time.Duration(bin+1)*d.step - d.rest
	if bin+d.reach >= d.bins-1 {
		turn = to
	}
	turn = min(max(turn, from), to)
	return (turn - from).Seconds(), (to - turn).Seconds()
}

// endStreams counts the bins that sessions fill.
func (d *demand) endStreams() {
	d.live.flush()
	passing := 0
	for i := range d.bins {
		passing += d.live.passes[i]
		at, further := d.split(i, time.Duration(i)*d.step, min(time.Duration(i+1)*d.step, d.duration))
		d.work[0][len(crowds)-1][i] += float64(passing) * at
		d.work[1][len(crowds)-1][i] += float64(passing) * further
	}
}
