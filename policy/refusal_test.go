package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestARiseIsTheLeastThatAdmits: with every cap that refuses a node raised by its rise
// the node is admitted, and by a millionth less it is not.
func TestARiseIsTheLeastThatAdmits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := guarded()
		for range rapid.IntRange(1, 4).Draw(t, "budgets") {
			p.Budgets = append(p.Budgets, policy.Budget{
				Per:        rapid.SampledFrom([]policy.Period{policy.Hour, policy.Day, policy.Month, policy.ThousandUnits}).Draw(t, "per"),
				Amount:     fleet.Micros(rapid.Int64Range(1, 20_000_000).Draw(t, "cap"), "USD"),
				Group:      rapid.SampledFrom([]fleet.GroupName{"", "talk", "notes"}).Draw(t, "group"),
				OnExceeded: rapid.SampledFrom([]policy.OnExceeded{policy.Alert, policy.Hold}).Draw(t, "then"),
			})
		}
		w := drawnWorld(t)
		w.Spend.Day, w.Spend.Month = usd("7"), usd("9")
		w.Spend.UnitCosts = []fleet.UnitCost{{Cost: usd("5")}, {Group: "talk", Cost: usd("6"), Unknown: rapid.SampledFrom([]string{"", "nothing was served"}).Draw(t, "unknown")}}
		a100, _ := market().Offering("a100")
		pays := []fleet.GroupWeight{{Group: "talk", Slices: 1}}
		refusals := func(less int64) []policy.Refusal {
			purse, err := policy.NewPurse(p, market(), w.Snapshot)
			if err != nil {
				t.Fatal(err)
			}
			raised := p
			raised.Budgets = nil
			refused := purse.Refusals(a100, pays)
			for _, b := range p.Budgets {
				for _, r := range refused {
					if r.Budget == b {
						b.Amount = b.Amount.Add(r.Rise).Sub(fleet.Micros(less, "USD"))
						break
					}
				}
				raised.Budgets = append(raised.Budgets, b)
			}
			if purse, err = policy.NewPurse(raised, market(), w.Snapshot); err != nil {
				t.Fatal(err)
			}
			if _, ok := purse.Allows(a100, pays); ok != (len(purse.Refusals(a100, pays)) == 0) {
				t.Errorf("a node is allowed: %v, and refused by %v", ok, purse.Refusals(a100, pays))
			}
			if got, want := len(refused) == 0, len(purse.Refusals(a100, pays)) == 0; less > 0 && got != want {
				t.Errorf("a millionth less than the rise is enough: %v", refused)
			}
			return purse.Refusals(a100, pays)
		}
		if left := refusals(0); len(left) > 0 {
			t.Errorf("with the rise there are still %v", left)
		}
		refusals(1)
	})
}
