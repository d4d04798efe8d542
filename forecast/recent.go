package forecast

import "math"

// spikeFactor is how far above the median of its neighbours and above the
// profile one bin may stand and still be believed. Three bins in a row are
// believed at any height, because they then are the median.
const (
	spikeFactor = 10.0
	spikeEvents = 100.0 // and so many events on top, for series that are mostly zero
)

// recent is a ring of the last bins: what came and what the profile had
// expected before it came. NaN is unknown in both.
type recent struct {
	values, expected []float64
	newest           int64 // bin of the newest entry
	filled           bool  // whether any bin was ever pushed
}

func newRecent(size int) recent {
	r := recent{values: make([]float64, size), expected: make([]float64, size)}
	r.clear()
	return r
}

func (r *recent) clear() {
	for i := range r.values {
		r.values[i], r.expected[i] = math.NaN(), math.NaN()
	}
}

// push moves on to a bin. Bins that were skipped stay unknown.
func (r *recent) push(bin int64, value, expected float64) {
	if !r.filled {
		r.newest, r.filled = bin-1, true
	}
	if bin-r.newest > int64(len(r.values)) {
		r.clear()
	} else {
		for b := r.newest + 1; b < bin; b++ {
			i := r.index(b)
			r.values[i], r.expected[i] = math.NaN(), math.NaN()
		}
	}
	r.newest = bin
	i := r.index(bin)
	r.values[i], r.expected[i] = value, expected
}

// index is only asked for bins inside the ring.
func (r *recent) index(bin int64) int {
	i := int(bin % int64(len(r.values)))
	if i < 0 {
		i += len(r.values)
	}
	return i
}

// value returns a bin's value, NaN where it is unknown or no longer held.
func (r *recent) value(bin int64) float64 {
	if bin > r.newest || bin <= r.newest-int64(len(r.values)) {
		return math.NaN()
	}
	return r.values[r.index(bin)]
}

// believable returns the highest value that a bin may be taken at, given the
// lower median of the known among five bins that end at last.
func (r *recent) believable(last int64, expected, event float64) float64 {
	var held [5]float64
	n := 0
	for b := last; b > last-int64(len(held)); b-- {
		v := r.value(b)
		if math.IsNaN(v) {
			continue
		}
		i := n
		for ; i > 0 && held[i-1] > v; i-- {
			held[i] = held[i-1]
		}
		held[i] = v
		n++
	}
	middle := 0.0
	if n > 0 {
		middle = held[(n-1)/2]
	}
	if expected > middle { // false for NaN
		middle = expected
	}
	return spikeFactor*middle + spikeEvents*event
}

// present is the state of a series as of its newest known bin.
type present struct {
	bin          int64
	known        bool    // whether any bin was ever known
	last         float64 // the newest bin, freed of the minute of the hour
	fast, slow   float64 // the same over ten minutes and an hour
	fastR, slowR float64 // rate over what the profile expected in the same times, within [1/3, 3]
	standIn      bool    // what was expected came from other kinds of day
	disproved    bool    // the last minutes are beyond what a ratio may carry
}

const maxRatio = 3.0

// window sums the last bins.
type window struct{ level, expected, matched, n float64 }

// presentAt reads the level and ratios at the newest bin, which must be known.
// Quiet is the rate that the sums are drawn to the profile with.
func (r *recent) presentAt(c *calendar, p *profile, fastBins, slowBins int64, event, quiet float64) present {
	var w, fast, last window
	top := r.believable(r.newest, math.NaN(), event)
	pl := c.place(r.newest)
	perPulse := max(1, c.width/c.step)
	within := r.newest * c.step % c.width / c.step // bins into the slot
	pulse := int64(pl.pulse)*perPulse + within
	pulses := int64(len(p.pulse.factor)) * perPulse
	for k := range slowBins {
		if k == fastBins {
			fast = w
		}
		if k == 1 {
			last = w
		}
		i := r.index(r.newest - k)
		v, e := r.values[i], r.expected[i]
		if !math.IsNaN(v) {
			v = min(v, max(top, spikeFactor*nanToZero(e)))
			w.level += v / p.pulse.factor[pulse/perPulse]
			w.n++
			if !math.IsNaN(e) {
				w.matched += v
				w.expected += e
			}
		}
		if pulse--; pulse < 0 {
			pulse = pulses - 1
		}
	}
	if fastBins >= slowBins {
		fast = w
	}
	if slowBins == 1 {
		last = w
	}
	fastR := fast.ratio(quiet)
	return present{
		bin: r.newest, known: true,
		last: last.level, fast: fast.level / fast.n, slow: w.level / w.n,
		fastR: clipRatio(fastR), slowR: clipRatio(w.ratio(quiet)),
		disproved: fastR != clipRatio(fastR),
	}
}

// ratio is what came over what was expected, drawn to 1 by quiet.
func (w window) ratio(quiet float64) float64 {
	if w.expected+quiet <= 0 {
		return 1
	}
	return (w.matched + quiet) / (w.expected + quiet)
}

func clipRatio(r float64) float64 { return min(max(r, 1/maxRatio), maxRatio) }

func nanToZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
