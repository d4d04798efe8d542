package forecast

import "math"

// ring remembers the newest values of a row by their numbers, ascending; those that were
// left out are NaN.
type ring struct {
	values []float32 // by number, modulo how many there are
	newest int64
}

func newRing(n int) ring { return ring{values: unknowns(n), newest: math.MinInt64} }

// set takes the value of the newest number, or of a later one.
func (r *ring) set(i int64, v float64) {
	for k := max(r.newest+1, i-int64(len(r.values))+1); k < i; k++ {
		r.values[r.index(k)] = unknown
	}
	r.values[r.index(i)], r.newest = float32(v), i
}

// at is a value, NaN if none is remembered.
func (r *ring) at(i int64) float64 {
	if i > r.newest || i <= r.newest-int64(len(r.values)) {
		return math.NaN()
	}
	return float64(r.values[r.index(i)])
}

func (r *ring) index(i int64) int64 {
	n := int64(len(r.values))
	return i - floorDiv(i, n)*n
}

// floorDiv divides rounding down, for times before the epoch too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
