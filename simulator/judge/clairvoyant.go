package judge

import (
	"context"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// The loop of the clairvoyant is Tessera's own that is told the traffic of its world
// instead of a forecast. It meets the same cold starts, limits and caps; what it
// may choose besides is how closely it follows what it knows.
var foresightParameters = []peer.Parameter{
	{Name: "slack", Default: 10, Try: []float64{1, 3, 10, 30}, Why: "times the share that the SLO lets miss, for which a minute is sized: most minutes are quieter"},
	{Name: "headroom", Default: 1, Try: []float64{0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5}, Why: "times the true rate, for which capacity is sized"},
	{Name: "smooth", Default: 180, Try: []float64{60, 180, 300, 600}, Why: "seconds over which the true rate is averaged"},
	{Name: "lead", Default: 0.5, Try: []float64{0, 0.25, 0.5, 1}, Why: "how far beyond its median a start is awaited: 0 is the median, 1 the 0.95 quantile"},
	{Name: "keep", Default: 600, Try: []float64{0, 300, 600, 1800}, Why: "seconds beyond the lead time for which what will come is worth keeping a node"},
	{Name: "stabilisation", Default: 60, Try: []float64{0, 60, 180, 600}, Why: "seconds for which the highest need is kept"},
}

// foresight is how a clairvoyant uses what it knows.
type foresight struct {
	slack, headroom, lead       float64
	smooth, keep, stabilisation time.Duration
}

func foresightOf(setup peer.Setup) foresight {
	of := func(name string) float64 {
		if v, ok := setup.Parameters[name]; ok {
			return v
		}
		i := slices.IndexFunc(foresightParameters, func(p peer.Parameter) bool { return p.Name == name })
		return foresightParameters[i].Default
	}
	seconds := func(name string) time.Duration { return time.Duration(of(name) * float64(time.Second)) }
	return foresight{
		slack: of("slack"), headroom: of("headroom"), lead: min(1, of("lead")),
		smooth: max(time.Minute, seconds("smooth")), keep: seconds("keep"), stabilisation: seconds("stabilisation"),
	}
}

// knowing is Tessera's loop with the truth for a forecast.
func (t *Trial) knowing(ctx context.Context, setup peer.Setup, world *simulator.World, journal control.Journal) (simulator.Controller, error) {
	truth, err := t.truth()
	if err != nil {
		return nil, err
	}
	sight := foresightOf(setup)
	own := sight.settings(t.Scenario.Settings)
	oracles := sight.oracles(truth, own)
	ports := control.Ports{Observer: seer{world, oracles}, Actuator: world, Journal: journal}
	ports.Forecasters = func(m fleet.Model) forecast.Forecaster { return oracles[m.Name] }
	return primed(ctx, ports, own, t.Scenario.Start)
}

// leastTarget bounds how much of a minute a clairvoyant gives up.
const leastTarget = 0.5

// settings are those that one who knows the future chooses. What the world judges
// by stays as it is.
func (f foresight) settings(s control.Settings) control.Settings {
	s.Policy.Models = slices.Clone(s.Policy.Models)
	for i := range s.Policy.Models {
		slo := &s.Policy.Models[i].SLO
		slo.Target = min(slo.Target, max(leastTarget, 1-(1-slo.Target)*f.slack))
	}
	s.Policy.ScaleDown.StabilizationWindow = f.stabilisation
	// All quantiles are the truth, and what is given up is fitted, not learnt.
	s.Policy.Forecast.Models = slices.Clone(s.Policy.Forecast.Models)
	for i := range s.Policy.Forecast.Models {
		s.Policy.Forecast.Models[i].Keep = true
	}
	s.Catalog.Offerings = slices.Clone(s.Catalog.Offerings)
	for i := range s.Catalog.Offerings {
		lead := &s.Catalog.Offerings[i].Lead
		for _, stage := range []*fleet.Delay{&lead.Node, &lead.Driver, &lead.Image} {
			stage.P95 = stage.P50 + time.Duration(f.lead*float64(stage.P95-stage.P50))
		}
	}
	return s
}
