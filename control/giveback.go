package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// consolidationPause is how long to wait after a search for a node to free that
// found none: the fleet and its needs have hardly changed before.
const consolidationPause = 5 * time.Minute

// consolidationTries is how many nodes one search looks at, the cheapest to free
// first.
const consolidationTries = 8

// giveBack plans what goes: servers on draining nodes once others stand in for
// them, servers beyond the need, empty nodes, and a node whose servers fit
// elsewhere.
func (d *decider) giveBack() error {
	d.emptyDrainingNodes()
	for i, m := range d.models() {
		d.stopSurplus(m, d.needs[i])
	}
	d.returnEmptyNodes()
	return d.consolidate()
}

// emptyDrainingNodes stops servers on draining nodes as soon as the ready ones
// that stay carry what is needed now.
func (d *decider) emptyDrainingNodes() {
	for i, m := range d.models() {
		for _, leaving := range d.servers(m.Name) {
			if !leaving.drains || leaving.state == fleet.ReplicaDraining {
				continue
			}
			standing := filter(d.servers(m.Name), func(s server) bool { return s.stays() && s.ready() })
			carried := capacity(d.sizer, m, standing)
			if len(standing) < m.MinReplicas || carried < d.needs[i].Now {
				break
			}
			d.add(fleet.StopReplica{Replica: leaving.id, Reason: fleet.Because(fleet.ReasonSurplus,
				"model", m.Name, "need", rate(d.needs[i].Now), "have", rate(carried), "at", clock(d.in.Now), "node", leaving.node)})
		}
	}
}

// stopSurplus stops servers that are not needed until new ones would have
// earned their keep, emptiest node first.
func (d *decider) stopSurplus(m fleet.Model, need Need) {
	for d.stopOne(m, need) {
	}
}

// stopOne stops one server, false when all are needed.
func (d *decider) stopOne(m fleet.Model, need Need) bool {
	pool := filter(d.servers(m.Name), server.stays)
	if len(pool) <= m.MinReplicas {
		return false
	}
	carried := capacity(d.sizer, m, pool)
	if carried <= need.Keep {
		return false
	}
	slices.SortStableFunc(pool, func(a, b server) int { return cmp.Compare(a.company, b.company) })
	rest := make([]server, len(pool)-1)
	for i, s := range pool {
		copy(rest, pool[:i])
		copy(rest[i:], pool[i+1:])
		if capacity(d.sizer, m, rest) < need.Keep {
			continue
		}
		why := fleet.Because(fleet.ReasonSurplus, "model", m.Name, "need", rate(need.Keep),
			"at", clock(d.in.Now.Add(d.horizons.keep)), "have", rate(carried))
		if need.Shed > 0 {
			why = fleet.Because(fleet.ReasonShed, append(d.shedOperands(m), "shed", rate(need.Shed))...)
		}
		return d.add(fleet.StopReplica{Replica: s.id, Reason: why})
	}
	return false
}

// returnEmptyNodes drains nodes that nobody uses and gives them back when their
// minimum billing is over: until then they cost nothing more.
func (d *decider) returnEmptyNodes() {
	crowd := map[fleet.NodeID]int{}
	for _, r := range d.view.Replicas {
		crowd[r.Slice.GPU.Node]++
	}
	for _, n := range slices.Clone(d.view.Nodes) {
		if crowd[n.ID] > 0 {
			continue
		}
		o, ok := d.settings.Catalog.Offering(n.Offering)
		if !ok {
			continue
		}
		why := fleet.Because(fleet.ReasonEmptyNode, "node", n.ID, "at", clock(d.in.Now.Add(d.horizons.keep)), "price", o.Price.Describe())
		if n.State != fleet.NodeDraining && !d.add(fleet.DrainNode{Node: n.ID, Reason: why}) {
			continue
		}
		if !d.in.Now.Before(n.BilledUntil) {
			d.add(fleet.ReturnNode{Node: n.ID, Reason: why})
		}
	}
}

// consolidate looks for one node whose servers fit on the free slices of the
// others, and begins to move them. It looks only when nothing else changes.
func (d *decider) consolidate() error {
	if len(d.plan.Steps) > 0 || d.in.Now.Before(d.memory.NextConsolidation) {
		return nil
	}
	if slices.ContainsFunc(d.view.Nodes, func(n fleet.Node) bool { return n.State != fleet.NodeReady }) ||
		slices.ContainsFunc(d.view.Replicas, func(r fleet.Replica) bool { return r.State != fleet.ReplicaReady }) {
		return nil
	}
	d.memory.NextConsolidation = d.in.Now.Add(consolidationPause)
	nodes := d.leastUsedFirst()
	for _, n := range nodes[:min(len(nodes), consolidationTries)] {
		short := d.short(func(need Need) float64 { return need.Keep }, n.ID)
		if len(short) > d.room(n.ID) {
			continue // each of them needs a slice at least: no need to ask the packer
		}
		q, err := d.question(short, n.ID, false)
		if err != nil {
			return err
		}
		a, err := q.solve()
		if err != nil {
			return err
		}
		if len(short) > 0 && unmet(a.unserved) != "nothing" {
			continue
		}
		o, _ := d.settings.Catalog.Offering(n.Offering)
		d.add(fleet.DrainNode{Node: n.ID, Reason: fleet.Because(fleet.ReasonConsolidate,
			"node", n.ID, "at", clock(d.in.Now.Add(d.horizons.keep)), "price", o.Price.Describe())})
		d.follow(a, short)
		return nil
	}
	return nil
}

// room is at most how many replicas could be placed without the node: its free
// slices, and seven for each GPU that is empty and could be cut anew.
func (d *decider) room(without fleet.NodeID) int {
	occupied := d.view.Occupied()
	n := 0
	for _, node := range d.view.Nodes {
		if node.ID == without {
			continue
		}
		free := 0
		slices := node.Slices()
		for _, s := range slices {
			if _, taken := occupied[s.ID]; !taken {
				free++
			}
		}
		if free == len(slices) {
			free = max(free, mostSlices*len(node.GPUs))
		}
		n += free
	}
	return n
}

// mostSlices is the largest number of slices of any GPU.
const mostSlices = 7

// leastUsedFirst orders the nodes by price for each server that would have to
// move, dearest first.
func (d *decider) leastUsedFirst() []fleet.Node {
	nodes := slices.Clone(d.view.Nodes)
	if len(nodes) < 2 {
		return nil
	}
	crowd := map[fleet.NodeID]int64{}
	for _, r := range d.view.Replicas {
		crowd[r.Slice.GPU.Node]++
	}
	worth := func(n fleet.Node) int64 {
		o, _ := d.settings.Catalog.Offering(n.Offering)
		return o.Price.Hourly().Micros() / (1 + crowd[n.ID])
	}
	slices.SortStableFunc(nodes, func(a, b fleet.Node) int {
		return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.ID, b.ID))
	})
	return nodes
}
