package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// outlay is the committed rate of spending and what it goes to. The three parts
// add up to the whole.
type outlay struct {
	whole fleet.Rate
	gpu   fleet.Rate // GPUs on which a replica serves
	cpu   fleet.Rate // nodes without GPUs on which a replica serves
	idle  fleet.Rate // GPUs and such nodes on which none does, those that still start included
}

// outlayOf splits each node's price evenly over its GPUs. A replica serves until
// it is gone, so one that drains keeps its GPU from being idle.
func outlayOf(s State) (outlay, error) {
	zero := fleet.PerHour(fleet.Micros(0, s.Settings.Policy.Currency))
	out := outlay{whole: zero, gpu: zero, cpu: zero, idle: zero}
	snapshot := s.Record.Inputs.Snapshot
	serving := map[fleet.GPUID]bool{}
	for _, r := range snapshot.Replicas {
		if r.State != fleet.ReplicaPending {
			serving[r.Slice.GPU] = true
		}
	}
	for _, n := range snapshot.Nodes {
		o, ok := s.Settings.Catalog.Offering(n.Offering)
		if !ok {
			return outlay{}, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		busy := 0
		for index := range n.GPUs {
			if serving[fleet.GPUID{Node: n.ID, Index: index}] {
				busy++
			}
		}
		used := o.Price.Share(int64(busy), int64(max(1, len(n.GPUs))))
		out.whole = out.whole.Add(o.Price)
		out.idle = out.idle.Add(o.Price.Sub(used))
		if o.GPU == fleet.CPU {
			out.cpu = out.cpu.Add(used)
		} else {
			out.gpu = out.gpu.Add(used)
		}
	}
	return out, nil
}

// funds is a budget and how it stands.
type funds struct {
	Budget policy.Budget `json:"budget"`
	Spent  fleet.Money   `json:"spent"` // in the budget's period, as the guard counts: paid and committed
	Left   fleet.Money   `json:"left"`  // negative when exceeded
}

// fundsOf reads the budgets in the order of the policy. The guard's purse lists
// the caps that are exceeded; with every cap below zero it lists all of them, and
// so tells what it counts against each.
func fundsOf(s State) ([]funds, error) {
	probe := s.Settings.Policy
	probe.Budgets = slices.Clone(probe.Budgets)
	for i := range probe.Budgets {
		probe.Budgets[i].Amount = fleet.Micros(-1, probe.Currency)
	}
	purse, err := policy.NewPurse(probe, s.Settings.Catalog, s.Record.Inputs.Snapshot)
	if err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	out := make([]funds, 0, len(probe.Budgets))
	for i, o := range purse.Overruns() {
		b := s.Settings.Policy.Budgets[i]
		out = append(out, funds{Budget: b, Spent: o.Spend, Left: b.Amount.Sub(o.Spend)})
	}
	return out, nil
}

// collectMoney sends the metrics of money. Where a price is missing, what depends
// on it is absent.
func collectMoney(out chan<- prometheus.Metric, s State, spent meter) {
	unit := unitOf(s.Settings.Policy.Currency)
	if cost, err := outlayOf(s); err == nil {
		for _, part := range []struct {
			kind string
			rate fleet.Rate
		}{{"gpu", cost.gpu}, {"cpu", cost.cpu}, {"idle", cost.idle}} {
			emit(out, prometheus.GaugeValue, "cost_"+unit+"_per_hour",
				"Committed spending an hour: on GPUs and nodes without GPUs that serve, and on those that do not.",
				part.rate.Hourly().Float(), "kind", part.kind)
		}
	}
	emit(out, prometheus.CounterValue, "cost_"+unit+"_total",
		"Money spent since this process began.", spent.total.Float())
	budgets, err := fundsOf(s)
	if err != nil {
		return
	}
	told := map[string]bool{}
	for _, f := range budgets {
		key := string(f.Budget.Per) + "\x00" + string(f.Budget.Group)
		if told[key] { // two behaviours at two amounts: the first one counts
			continue
		}
		told[key] = true
		emit(out, prometheus.GaugeValue, "budget_remaining_"+unit,
			"What a budget leaves, paid and committed money taken off; negative when it is exceeded. Without a group: the fleet's.",
			f.Left.Float(), "per", string(f.Budget.Per), "group", string(f.Budget.Group))
	}
}

// unitOf is the currency as a unit in the name of a metric: dollars where the
// policy counts in USD, and never dollars where it does not.
func unitOf(c fleet.Currency) string {
	switch c {
	case "USD", "":
		return "dollars"
	case "EUR":
		return "euros"
	case "GBP":
		return "pounds"
	}
	return strings.ToLower(string(c))
}
