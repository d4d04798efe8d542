package console

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// funds is a budget and how it stands.
type funds struct {
	Budget policy.Budget `json:"budget"`
	Spent  *fleet.Money  `json:"spent,omitempty"` // in the budget's period, as the guard counts: paid and committed; absent while unknown
	Left   *fleet.Money  `json:"left,omitempty"`  // negative when exceeded
	Cause  string        `json:"unknown_because,omitempty"`
}

// fundsOf reads the budgets in the order of the policy, as the guard's purse counts
// them.
func fundsOf(s State) ([]funds, error) {
	snapshot := s.Record.Inputs.Snapshot
	snapshot.Spend.UnitCosts = s.Record.Inputs.Memory.UnitCosts()
	purse, err := policy.NewPurse(s.Settings.Policy, s.Settings.Catalog, snapshot)
	if err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	out := make([]funds, 0, len(s.Settings.Policy.Budgets))
	for _, b := range purse.Standings() {
		f := funds{Budget: b.Budget, Cause: b.Unknown}
		if b.Unknown == "" {
			f.Spent, f.Left = new(b.Spend), new(b.Budget.Amount.Sub(b.Spend))
		}
		out = append(out, f)
	}
	return out, nil
}
