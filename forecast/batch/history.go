package batch

import (
	"math"
	"slices"
)

// largest is the greatest magnitude that is believed to be a measurement. It
// leaves room for squares and sums.
const largest = 1e15

const (
	// A value is a spike when it lies farther from the median than spikeTimes the
	// farthest of the other values, one in spikeShare and three at least set aside.
	spikeTimes = 20
	spikeShare = 100
	spikeLeast = 3
	// aloneTimes replaces the comparison where the other values are all the same.
	aloneTimes = 1e6
)

// history is a series without gaps.
type history struct {
	x        []float64 // never empty, finite
	gaps     int       // how many of them were filled
	min, max float64
	scale    scale // in which the experts of ratios work
}

// clean takes the newest values that are read, fills their gaps, and says
// whether there is any value at all.
func clean(values []float64, s seasons) (*history, bool) {
	values = values[max(0, len(values)-s.reach()):]
	x := slices.Clone(values)
	for i, v := range x {
		if math.IsInf(v, 0) || math.Abs(v) > largest {
			x[i] = math.NaN()
		}
	}
	dropSpikes(x)
	for len(x) > 0 && math.IsNaN(x[0]) {
		x = x[1:]
	}
	if len(x) == 0 {
		return nil, false
	}
	h := &history{x: x, gaps: fill(x, s.short)}
	h.min, h.max = slices.Min(x), slices.Max(x)
	h.scale = scaleOf(h)
	return h, true
}

// dropSpikes turns spikes into gaps. A run of three that still stands at the
// end is a new level, not a spike.
func dropSpikes(x []float64) {
	known := make([]float64, 0, len(x))
	for _, v := range x {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	aside := max(spikeLeast, len(known)/spikeShare)
	if len(known) < 4*aside {
		return
	}
	slices.Sort(known)
	median := known[len(known)/2]
	for i, v := range known {
		known[i] = math.Abs(v - median)
	}
	slices.Sort(known)
	limit := spikeTimes * known[len(known)-1-aside]
	if limit == 0 {
		limit = aloneTimes * (1 + math.Abs(median))
	}
	isSpike := func(v float64) bool { return math.Abs(v-median) > limit } // false for a gap
	end := len(x)
	for end > 0 && isSpike(x[end-1]) {
		end--
	}
	if len(x)-end < spikeLeast {
		end = len(x)
	}
	for i, v := range x[:end] {
		if isSpike(v) {
			x[i] = math.NaN()
		}
	}
}

// fill replaces gaps and says how many. x begins with a number. A gap shorter
// than an eighth of the season is bridged by a line. A longer one repeats the
// season before it, or the one after it where there is none before.
func fill(x []float64, season int) int {
	filled := 0
	for i := 0; i < len(x); i++ {
		if !math.IsNaN(x[i]) {
			continue
		}
		end := i
		for end < len(x) && math.IsNaN(x[end]) {
			end++
		}
		filled += end - i
		bridge(x, i, end, season)
		i = end
	}
	return filled
}

// bridge fills x[from:to]. The value before it is known.
func bridge(x []float64, from, to, season int) {
	before, after := x[from-1], x[from-1]
	if to < len(x) {
		after = x[to]
	}
	short := season == 0 || to-from <= season/8
	for i := from; i < to; i++ {
		switch {
		case !short && i >= season:
			x[i] = x[i-season]
		case !short && i+season < len(x) && !math.IsNaN(x[i+season]):
			x[i] = x[i+season]
		default:
			x[i] = before + (after-before)*float64(i-from+1)/float64(to-from+1)
		}
	}
}
