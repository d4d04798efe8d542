package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// consolidationPause is how long to wait after a search for a node to free that
// found none: the fleet and its needs have hardly changed before.
const consolidationPause = 5 * time.Minute

// consolidationTries is how many nodes one search looks at, the dearest for each
// server that would have to move first.
const consolidationTries = 8

// consolidate looks for one node whose servers fit on the free slices of the
// others, and begins to move them. It looks only when nothing else changes.
func (d *decider) consolidate() error {
	if len(d.plan.Steps) > 0 || d.in.Now.Before(d.memory.NextConsolidation) || !d.settled() || d.settings.Policy.ScaleDown.MaxNodes == 0 {
		return nil
	}
	d.memory.NextConsolidation = d.in.Now.Add(consolidationPause)
	nodes := d.dearestFirst()
	for _, n := range nodes[:min(len(nodes), consolidationTries)] {
		if done, err := d.vacate(n); done || err != nil {
			return err
		}
	}
	return d.exchange(nodes)
}

// vacate plans to drain a node and to start what stands in for its servers; false
// where the others would not carry what is needed then, and nothing is planned.
func (d *decider) vacate(n fleet.Node) (bool, error) {
	short := d.short(d.kept(), n.ID)
	if len(short) > d.room(n.ID) {
		return false, nil // each of them needs a slice at least: no need to ask the packer
	}
	return d.standIn([]fleet.Node{n}, short, false, func(answer) bool { return true })
}

// standIn plans to drain nodes and to start elsewhere what is short without them, also
// on new nodes where buy is set, if the answer is worth it; false where the others
// would not carry what is needed then, and nothing is planned.
func (d *decider) standIn(nodes []fleet.Node, short []shortfall, buy bool, worth func(answer) bool) (bool, error) {
	view, plan, sequence := d.view.Clone(), d.plan, d.memory.Sequence
	for _, moving := range []bool{true, false} { // the hopeful question first
		q, err := d.withoutNodes(ids(nodes), short, moving, buy)
		if err != nil {
			return false, err
		}
		a, err := q.solve()
		if err != nil || len(a.unserved) > 0 || !worth(a) {
			d.memory.Sequence = sequence // the names of what is not bought are free again
			return false, err
		}
		a.why = d.replaces(nodes, a)
		for _, n := range nodes {
			d.add(fleet.DrainNode{Node: n.ID, Reason: d.spares(n)})
		}
		d.follow(a, short)
		if len(d.short(d.kept())) == 0 {
			return true, nil
		}
		d.view, d.plan, d.memory.Sequence, d.pools = view.Clone(), plan, sequence, nil
	}
	return false, nil
}

// spares says why a node goes.
func (d *decider) spares(n fleet.Node) fleet.Reason {
	o, _ := d.settings.Catalog.Offering(n.Offering)
	return fleet.Because(fleet.ReasonConsolidate, "node", n.ID, "at", clock(d.kept().by), "price", o.Price.Describe())
}

func ids(nodes []fleet.Node) []fleet.NodeID {
	out := make([]fleet.NodeID, len(nodes))
	for i, n := range nodes {
		out[i] = n.ID
	}
	return out
}

// settled tells whether everything that was begun is over. A request that drains is
// gone in a moment and not waited for; sessions may hold their node for an hour, in which
// it costs money and nothing else should be emptied. What others do to nodes of their own
// is not waited for either.
func (d *decider) settled() bool {
	return !slices.ContainsFunc(d.view.Nodes, func(n fleet.Node) bool {
		return n.State != fleet.NodeReady && n.State != fleet.NodeDraining && !n.Fixed
	}) && !slices.ContainsFunc(d.view.Replicas, func(r fleet.Replica) bool {
		m, _ := d.settings.Policy.Model(r.Model)
		return r.State != fleet.ReplicaReady && (r.State != fleet.ReplicaDraining || m.Profile.Sessions())
	})
}

// dearestFirst orders the nodes by price for each server that would have to
// move. One whose servers may not move is left out, and so is
// one that cannot be given back, and an only node.
func (d *decider) dearestFirst() []fleet.Node {
	if len(d.view.Nodes) < 2 {
		return nil
	}
	on := d.onNodes()
	nodes := slices.DeleteFunc(slices.Clone(d.view.Nodes), func(n fleet.Node) bool {
		return n.Fixed || slices.ContainsFunc(on[n.ID], func(r fleet.Replica) bool { return !d.movable(r.Model) })
	})
	worth := func(n fleet.Node) int64 {
		o, _ := d.settings.Catalog.Offering(n.Offering)
		return o.Price.Hourly().Micros() / int64(1+len(on[n.ID]))
	}
	slices.SortStableFunc(nodes, func(a, b fleet.Node) int {
		return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.ID, b.ID))
	})
	return nodes
}

// movable tells whether a model's servers may be drained: the policy has the
// model, and enough is known of it. The guard holds the drain otherwise, and then
// nothing is to be started in its stead.
func (d *decider) movable(name fleet.ModelName) bool {
	if _, known := d.settings.Policy.Model(name); !known {
		return false
	}
	if _, held := d.in.Snapshot.Held(name); held {
		return false
	}
	return !slices.ContainsFunc(d.memory.Blind.Models, func(b policy.BlindModel) bool { return b.Model == name })
}

// room is at most how many replicas could be placed without some nodes: free
// slices, and seven for each GPU that is empty and could be cut anew.
func (d *decider) room(without ...fleet.NodeID) int {
	busy := map[fleet.GPUID]int{}
	for _, r := range d.view.Replicas {
		busy[r.Slice.GPU]++
	}
	room := 0
	for _, n := range d.view.Nodes {
		if slices.Contains(without, n.ID) || n.State == fleet.NodeDraining {
			continue
		}
		for index, gpu := range n.GPUs {
			used := busy[fleet.GPUID{Node: n.ID, Index: index}]
			free := len(gpu.Geometry) - used
			if used == 0 && d.in.Pace == Planning {
				free = max(free, mostSlices)
			}
			room += free
		}
	}
	return room
}

// mostSlices is the largest number of slices of any GPU.
const mostSlices = 7
