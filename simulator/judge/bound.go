package judge

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/bound"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// mostLoads is how many loads of a model the bound counts with: it holds for
// controllers that begin no more.
const mostLoads = 20_000

// Bound adds to a result the least money for which anyone could have served, of
// every model, as much within its SLO in this world, and the regret over it. A
// bound of nothing leaves no regret to tell. Of a model of sessions, as much is the
// seconds that ran in real time. Where the run may have begun more loads of a model
// than the bound counts with, loads that vary count as free.
func (t *Trial) Bound(ctx context.Context, r *simulator.Result) error {
	s := t.Scenario
	in := bound.Input{
		Start: s.Start, Duration: length(*r), Settings: s.Settings,
		Open:  func(m fleet.ModelName) (traffic.Source, error) { return s.Source(m, t.Seed) },
		InSLO: map[fleet.ModelName]int64{},
		NodeStart: func(o fleet.Offering, n int) time.Duration {
			return simulator.NodeStart(t.Seed, o, n)
		},
		Reserved: t.reserved(*r),
	}
	if t.loads(*r) <= mostLoads {
		in.LoadScores = func(m fleet.ModelName) []float64 { return simulator.LoadScores(t.Seed, m, mostLoads) }
	}
	for name, m := range r.ByModel {
		in.InSLO[fleet.ModelName(name)] = m.InSLO
		if m.RealTimeSeconds != nil {
			in.InSLO[fleet.ModelName(name)] = int64(*m.RealTimeSeconds)
		}
	}
	answer, err := bound.Compute(ctx, in)
	if err != nil {
		return fmt.Errorf("bound the cost of %s under %s: %w", s.Name, r.Controller, err)
	}
	least := answer.LowerBound
	if least.Currency() == "USD" {
		r.CostLowerBoundUSD = new(least.Float())
	}
	if least.Micros() > 0 {
		r.Regret = new(r.Cost.Float()/least.Float() - 1)
	}
	return nil
}

// length is how long the run was.
func length(r simulator.Result) time.Duration {
	return time.Duration(math.Round(r.SimulatedSeconds * float64(time.Second)))
}

// loads is at least how many loads of any one model the run began: every one was an
// action, or followed the crash of a server.
func (t *Trial) loads(r simulator.Result) int {
	n := r.ScaleActions
	for _, f := range t.Scenario.Faults {
		if f.Kind == simulator.ServerCrash {
			n += max(1, f.Count)
		}
	}
	return n
}

// reserved is what was paid for the nodes that are, used or not.
func (t *Trial) reserved(r simulator.Result) fleet.Money {
	sum := fleet.Micros(0, t.Scenario.Settings.Catalog.Currency)
	for _, of := range t.Scenario.Reserved {
		for range of.Nodes {
			sum = sum.Add(of.Price.For(length(r)))
		}
	}
	return sum
}
