package simulator

import "math"

// latencies is a histogram of latencies in logarithmic buckets: its quantiles
// are right to one per cent, and its size does not depend on how much it saw.
type latencies struct {
	counts [latencyBuckets]int64
	total  int64
	sum    float64 // seconds
}

const (
	latencyFloor   = 1e-4 // seconds; shorter ones share the first bucket
	latencyGrowth  = 1.02
	latencyBuckets = 1300 // up to about 1.5e7 seconds, half a year
)

var logGrowth = math.Log(latencyGrowth)

func (l *latencies) add(seconds float64) {
	bucket := 0
	if seconds > latencyFloor {
		bucket = min(1+int(math.Log(seconds/latencyFloor)/logGrowth), latencyBuckets-1)
	}
	l.counts[bucket]++
	l.total++
	l.sum += seconds
}

// mean is the exact mean in seconds, nil when nothing was added.
func (l *latencies) mean() *float64 {
	if l.total == 0 {
		return nil
	}
	return new(l.sum / float64(l.total))
}

// at is the p-quantile in seconds, nil when nothing was added.
func (l *latencies) at(p float64) *float64 {
	if l.total == 0 {
		return nil
	}
	rank := int64(math.Ceil(p * float64(l.total)))
	for bucket, n := range l.counts {
		rank -= n
		if rank > 0 {
			continue
		}
		if bucket == 0 {
			return new(latencyFloor)
		}
		return new(latencyFloor * math.Pow(latencyGrowth, float64(bucket)-0.5))
	}
	return nil
}
