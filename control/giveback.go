package control

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// giveBack plans what goes: servers that leave, once others stand in for them,
// servers beyond the need, empty nodes, and a node whose servers fit elsewhere.
func (d *decider) giveBack() error {
	d.stopStrangers()
	d.keepStrained()
	for i, m := range d.models() {
		if _, held := d.in.Snapshot.Held(m.Name); held {
			continue
		}
		d.relieve(m, d.needs[i])
		for d.stopOne(m, d.needs[i]) {
		}
	}
	d.returnEmptyNodes()
	if err := d.consolidate(); err != nil {
		return err
	}
	d.spread()
	return nil
}

// stopStrangers stops servers of models that left the policy, once nothing asks
// for them any more.
func (d *decider) stopStrangers() {
	for _, r := range slices.Clone(d.view.Replicas) {
		if _, known := d.settings.Policy.Model(r.Model); known || r.State == fleet.ReplicaDraining {
			continue
		}
		seen := d.in.Snapshot.Model(r.Model)
		fresh := d.settings.Policy.Signals.Fresh
		if fresh(seen.Arrivals).State() == fleet.SignalZero && fresh(seen.Backlog).State() == fleet.SignalZero {
			d.add(fleet.StopReplica{Replica: r.ID, Reason: fleet.Because(fleet.ReasonSurplus,
				"model", r.Model, "need", "nothing", "at", clock(d.kept().by), "have", "a place though the policy has no such model")})
		}
	}
}

// relieve stops a model's servers that leave as soon as the ready ones that stay
// carry what is needed until new capacity could serve: what stands in for those that leave
// may still be starting, or never come.
func (d *decider) relieve(m fleet.Model, need Need) {
	all := d.servers(m.Name)
	standing := filter(all, func(s server) bool { return s.stays() && s.ready() })
	carried := capacity(d.sizer, m, standing)
	if len(standing) < m.MinReplicas || carried < need.Lead {
		return
	}
	for _, s := range all {
		if s.leaves && s.state != fleet.ReplicaDraining {
			why := fleet.Because(fleet.ReasonSurplus,
				"model", m.Name, "need", rate(need.Lead), "have", rate(carried), "at", clock(d.soon().by), "node", s.node)
			if g, stuck := d.memory.Progress.stuck(s.gpu); stuck {
				why = g.reason()
			}
			d.add(fleet.StopReplica{Replica: s.id, Reason: why})
		}
	}
}

// stopOne stops one server that is not needed until a new one would have earned
// its keep, on the emptiest node first; false when all are needed. A ready one
// goes only once the ready ones left carry what is needed now.
func (d *decider) stopOne(m fleet.Model, need Need) bool {
	pool := d.staying(m.Name)
	if len(pool) <= m.MinReplicas {
		return false
	}
	carried := capacity(d.sizer, m, pool)
	if carried <= need.Keep {
		return false
	}
	slices.SortStableFunc(pool, func(a, b server) int { return cmp.Compare(a.company, b.company) })
	for _, s := range pool {
		rest := filter(pool, func(o server) bool { return o.id != s.id })
		if capacity(d.sizer, m, rest) < need.Keep || d.spreading(s, m, need, pool) {
			continue
		}
		if s.ready() && capacity(d.sizer, m, filter(rest, server.ready)) < need.Now {
			return false // those that stand in for it are still starting
		}
		why := fleet.Because(fleet.ReasonSurplus, "model", m.Name, "need", rate(need.Keep), "at", clock(d.kept().by), "have", rate(carried))
		if e, exceeded := d.exceeded(m); exceeded && need.Shed > 0 {
			why = e.reason(m, need)
		}
		if paced, gives := d.gives[m.Name]; gives {
			why = paced
		}
		return d.add(fleet.StopReplica{Replica: s.id, Reason: why})
	}
	return false
}

// returnEmptyNodes drains nodes that nobody uses and gives them back when their
// minimum billing is over: until then they cost nothing more.
func (d *decider) returnEmptyNodes() {
	on := d.onNodes()
	for _, n := range d.in.Snapshot.Nodes { // not those that this plan buys
		if len(on[n.ID]) > 0 || n.Fixed {
			continue
		}
		n, _ = d.view.Node(n.ID)
		o, ok := d.settings.Catalog.Offering(n.Offering)
		if !ok {
			continue
		}
		why := fleet.Because(fleet.ReasonEmptyNode, "node", n.ID, "at", clock(d.kept().by), "price", o.Price.Describe())
		if n.State != fleet.NodeDraining && !d.add(fleet.DrainNode{Node: n.ID, Reason: why}) {
			continue
		}
		if !d.in.Now.Before(n.BilledUntil) {
			d.add(fleet.ReturnNode{Node: n.ID, Reason: why})
		}
	}
}
