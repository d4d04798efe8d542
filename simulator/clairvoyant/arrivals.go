package clairvoyant

import (
	"context"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// arrivals are all requests of a model, in order.
type arrivals struct {
	at    []float64 // seconds since the start
	work  []float32 // in average requests
	first []int     // request of each bin, and one more: the end
}

// readArrivals reads a source up to the end of the bins.
func readArrivals(ctx context.Context, name fleet.ModelName, source traffic.Source, b bins) (*arrivals, error) {
	a := &arrivals{}
	if source != nil {
		for r, ok := source.Next(); ok && r.At < b.end(); r, ok = source.Next() {
			if len(a.at)&0xffff == 0 && ctx.Err() != nil {
				return nil, fmt.Errorf("read the traffic of %s: %w", name, ctx.Err())
			}
			a.at, a.work = append(a.at, r.At.Seconds()), append(a.work, float32(r.Work))
		}
	}
	a.cut(b)
	return a, nil
}

// cut finds the first request of every bin.
func (a *arrivals) cut(b bins) {
	a.first = make([]int, b.n+1)
	i := 0
	for bin := range b.n + 1 {
		for i < len(a.at) && a.at[i] < b.at(bin).Seconds() {
			i++
		}
		a.first[bin] = i
	}
	a.first[b.n] = len(a.at)
}

// bins cut time. The first lasts until servers can be ready, the others are alike.
type bins struct {
	n        int
	head     time.Duration // length of the first
	step     time.Duration
	duration time.Duration
}

func newBins(duration, head, step time.Duration) bins {
	head = min(head, duration)
	return bins{n: 1 + int((duration-head+step-1)/step), head: head, step: step, duration: duration}
}

// at is when a bin begins; that of bin n is the end of the run.
func (b bins) at(bin int) time.Duration {
	if bin == 0 {
		return 0
	}
	return min(b.duration, b.head+time.Duration(bin-1)*b.step)
}

func (b bins) end() time.Duration { return b.duration }

// hours is how long a bin lasts.
func (b bins) hours(bin int) float64 { return (b.at(bin+1) - b.at(bin)).Hours() }
