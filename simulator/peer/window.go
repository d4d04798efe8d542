package peer

import (
	"math"
	"time"
)

// window averages what was recorded in its last buckets. Source: the behaviour that
// knative.dev/serving documents for aggregation.TimedFloat64Buckets:
//
//   - before the window is full, the average is over what there is since the first
//     record;
//   - after records ceased, it is over what is left of the window;
//   - a bucket in between without a record counts as zero;
//   - a window in which nothing was recorded begins anew;
//   - averages are cut off after six decimals.
type window struct {
	granularity time.Duration
	buckets     []float64
	total       float64
	first, last int64 // numbers of buckets
	begun       bool
}

func newWindow(length, granularity time.Duration) *window {
	n := int((length + granularity - 1) / granularity)
	return &window{granularity: granularity, buckets: make([]float64, max(1, n))}
}

func (w *window) bucket(t time.Time) int64 { return t.UnixNano() / int64(w.granularity) }

func (w *window) at(bucket int64) *float64 { return &w.buckets[bucket%int64(len(w.buckets))] }

// record adds a value at now. Time does not run backwards.
func (w *window) record(now time.Time, value float64) {
	b, n := w.bucket(now), int64(len(w.buckets))
	switch {
	case !w.begun || b-w.last >= n:
		clear(w.buckets)
		w.total, w.first, w.begun = 0, b, true
	default:
		for i := w.last + 1; i <= b; i++ {
			w.total -= *w.at(i)
			*w.at(i) = 0
		}
	}
	w.last = max(w.last, b)
	*w.at(b) += value
	w.total += value
}

// empty tells whether nothing was recorded for longer than the window.
func (w *window) empty(now time.Time) bool {
	return !w.begun || w.bucket(now)-w.last > int64(len(w.buckets))
}

// average is the mean over the window, zero when nothing was recorded in it.
func (w *window) average(now time.Time) float64 {
	b, n := w.bucket(now), int64(len(w.buckets))
	silent := b - w.last
	if !w.begun || silent >= n {
		return 0
	}
	total := w.total
	for i := w.last + 1; i <= b; i++ {
		total -= *w.at(i)
	}
	over := min(w.last-w.first+1, n-max(0, silent))
	return math.Floor(total/float64(over)*1e6) / 1e6
}

// highest keeps the largest of what was recorded in its last buckets: Knative's
// max.TimeWindow.
type highest struct {
	granularity time.Duration
	length      int64
	entries     []entry // falling values, rising buckets
}

type entry struct {
	bucket int64
	value  int
}

func newHighest(length, granularity time.Duration) *highest {
	return &highest{granularity: granularity, length: max(1, int64((length+granularity-1)/granularity))}
}

// record adds a value at now and returns the largest of the window.
func (h *highest) record(now time.Time, value int) int {
	b := now.UnixNano() / int64(h.granularity)
	for len(h.entries) > 0 && h.entries[len(h.entries)-1].value <= value {
		h.entries = h.entries[:len(h.entries)-1]
	}
	h.entries = append(h.entries, entry{bucket: b, value: value})
	for h.entries[0].bucket <= b-h.length {
		h.entries = h.entries[1:]
	}
	return h.entries[0].value
}
