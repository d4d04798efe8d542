package control_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestDearWorkBuysNothing: while a thousand requests cost more than a cap that holds,
// nothing is bought; while nothing is known of it, everything is as without the cap,
// and the plan says so. A record of it replays to the same bytes.
func TestDearWorkBuysNothing(t *testing.T) {
	p := smallPolicy()
	p.Budgets = []policy.Budget{{Per: policy.ThousandUnits, Amount: fleet.Micros(1, "USD"), Group: "speech", OnExceeded: policy.Hold, Unit: "request"}}
	s := newStage(t, p, 30, 1)
	bought, blind, held, dear := 0, 0, 0, 0
	s.run(t, 9*time.Hour, func(r control.Record) {
		known := slices.ContainsFunc(r.Inputs.Memory.UnitCosts(), func(u fleet.UnitCost) bool { return u.Unknown == "" })
		if known {
			dear++
		}
		for _, step := range r.Plan.Steps {
			if step.Kind() != fleet.KindBuyNode {
				continue
			}
			if bought++; known {
				t.Errorf("at %s: %s while work is dearer than its cap", r.Inputs.Now, step.Describe())
			}
		}
		for _, why := range r.Plan.Held {
			switch why.Code {
			case fleet.ReasonNoUnitCost:
				if blind++; known {
					t.Errorf("at %s: %s, but it is known", r.Inputs.Now, why)
				}
			case fleet.ReasonHeldUnitCost:
				held++
			}
		}
	})
	if bought == 0 || blind == 0 || held == 0 || dear == 0 {
		t.Errorf("%d nodes were bought, the cost was unknown in %d plans and known in %d ticks, and %d steps were held", bought, blind, dear, held)
	}
	last := s.tape.lines[len(s.tape.lines)-1]
	then, now, err := control.Replay(s.tape.settings[0], last)
	if err != nil || !bytes.Equal(then, now) {
		t.Errorf("the last record replays to another plan, or not: %v\n%s\n%s", err, then, now)
	}
}

// TestWhatWorkCostIsWhatTheWorldKnows: the loop's books, which rest on signals, and the
// world's own agree within a few hundredths over a day.
func TestWhatWorkCostIsWhatTheWorldKnows(t *testing.T) {
	wholeDays(t)
	p := smallPolicy()
	p.Budgets = []policy.Budget{{Per: policy.ThousandUnits, Amount: dollars(9), Group: "speech", OnExceeded: policy.Alert, Unit: "request"}}
	s := newStage(t, p, 20, 1)
	var memory control.Memory
	s.run(t, 23*time.Hour+30*time.Minute, func(r control.Record) { memory = r.Inputs.Memory })
	cost, known := memory.UnitCosts()[0].Read()
	if !known {
		t.Fatalf("after a day the cost is %+v", memory.UnitCosts())
	}
	r := s.world.Result()
	units := 0.0
	for _, u := range r.UnitCostByModel {
		units += u.UnitsInSLO
	}
	want := r.Cost.Float() / units * 1000
	if off := cost.Float()/want - 1; off > 0.05 || off < -0.05 {
		t.Errorf("a thousand requests cost %s, the world says %v", cost, want)
	}
}
