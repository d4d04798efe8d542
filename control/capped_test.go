package control_test

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestACapThatLeavesAModelShortIsNamed with the rise that would have admitted one node
// more; without a cap, and under one that is wide enough, nobody is.
func TestACapThatLeavesAModelShortIsNamed(t *testing.T) {
	wholeDays(t)
	for name, c := range map[string]struct {
		limit  int64
		then   policy.OnExceeded
		capped bool
	}{
		"two nodes":      {12, policy.Hold, true},
		"two, and sheds": {12, policy.Shed, true},
		"an alert":       {12, policy.Alert, false},
		"twenty nodes":   {100, policy.Hold, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := smallPolicy()
			limit := policy.Budget{Per: policy.Hour, Amount: dollars(c.limit), OnExceeded: c.then}
			p.Budgets = []policy.Budget{limit}
			s := newStage(t, p, 40, 1)
			models := map[fleet.ModelName]int{}
			s.run(t, 8*time.Hour, func(r control.Record) {
				for _, short := range r.Capped {
					models[short.Model]++
					if short.Budget != limit || short.Lacks <= 0 {
						t.Errorf("at %s: %+v", r.Inputs.Now, short)
					}
					// With two nodes of $5 under a cap of $12, a third takes $3 more.
					if len(r.Inputs.Snapshot.Nodes) == 2 && len(r.Plan.Steps) == 0 && short.Rise.Micros() != 0 && short.Rise.Compare(dollars(3)) != 0 {
						t.Errorf("at %s: the rise is %s, want $3", r.Inputs.Now, short.Rise)
					}
				}
				if len(r.Capped) > 0 && r.Inputs.Pace == control.Fast {
					t.Errorf("at %s: a fast tick buys nothing, and no cap refuses it", r.Inputs.Now)
				}
			})
			if (len(models) > 0) != c.capped || c.capped && models["transcribe-en"] == 0 {
				t.Errorf("caps left short: %v", models)
			}
		})
	}
}
