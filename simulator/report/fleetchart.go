package report

import (
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

func gpus(s simulator.Sample) float64     { return float64(s.GPUs) }
func ready(s simulator.Sample) float64    { return float64(s.GPUs - s.Starting) }
func arrivals(s simulator.Sample) float64 { return s.Arrivals }

// fleetPlot draws the GPUs, of which those that start are hatched, over the
// demand; above it stand the decisions to buy.
func fleetPlot(s Summary, decisions []decision) *plot {
	all := s.Result.Timeline
	if len(all) == 0 {
		return nil
	}
	_, mostGPUs := extent(all, gpus)
	_, mostArrivals := extent(all, arrivals)
	p := newPlot(s, mostGPUs, mostArrivals, true)
	p.Label = "GPUs and demand over time"
	p.Left, p.Right = "GPUs", "requests a second"
	demand := thin(all, s.Start, s.Duration, arrivals)
	shown := thin(all, s.Start, s.Duration, gpus, ready)
	p.add("demand", p.stepArea(p.right, demand, arrivals))
	p.add("ready", p.stepArea(p.left, shown, ready))
	p.add("gpus", p.stepLine(p.left, shown, gpus))
	p.add("starting", p.stepBand(p.left, shown, ready, gpus))
	p.divide(all, func(from, to int) string {
		lowGPUs, highGPUs := extent(all[from:to], gpus)
		lowReady, highReady := extent(all[from:to], ready)
		lowDemand, highDemand := extent(all[from:to], arrivals)
		return between(whole(lowGPUs), whole(highGPUs)) + " GPUs, " + between(whole(lowReady), whole(highReady)) + " ready, " +
			between(number(lowDemand), number(highDemand)) + " requests a second"
	})
	p.decide(decisions)
	return p
}

// dotWidth is how near decisions may stand before they share a mark.
const dotWidth = 11

// decide marks the decisions to buy. Those that would cover each other share a
// mark, which leads to the first of them.
func (p *plot) decide(decisions []decision) {
	for i := 0; i < len(decisions); {
		first := decisions[i]
		x, n, mixed := p.x(first.at), 0, false
		for ; i < len(decisions) && p.x(decisions[i].at)-x < dotWidth; i++ {
			n++
			mixed = mixed || decisions[i].code == fleet.ReasonMixed
		}
		d := dot{X: coordinate(x), To: first.ID, Says: first.When + ": " + first.Kind + ", " + counted(len(first.Nodes), "node"), Class: "dedicated"}
		if mixed {
			d.Class = "mixed"
		}
		if n > 1 {
			d.Says = counted(n, "decision") + " to buy from " + first.When + " to " + decisions[i-1].When
		}
		p.Dots = append(p.Dots, d)
	}
}

// extent is the lowest and the highest value.
func extent(samples []simulator.Sample, value func(simulator.Sample) float64) (low, high float64) {
	for i, s := range samples {
		v := value(s)
		if i == 0 {
			low, high = v, v
		}
		low, high = min(low, v), max(high, v)
	}
	return low, high
}
