package clairvoyant

import (
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// demand is a model with its traffic, and what sets of servers miss of it.
type demand struct {
	fleet.Model
	*arrivals
	servers []*server // by kind
	bins    bins
	limit   float64 // seconds from arrival to answer that are planned for
	warm    float64 // seconds before a bin from which its arrivals are replayed
	opens   float64 // seconds after the start at which the first servers are ready
	missed  map[mix][]float32
}

// unknown marks what was not replayed yet.
var unknown = float32(math.NaN())

// misses is how many requests are late because a bin has such servers: those that
// came in it, and those that came in the next until the first that is in time again.
func (d *demand) misses(bin int, m mix) float64 {
	list := d.missed[m]
	if list == nil {
		list = make([]float32, d.bins.n)
		for i := range list {
			list[i] = unknown
		}
		d.missed[m] = list
	}
	if list[bin] != list[bin] {
		list[bin] = float32(d.replay(bin, m))
	}
	return float64(list[bin])
}

// all is what a mix misses in every bin.
func (d *demand) all(m mix) []float32 {
	for bin := range d.bins.n {
		d.misses(bin, m)
	}
	return d.missed[m]
}

// replay counts misses.
func (d *demand) replay(bin int, m mix) float64 {
	first, end := d.first[bin], d.first[bin+1]
	if first == end {
		return 0
	}
	if m.count() == 0 {
		return 2 * float64(end-first)
	}
	from := d.at[first] - d.warm
	opens := 0.0
	if bin == 0 {
		opens, from = d.opens, 0
	} else {
		from = math.Max(from, d.bins.at(bin).Seconds()-d.warm)
	}
	start := first
	for start > 0 && d.at[start-1] >= from {
		start--
	}
	r := run{demand: d, first: first, closes: d.bins.at(bin + 1).Seconds()}
	for kind, n := range m {
		for range n {
			r.lines = append(r.lines, line{server: d.servers[kind], free: opens})
		}
	}
	last := d.first[min(bin+2, d.bins.n)]
	if d.Profile.Queue == fleet.CentralQueue {
		r.central(start, end, last)
	} else {
		r.leastLoad(start, end, last)
	}
	return r.late
}

// run is one replay.
type run struct {
	*demand
	first  int     // request that counts
	closes float64 // end of the bin
	clears bool    // somebody who came after the bin was in time again
	late   float64
	lines  []line
}

// line is a server at work.
type line struct {
	*server
	free    float64 // when it has done what it works on
	batch   int     // that it works on
	waiting []int
}

// done counts a request that is answered.
func (r *run) done(i int, at float64) {
	if i < r.first {
		return
	}
	after := r.at[i] >= r.closes
	switch {
	case at-r.at[i] > r.limit && (!after || !r.clears):
		r.late++
	case after:
		r.clears = true
	}
}

// central lets all servers take from one queue whatever waits, the fastest idle one
// first.
func (r *run) central(head, end, last int) {
	for head < last && (head < end || !r.clears) {
		at, start := r.at[head], math.Inf(1)
		best := -1
		for i := range r.lines {
			begins := math.Max(at, r.lines[i].free)
			if begins < start || begins == start && r.lines[i].pace < r.lines[best].pace {
				best, start = i, begins
			}
		}
		s := &r.lines[best]
		n, work := 0, 0.0
		for head+n < last && n < len(s.perBatch) && r.at[head+n] <= start {
			work += float64(r.work[head+n])
			n++
		}
		s.free = start + s.perBatch[n-1]*work/float64(n)
		for i := head; i < head+n; i++ {
			r.done(i, s.free)
		}
		head += n
	}
}

// leastLoad gives each request to the server with the least work ahead.
func (r *run) leastLoad(start, end, last int) {
	for i := start; i < last && (i < end || !r.clears); i++ {
		at := r.at[i]
		best, least := -1, 0.0
		for j := range r.lines {
			s := &r.lines[j]
			r.catchUp(s, at)
			ahead := float64(len(s.waiting)+s.batch) * s.pace
			if best < 0 || ahead < least || ahead == least && s.pace < r.lines[best].pace {
				best, least = j, ahead
			}
		}
		s := &r.lines[best]
		s.waiting = append(s.waiting, i)
		if s.batch == 0 && s.free <= at {
			r.serve(s, at)
		}
	}
	for j := range r.lines {
		r.catchUp(&r.lines[j], math.Inf(1))
	}
}

// catchUp lets a server do what it does up to a time.
func (r *run) catchUp(s *line, until float64) {
	for s.free <= until && (s.batch > 0 || len(s.waiting) > 0) {
		s.batch = 0
		if len(s.waiting) == 0 {
			return
		}
		r.serve(s, s.free)
	}
}

// serve begins a batch.
func (r *run) serve(s *line, at float64) {
	n := min(len(s.perBatch), len(s.waiting))
	work := 0.0
	for _, i := range s.waiting[:n] {
		work += float64(r.work[i])
	}
	s.batch, s.free = n, at+s.perBatch[n-1]*work/float64(n)
	for _, i := range s.waiting[:n] {
		r.done(i, s.free)
	}
	s.waiting = s.waiting[n:]
}
