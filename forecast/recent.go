package forecast

import "math"

// spikeFactor is how far above the median of its neighbours and above the
// profile one bin may stand and still be believed. Three bins in a row are
// believed at any height, because they then are the median.
const (
	spikeFactor = 10.0
	spikeEvents = 100.0 // and so many events on top, for series that are mostly zero
)

// unknown marks what was not observed.
var unknown = float32(math.NaN())

// recent is a ring of the last bins: what came and what the profile had
// expected before it came. NaN is unknown in both.
type recent struct {
	values, expected []float32
	newest           int64 // bin of the newest entry
	filled           bool  // whether any bin was ever pushed
}

func newRecent(size int) recent {
	r := recent{values: make([]float32, size), expected: make([]float32, size)}
	r.clear()
	return r
}

func (r *recent) clear() {
	for i := range r.values {
		r.values[i], r.expected[i] = unknown, unknown
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
			r.values[i], r.expected[i] = unknown, unknown
		}
	}
	r.newest = bin
	i := r.index(bin)
	r.values[i], r.expected[i] = float32(value), float32(expected)
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
	return float64(r.values[r.index(bin)])
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
