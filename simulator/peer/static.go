package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// static keeps as many replicas as carry a rate that somebody knew beforehand:
//
//	replicas = ceil(rate * headroom / throughput of one replica at its best batch size)
//
// static-peak is told the busiest minute of the scored traffic, static-mean its
// mean. They are what capacity planning without any autoscaler costs, and what it
// would cost without bursts.
type static struct {
	about
	rate func(Known) float64
}

var staticParameters = []Parameter{
	{Name: "headroom", Default: 1.25, Try: []float64{1, 1.1, 1.25, 1.5, 2, 3, 5, 8}, Why: "capacity over the rate, so that requests need not wait for a full batch"},
}

func newStaticPeak(a about) Scaler { return &static{a, func(k Known) float64 { return k.Peak }} }

func newStaticMean(a about) Scaler { return &static{a, func(k Known) float64 { return k.Mean }} }

// Every is a minute; the answer is always the same.
func (s *static) Every() time.Duration { return time.Minute }

// Scale answers for every model. One of which nothing is known is kept as it is.
func (s *static) Scale(_ time.Time, models []View) []int {
	out := make([]int, len(models))
	for i, v := range models {
		out[i] = s.replicas(v.Model)
	}
	return out
}

func (s *static) replicas(m fleet.Model) int {
	known, ok := s.known[m.Name]
	rate := s.rate(known)
	if !ok || !(rate >= 0) || math.IsInf(rate, 0) {
		return Keep
	}
	return count(rate * s.of("headroom", m.Name) / s.servers[m.Name].throughput())
}
