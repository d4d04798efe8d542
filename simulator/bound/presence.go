package bound

import (
	"math"
	"slices"
	"time"
)

// presence is the time in which a model must hold a slice at least, whether it
// does anything or not: a replica that serves somebody at c began to load no
// later than one load before, so it held its slice all that while. Somebody who
// came at a is served by a + limit; so a slice is held from a + limit - load to a.
type presence struct {
	ahead   time.Duration // by which a slice is held before each arrival: the load less the limit
	until   time.Duration // what has been counted
	seconds []float64     // by bin
	fast    float64       // seconds by which loads can be shorter in all
}

// fastShare is how much of the run's time fast loads may take off: it decides
// which load is counted on.
const fastShare = 0.003

// newPresence chooses the load that is counted on, from the first loads of the
// model in seconds; always is the load of any further one. Nil where holding a
// slice says nothing.
func newPresence(loads []float64, always float64, limit time.Duration, c calendar) *presence {
	load := always
	if len(loads) > 0 {
		// The greatest load of which all together are short by no more than a share
		// of the run: loads below it pay the difference.
		sorted := slices.Sorted(slices.Values(loads))
		rest, load0 := fastShare*c.duration.Seconds(), sorted[0]
		for i := 1; i < len(sorted) && rest > 0; i++ {
			rise := min(sorted[i]-load0, rest/float64(i))
			load0 += rise
			rest -= rise * float64(i)
		}
		load = max(load, load0)
	}
	ahead := time.Duration(math.Floor(load*1e9)) - limit
	if ahead <= 0 {
		return nil
	}
	p := &presence{ahead: ahead, seconds: make([]float64, c.bins)}
	for _, x := range loads {
		p.fast += max(0, load-x)
	}
	return p
}

// add counts the time before an arrival.
func (p *presence) add(at time.Duration, c calendar) {
	from := max(p.until, at-p.ahead)
	for from < at {
		bin := int(from / c.step)
		to := min(at, time.Duration(bin+1)*c.step)
		p.seconds[bin] += (to - from).Seconds()
		from = to
	}
	p.until = at
}

// excused is the most time that skipping some requests, and fast loads, take off.
func (p *presence) excused(skipped int64) float64 {
	return float64(skipped)*p.ahead.Seconds() + p.fast
}

// loads are the first loads of the model on whatever slice is fastest, and the
// load that no further one is shorter than.
func (d *demand) loads(s *shop, scores []float64) (first []float64, always float64) {
	first = slices.Repeat([]float64{math.Inf(1)}, len(scores))
	always = math.Inf(1)
	for _, v := range d.Candidates() {
		for k := range s.kinds {
			perf, ok := s.on(v, k)
			if !ok {
				continue
			}
			if fixed := perf.Load.P50; perf.Load.P95 <= fixed {
				always = min(always, fixed.Seconds())
			} else {
				always = 0
			}
			for i, z := range scores {
				first[i] = min(first[i], perf.Load.At(z).Seconds())
			}
		}
	}
	if math.IsInf(always, 1) {
		return nil, 0
	}
	return first, always
}
