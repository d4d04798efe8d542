package control

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/policy"
)

// shed lowers needs where a cap that sheds is below what they would cost, by the
// capacity of one replica after the other in the policy's order, each model down
// to its least replicas. What is lowered here is then stopped, and its nodes
// freed, like any other surplus.
func (d *decider) shed() error {
	for _, b := range d.settings.Policy.Budgets {
		if b.OnExceeded != policy.Shed {
			continue
		}
		most := d.hourly(b)
		price, err := d.afresh(b.Group)
		if err != nil {
			return err
		}
		if price.Compare(most) <= 0 {
			continue
		}
		order, err := d.settings.Policy.ShedOrder(d.sizer, d.settings.Catalog, d.view, b)
		if err != nil {
			return fmt.Errorf("shed: %w", err)
		}
		for i := 0; i < len(order) && price.Compare(most) > 0; i++ {
			d.lower(order[i])
			if price, err = d.afresh(b.Group); err != nil {
				return err
			}
		}
	}
	return nil
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

// lower takes a replica's capacity from its model's need.
func (d *decider) lower(w policy.Withdrawal) {
	for i, m := range d.models() {
		if m.Name != w.Model {
			continue
		}
		n := &d.needs[i]
		for _, s := range d.servers(m.Name) {
			if s.id == w.Replica {
				part := share(d.sizer, m, *s.perf, 1)
				n.Shed += min(part, n.Lead)
				n.Now, n.Lead, n.Keep = max(0, n.Now-part), max(0, n.Lead-part), max(0, n.Lead-part)
			}
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
