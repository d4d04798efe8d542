package control_test

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// shedding is a stage at eleven in the morning under a budget that comes then.
func shedding(t *testing.T, b policy.Budget) (*stage, policy.Policy) {
	t.Helper()
	wholeDays(t)
	p := keepsErrorBudgets(smallPolicy())
	s := newStage(t, p, 20, 5)
	s.run(t, 11*time.Hour, nil)
	p.Budgets = []policy.Budget{b}
	s.loop.Use(control.Settings{Policy: p, Catalog: smallCatalog()})
	return s, p
}

// ceilings counts the models that a cap holds down after a tick.
func ceilings(r control.Record) int { return len(r.Inputs.Memory.Ceilings) }

// TestNothingIsShedWhileNothingIsExceeded: not for an hour, nor because a day
// would not bear the rate of its busiest hour all day long.
func TestNothingIsShedWhileNothingIsExceeded(t *testing.T) {
	for name, b := range map[string]policy.Budget{
		"hour": {Per: policy.Hour, Amount: dollars(100), OnExceeded: policy.Shed},
		"day":  {Per: policy.Day, Amount: dollars(330), OnExceeded: policy.Shed},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := shedding(t, b)
			s.run(t, time.Hour, func(r control.Record) {
				for _, n := range r.Needs {
					if n.Shed > 0 || ceilings(r) > 0 {
						t.Fatalf("%s: %+v gives way under %s", r.Plan.ID, n, b)
					}
				}
			})
		})
	}
}

// TestADayThatIsSpentShedsToTheFloors, and the next day starts whole.
func TestADayThatIsSpentShedsToTheFloors(t *testing.T) {
	b := policy.Budget{Per: policy.Day, Amount: dollars(60), OnExceeded: policy.Shed}
	s, p := shedding(t, b)
	s.run(t, 2*time.Hour, nil)
	serving := s.serving(t)
	for _, m := range p.Models {
		if serving[m.Name] != m.MinReplicas {
			t.Errorf("%s has %d replicas, its floor is %d", m.Name, serving[m.Name], m.MinReplicas)
		}
	}
	held := -1
	s.run(t, 12*time.Hour, func(r control.Record) { held = ceilings(r) }) // until one in the morning
	if held != 0 {
		t.Errorf("%d ceilings are left on the next day", held)
	}
}

// TestWhatIsShedIsNoMoreThanTheExcess: as soon as what is in use fits under the
// cap, servers stay, and once the cap is gone so are the ceilings.
func TestWhatIsShedIsNoMoreThanTheExcess(t *testing.T) {
	b := policy.Budget{Per: policy.Hour, Amount: dollars(10), OnExceeded: policy.Shed}
	s, p := shedding(t, b)
	sheds := 0
	s.run(t, time.Hour, func(r control.Record) {
		for _, step := range r.Plan.Steps {
			if step.Because().Code == fleet.ReasonShed {
				sheds++
			}
		}
	})
	in := s.world.Sample()
	if in.Rate.Hourly().Compare(dollars(10)) != 0 || sheds == 0 {
		t.Errorf("%s is spent of $10.00/h after %d replicas were shed", in.Rate.Describe(), sheds)
	}
	p.Budgets = nil
	s.loop.Use(control.Settings{Policy: p, Catalog: smallCatalog()})
	held := -1
	s.run(t, 5*time.Minute, func(r control.Record) { held = ceilings(r) })
	if held != 0 {
		t.Errorf("%d ceilings are left though no cap is", held)
	}
}
