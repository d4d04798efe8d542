package emitter

import (
	"slices"
	"time"
)

// histogram is a classic one: counts[i] observations were at most bounds[i] seconds
// and above the bound before.
type histogram struct {
	bounds []float64
	counts []uint64
	above  uint64
	sum    float64 // seconds
}

func newHistogram(bounds []float64) histogram {
	return histogram{bounds: bounds, counts: make([]uint64, len(bounds))}
}

func (h *histogram) observe(d time.Duration) {
	h.sum += d.Seconds()
	if i, _ := slices.BinarySearch(h.bounds, d.Seconds()); i < len(h.bounds) {
		h.counts[i]++
		return
	}
	h.above++
}

// cumulative counts the observations up to each bound, and all.
func (h *histogram) cumulative() (map[float64]uint64, uint64) {
	buckets := make(map[float64]uint64, len(h.bounds))
	all := uint64(0)
	for i, bound := range h.bounds {
		all += h.counts[i]
		buckets[bound] = all
	}
	return buckets, all + h.above
}
