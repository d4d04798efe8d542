package report

import (
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator"
)

// buckets is how many pieces a timeline is cut into at most: a chart has about
// two screen pixels for each.
const buckets = 400

// thin keeps of each piece of a long timeline the samples in which one of the
// values is lowest or highest, and the first and the last of all. What a chart
// of them shows touches every extreme of the whole.
func thin(samples []simulator.Sample, start time.Time, duration time.Duration, values ...func(simulator.Sample) float64) []simulator.Sample {
	if len(samples) <= 2*buckets {
		return samples
	}
	width := duration/buckets + 1
	kept := []int{0, len(samples) - 1}
	for from := 0; from < len(samples); {
		piece := samples[from].At.Sub(start) / width
		to := from
		for to < len(samples) && samples[to].At.Sub(start)/width == piece {
			to++
		}
		for _, value := range values {
			low, high := from, from
			for i := from; i < to; i++ {
				if value(samples[i]) < value(samples[low]) {
					low = i
				}
				if value(samples[i]) > value(samples[high]) {
					high = i
				}
			}
			kept = append(kept, low, high)
		}
		from = to
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	out := make([]simulator.Sample, len(kept))
	for i, k := range kept {
		out[i] = samples[k]
	}
	return out
}
