package judge

import (
	"context"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/bound"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Bound adds to a result the least money for which anyone could have served, of
// every model, as much within its SLO in this world, and the regret over it. A
// bound of nothing leaves no regret to tell.
func (t *Trial) Bound(ctx context.Context, r *simulator.Result) error {
	s := t.Scenario
	in := bound.Input{
		Start: s.Start, Duration: time.Duration(r.SimulatedSeconds * float64(time.Second)), Settings: s.Settings,
		Open:  func(m fleet.ModelName) (traffic.Source, error) { return s.Source(m, t.Seed) },
		InSLO: map[fleet.ModelName]int64{},
		NodeStart: func(o fleet.Offering, n int) time.Duration {
			return simulator.NodeStart(t.Seed, o, n)
		},
	}
	for name, m := range r.ByModel {
		in.InSLO[fleet.ModelName(name)] = m.InSLO
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
