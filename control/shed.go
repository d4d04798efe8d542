package control

import (
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// excess is a cap that sheds and is exceeded.
type excess struct {
	budget policy.Budget
	spend  string     // for people, in the budget's period
	most   fleet.Rate // of spending that the cap leaves from now on
}

// reason is why a server of a model goes.
func (e excess) reason(m fleet.Model, need Need) fleet.Reason {
	return fleet.Because(fleet.ReasonShed, "spend", e.spend, "cap", e.budget, "model", m.Name, "value", worthOf(m), "shed", rate(need.Shed))
}

// worthOf prints what the work of a model is worth, for people.
func worthOf(m fleet.Model) string {
	if m.Value.IsZero() {
		return "as much as its cheapest slice"
	}
	return fmt.Sprintf("%s per thousand %ss", m.Value.Times(1000).Describe(), m.Profile.Unit)
}

// exceeded finds a cap that takes from a model.
func (d *decider) exceeded(m fleet.Model) (excess, bool) {
	for _, e := range d.exceeds {
		if concerns(e.budget, m) {
			return e, true
		}
	}
	return excess{}, false
}

func concerns(b policy.Budget, m fleet.Model) bool { return b.Group == "" || b.Group == m.Group }

// shed puts ceilings on needs where a cap that sheds is exceeded: one replica
// after the other in the policy's order, until what their slices cost makes up for
// the excess. What is above its ceiling is stopped, and its nodes freed, like any
// other surplus. A ceiling stays until no cap that takes from the model is
// exceeded, or would be if the need were met again.
func (d *decider) shed() error {
	if d.in.Pace == Planning {
		if err := d.findExcesses(); err != nil {
			return err
		}
		for _, e := range d.exceeds {
			if err := d.lower(e); err != nil {
				return err
			}
		}
		if err := d.release(); err != nil {
			return err
		}
	}
	for i := range d.needs {
		n := &d.needs[i]
		if most, capped := d.memory.Ceilings[n.Model]; capped && n.Keep > most {
			n.Shed = max(0, n.Lead-most)
			n.Now, n.Lead, n.Keep = min(n.Now, most), min(n.Lead, most), most
		}
	}
	return nil
}

// findExcesses notes which caps that shed are exceeded. An hour's is by the rate
// of spending on nodes that stay; a day's or a month's by what was spent and can
// no longer be avoided, and then nothing is left to spend.
func (d *decider) findExcesses() error {
	purse, err := policy.NewPurse(d.settings.Policy, d.settings.Catalog, d.view)
	if err != nil {
		return fmt.Errorf("count the money: %w", err)
	}
	over := map[policy.Budget]fleet.Money{}
	for _, o := range purse.Overruns() {
		over[o.Budget] = o.Spend
	}
	for _, b := range d.settings.Policy.Budgets {
		spend, exceeded := over[b]
		e := excess{budget: b, spend: fmt.Sprintf("%s per %s", spend.Describe(), b.Per), most: d.free()}
		if b.Per == policy.Hour {
			e.most = fleet.PerHour(b.Amount)
			exceeded = exceeded && d.spending(b.Group).Compare(e.most) > 0
		}
		if exceeded && b.OnExceeded == policy.Shed {
			d.exceeds = append(d.exceeds, e)
		}
	}
	return nil
}

// lower puts ceilings where a cap is exceeded: what a model's servers carry
// without those that go.
func (d *decider) lower(e excess) error {
	order, err := d.settings.Policy.ShedOrder(d.sizer, d.settings.Catalog, d.view, e.budget)
	if err != nil {
		return fmt.Errorf("shed: %w", err)
	}
	// 1. How many go. Servers that go free their node only when the others fit on
	// fewer, which takes its time. Once what is in use would fit under the cap, one
	// more goes only where a search for a node to free came back empty.
	rest := d.inUse(e.budget.Group).Sub(e.most)
	gone := map[fleet.ReplicaID]bool{}
	touched := map[fleet.ModelName]bool{}
	stuck := d.settled() && d.ended() && d.in.Now.Before(d.memory.NextConsolidation)
	for i, w := range order {
		if rest.Compare(d.free()) <= 0 && (i > 0 || !stuck) {
			break
		}
		gone[w.Replica], touched[w.Model] = true, true
		rest = rest.Sub(w.Price)
	}
	if len(gone) == 0 {
		return nil
	}
	d.memory.NextConsolidation = d.in.Now // there will be nodes to free
	// 2. What is left of their models.
	for _, m := range d.models() {
		if !touched[m.Name] {
			continue
		}
		left := capacity(d.sizer, m, filter(d.staying(m.Name), func(s server) bool { return !gone[s.id] })) * (1 - 1e-9)
		if most, capped := d.memory.Ceilings[m.Name]; !capped || left < most {
			d.memory.Ceilings[m.Name] = left
		}
	}
	return nil
}

// release takes the ceilings off models for which no cap asks for them any more.
func (d *decider) release() error {
	for _, m := range d.models() {
		if _, capped := d.memory.Ceilings[m.Name]; !capped {
			continue
		}
		_, held := d.exceeded(m)
		for _, b := range d.settings.Policy.Budgets {
			if held || b.OnExceeded != policy.Shed || b.Per != policy.Hour || !concerns(b, m) {
				continue
			}
			price, err := d.afresh(b.Group)
			if err != nil {
				return err
			}
			held = price.Compare(fleet.PerHour(b.Amount)) > 0
		}
		if !held {
			delete(d.memory.Ceilings, m.Name)
		}
	}
	return nil
}

// spending is the rate of spending on nodes that do not drain, or a group's part.
func (d *decider) spending(group fleet.GroupName) fleet.Rate {
	return d.parts(group, func(own, all, _ int64) (int64, int64) {
		if group == "" {
			return 1, 1
		}
		return own, all
	})
}

// inUse is the part of the spending that pays for slices with a server that stays.
func (d *decider) inUse(group fleet.GroupName) fleet.Rate {
	return d.parts(group, func(own, all, total int64) (int64, int64) {
		if group == "" {
			return all, total
		}
		return own, total
	})
}

// parts adds up a part of the price of every node that does not drain. The part is
// told from the memory slices that the group's servers have, those of all groups,
// and those of the node.
func (d *decider) parts(group fleet.GroupName, part func(own, all, total int64) (int64, int64)) fleet.Rate {
	sum := d.free()
	on := d.onNodes()
	for _, n := range d.view.Nodes {
		o, ok := d.settings.Catalog.Offering(n.Offering)
		if !ok || n.State == fleet.NodeDraining {
			continue
		}
		var own, all, total int64
		staying := slices.DeleteFunc(on[n.ID], func(r fleet.Replica) bool { return r.State == fleet.ReplicaDraining })
		for _, w := range fleet.GroupWeights(n, staying, d.settings.Policy.Group) {
			all += w.Slices
			if w.Group == group {
				own += w.Slices
			}
		}
		for _, gpu := range n.GPUs {
			spec, _ := fleet.LookupGPU(gpu.Type)
			total += int64(max(1, spec.MemorySlices))
		}
		if share, of := part(own, all, total); of > 0 {
			sum = sum.Add(o.Price.Share(share, of))
		}
	}
	return sum
}

// afresh is the price of the cheapest layout found for the needs of a group, or
// of all, on an empty fleet.
func (d *decider) afresh(group fleet.GroupName) (fleet.Rate, error) {
	if known, ok := d.anew[group]; ok {
		return known, nil
	}
	q := question{d: d}
	for _, o := range d.settings.Catalog.Offerings {
		if d.settings.Policy.Buys(o.Name) {
			q.problem.GPUs = append(q.problem.GPUs, offer(o, o.Limit))
		}
	}
	var short []shortfall
	for i, m := range d.models() {
		if (group == "" || m.Group == group) && d.needs[i].Lead >= trifle {
			short = append(short, shortfall{model: m, lacks: d.needs[i].Lead})
		}
	}
	q.addModels(short)
	before := d.memory.Sequence
	a, err := q.solve()
	d.memory.Sequence = before // the names of what is not bought are free again
	if err != nil {
		return fleet.Rate{}, err
	}
	d.anew[group] = a.price
	return a.price, nil
}
