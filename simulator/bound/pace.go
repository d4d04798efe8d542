package bound

import (
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// crowds are the sizes by which batches are told apart: a request that can share
// a batch with b others at most is counted in the first class that is no smaller.
// The last class has no limit.
var crowds = []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, math.MaxInt}

// pace is how little of a slice one average request takes, in seconds, by crowd
// and kind of slice: the least of seconds(b)/b over the batches that the crowd
// allows and over the variants that the model may run as. It is infinite where
// nobody measured the model.
type pace struct {
	byCrowd [][]float64
	largest int     // batch that any slice takes
	least   float64 // of all
	streams []int   // by kind, the most sessions that a slice holds in real time; 0 for models of requests
}

func newPace(m fleet.Model, s *shop) pace {
	p := pace{least: math.Inf(1), streams: make([]int, len(s.kinds))}
	for range crowds {
		row := make([]float64, len(s.kinds))
		for k := range row {
			row[k] = math.Inf(1)
		}
		p.byCrowd = append(p.byCrowd, row)
	}
	for _, v := range m.Candidates() {
		for k := range s.kinds {
			perf, ok := s.on(v, k)
			switch {
			case ok && m.Profile.Sessions():
				p.hold(k, perf.Streams)
			case ok:
				p.add(k, perf)
			}
		}
	}
	return p
}

// add takes in one measured server. Its times are shortened by a hair, so that
// the rounding of the world's own arithmetic is on the safe side.
func (p *pace) add(k int, perf fleet.Performance) {
	most := perf.MaxBatch()
	if perf.Streams > 0 {
		most = min(most, perf.Streams)
	}
	p.largest = max(p.largest, most)
	best := math.Inf(1)
	crowd := 0
	for b := 1; b <= most; b++ {
		for ; crowds[crowd] < b; crowd++ {
			p.byCrowd[crowd][k] = min(p.byCrowd[crowd][k], best)
		}
		best = min(best, perf.BatchSeconds(b)/float64(b)*(1-1e-12))
	}
	for ; crowd < len(crowds); crowd++ {
		p.byCrowd[crowd][k] = min(p.byCrowd[crowd][k], best)
	}
	p.least = min(p.least, best)
}

// hold takes in one server of sessions: a session takes its share of a slice.
func (p *pace) hold(k, streams int) {
	p.streams[k] = max(p.streams[k], streams)
	p.largest = 1
	for _, row := range p.byCrowd {
		row[k] = min(row[k], 1/float64(streams))
	}
	p.least = min(p.least, 1/float64(streams))
}

// cheapestSlice is the price of the cheapest slice that the model can stand on.
func (p *pace) cheapestSlice(slicePrices []int64) float64 {
	least := math.Inf(1)
	for k, seconds := range p.byCrowd[len(crowds)-1] {
		if !math.IsInf(seconds, 1) {
			least = min(least, float64(slicePrices[k]))
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// crowdOf is the class of a number of requests.
func crowdOf(n int) int {
	i, _ := slices.BinarySearch(crowds, n)
	return i
}

// prices is what a unit of work costs at least at prices of slices, by crowd, in
// nano times seconds an hour.
func (p *pace) prices(slicePrices []int64) []float64 {
	out := make([]float64, len(crowds))
	for c, row := range p.byCrowd {
		least := math.Inf(1)
		for k, seconds := range row {
			if !math.IsInf(seconds, 1) {
				least = min(least, float64(slicePrices[k])*seconds)
			}
		}
		if math.IsInf(least, 1) {
			least = 0 // nothing serves it: it is worth nothing, and nothing can be said
		}
		out[c] = least * (1 - 1e-12)
	}
	return out
}
