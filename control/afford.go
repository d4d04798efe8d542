package control

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// affordable is how many more nodes of an offering may be asked for: within the
// offering's limit, the step limit, and the caps on the fleet; none while none can be
// had. The guard looks
// again, also at the caps of groups; asking for less than what it would hold
// back anyway lets the packer serve by value what money there is.
func (d *decider) affordable(o fleet.Offering, owned int) (int, error) {
	most := min(o.Limit-owned, d.settings.Policy.ScaleUp.MaxNodes)
	if most <= 0 || !d.settings.Policy.Buys(o.Name) {
		return 0, nil
	}
	if n, counted := d.afford[o.Name]; counted {
		return min(most, n), nil
	}
	if why, gone := d.unavailable(o.Name); gone {
		d.unaffordable = append(d.unaffordable, why)
		d.afford[o.Name] = 0
		return 0, nil
	}
	purse, err := policy.NewPurse(d.settings.Policy, d.settings.Catalog, d.view)
	if err != nil {
		return 0, fmt.Errorf("count the money: %w", err)
	}
	n := 0
	for ; n < most; n++ {
		why, ok := purse.Allows(o, nil)
		if !ok {
			d.unaffordable = append(d.unaffordable, why)
			break
		}
		purse.Commit(o, nil)
	}
	d.afford[o.Name] = n
	return n, nil
}
