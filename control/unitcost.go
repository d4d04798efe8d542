package control

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// meterUnits counts what the work of groups cost since the tick before, where their
// budgets are per thousand units.
func (m *Memory) meterUnits(s Settings, in Inputs) {
	before := m.UnitMeters
	m.UnitMeters = nil
	for _, b := range s.Policy.Budgets {
		if _, told := m.UnitMeters[b.Group]; told || b.Per != policy.ThousandUnits {
			continue
		}
		units := unitsOf(s.Policy, in.Snapshot, b.Group)
		rate, err := rateOf(s, in.Snapshot, b.Group)
		if err != nil {
			units = fleet.Unknown(err.Error())
		}
		meter := before[b.Group].Look(in.Now, rate, units)
		if m.UnitMeters == nil {
			m.UnitMeters = map[fleet.GroupName]policy.UnitMeter{}
		}
		m.UnitMeters[b.Group] = meter
	}
}

// UnitCosts are what the work of groups cost over the trailing day, sorted by group, of
// those whose budgets are per thousand units.
func (m Memory) UnitCosts() []fleet.UnitCost {
	var out []fleet.UnitCost
	for _, group := range slices.Sorted(maps.Keys(m.UnitMeters)) {
		out = append(out, m.UnitMeters[group].Cost(group))
	}
	return out
}

// unitsOf is how many units of work a second the models of a group served within their
// SLO lately: what arrives, times the share that is in time. It is unknown where it is
// of one of them; a model without arrivals serves none, whatever else is known of it.
func unitsOf(p policy.Policy, s fleet.Snapshot, group fleet.GroupName) fleet.Signal {
	sum := 0.0
	for _, m := range p.Models {
		if group != "" && m.Group != group {
			continue
		}
		seen := s.Model(m.Name)
		arrivals := p.Signals.Fresh(seen.Arrivals)
		rate, known := arrivals.Read()
		if !known {
			return fleet.Unknown(fmt.Sprintf("the arrivals of %s are unknown (%s)", m.Name, arrivals.Cause()))
		}
		if rate == 0 {
			continue
		}
		attainment := p.Signals.Fresh(seen.Attainment)
		share, known := attainment.Read()
		if !known {
			return fleet.Unknown(fmt.Sprintf("the attainment of %s is unknown (%s)", m.Name, attainment.Cause()))
		}
		sum += rate * share * m.Profile.MeanWork
	}
	return fleet.Measured(sum, 0, 1)
}

// rateOf is a group's part of the rate of spending, or all of it: of each node by the
// memory slices of the replicas on it, those that start included, and of nodes without
// a replica as much as of the rest.
func rateOf(s Settings, snapshot fleet.Snapshot, group fleet.GroupName) (fleet.Rate, error) {
	on := make(map[fleet.NodeID][]fleet.Replica, len(snapshot.Nodes))
	for _, r := range snapshot.Replicas {
		on[r.Slice.GPU.Node] = append(on[r.Slice.GPU.Node], r)
	}
	none := fleet.PerHour(fleet.Micros(0, s.Catalog.Currency))
	whole, own, borne := none, none, none
	for _, n := range snapshot.Nodes {
		o, ok := s.Catalog.Offering(n.Offering)
		if !ok {
			return none, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		whole = whole.Add(o.Price)
		var mine, all int64
		for _, w := range fleet.GroupWeights(n, on[n.ID], s.Policy.Group) {
			if all += w.Slices; w.Group == group {
				mine += w.Slices
			}
		}
		if all > 0 {
			borne, own = borne.Add(o.Price), own.Add(o.Price.Share(mine, all))
		}
	}
	switch {
	case group == "":
		return whole, nil
	case borne.Hourly().Micros() <= 0:
		return none, nil
	}
	return whole.Share(own.Hourly().Micros(), borne.Hourly().Micros()), nil
}
