package control

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/policy"
)

// shed puts ceilings on needs where a cap that sheds is exceeded: one replica
// after the other in the policy's order, until what their slices cost makes up for
// the excess. What is above its ceiling is stopped, and its nodes freed, like any
// other surplus. Ceilings stay until the whole need would fit under the cap again.
func (d *decider) shed() error {
	for _, b := range d.settings.Policy.Budgets {
		if b.OnExceeded != policy.Shed {
			continue
		}
		if err := d.shedFor(b); err != nil {
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

func (d *decider) shedFor(b policy.Budget) error {
	most, spending := d.hourly(b), d.staying(b.Group)
	if spending.Compare(most) > 0 {
		order, err := d.settings.Policy.ShedOrder(d.sizer, d.settings.Catalog, d.view, b)
		if err != nil {
			return fmt.Errorf("shed: %w", err)
		}
		d.memory.NextConsolidation = d.in.Now // there are nodes to free
		excess := spending.Sub(most)
		for _, w := range order {
			if excess.Compare(fleet.Rate{}) <= 0 {
				break
			}
			d.lower(w)
			excess = excess.Sub(w.Price)
		}
		return nil
	}
	if len(d.memory.Ceilings) == 0 {
		return nil
	}
	price, err := d.afresh(b.Group)
	if err == nil && price.Compare(most) <= 0 {
		for _, m := range d.models() {
			if b.Group == "" || m.Group == b.Group {
				delete(d.memory.Ceilings, m.Name)
			}
		}
	}
	return err
}

// staying is the rate of spending on nodes that do not drain, or a group's part.
func (d *decider) staying(group fleet.GroupName) fleet.Rate {
	total := fleet.PerHour(fleet.Micros(0, d.settings.Catalog.Currency))
	for _, n := range d.view.Nodes {
		o, ok := d.settings.Catalog.Offering(n.Offering)
		if !ok || n.State == fleet.NodeDraining {
			continue
		}
		if group == "" {
			total = total.Add(o.Price)
			continue
		}
		var own, all int64
		for _, w := range fleet.GroupWeights(n, d.view.On(n.ID), d.settings.Policy.Group) {
			all += w.Slices
			if w.Group == group {
				own += w.Slices
			}
		}
		if all > 0 {
			total = total.Add(o.Price.Share(own, all))
		}
	}
	return total
}

// hourly is the rate of spending that a cap leaves: the cap itself for an hour,
// what is left of a day or month over what is left of its time.
func (d *decider) hourly(b policy.Budget) fleet.Rate {
	now := d.in.Now.UTC()
	spent, end := d.in.Snapshot.Spend.Day, time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.UTC)
	switch b.Per {
	case policy.Hour:
		return fleet.PerHour(b.Amount)
	case policy.Month:
		spent, end = d.in.Snapshot.Spend.Month, time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	if b.Group != "" {
		for _, g := range d.in.Snapshot.Spend.Groups {
			if g.Group == b.Group && b.Per == policy.Month {
				spent = g.Month
			} else if g.Group == b.Group {
				spent = g.Day
			}
		}
	}
	left := b.Amount.Sub(spent)
	if left.Micros() < 0 {
		left = left.Sub(left)
	}
	return fleet.PerHour(left.Share(int64(time.Hour), int64(end.Sub(now))))
}

// lower puts a ceiling on a model: what it has without the replica.
func (d *decider) lower(w policy.Withdrawal) {
	m, _ := d.settings.Policy.Model(w.Model)
	pool := filter(d.servers(w.Model), server.stays)
	most, capped := d.memory.Ceilings[w.Model]
	if !capped {
		most = capacity(d.sizer, m, pool)
	}
	for _, s := range pool {
		if s.id == w.Replica {
			d.memory.Ceilings[w.Model] = max(0, most-share(d.sizer, m, *s.perf, len(pool)))
		}
	}
}

// afresh is the price of the cheapest layout found for the needs of a group, or
// of all, on an empty fleet.
func (d *decider) afresh(group fleet.GroupName) (fleet.Rate, error) {
	q := question{d: d, buy: true}
	for _, o := range d.settings.Catalog.Offerings {
		if d.settings.Policy.Buys(o.Name) {
			most := o.Limit
			q.problem.GPUs = append(q.problem.GPUs, offer(o, &most))
		}
	}
	for i, m := range d.models() {
		if group != "" && m.Group != group || d.needs[i].Lead <= 0 {
			continue
		}
		q.problem.Models = append(q.problem.Models, packing.Model{Name: string(m.Name), Demand: d.needs[i].Lead, Throughput: q.throughput(m)})
	}
	if len(q.problem.Models) == 0 {
		return fleet.PerHour(fleet.Micros(0, d.settings.Catalog.Currency)), nil
	}
	before := d.memory.Sequence
	a, err := q.solve()
	d.memory.Sequence = before // the names of what is not bought are free again
	return a.price, err
}

// shedOperands are the quantities of the reason why a model gives way.
func (d *decider) shedOperands(m fleet.Model) []any {
	spend, err := d.view.Committed(d.settings.Catalog)
	if err != nil {
		spend = fleet.Rate{} // the guard reports a node without a price
	}
	limit := ""
	for _, b := range d.settings.Policy.Budgets {
		if b.OnExceeded == policy.Shed && (b.Group == "" || b.Group == m.Group) {
			limit = b.String()
		}
	}
	return []any{"spend", spend.Describe(), "cap", limit, "model", m.Name, "value", m.Value.Describe()}
}
