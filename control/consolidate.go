package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// consolidationPause is how long to wait after a search for nodes to free: the fleet
// and its needs have hardly changed before.
const consolidationPause = 5 * time.Minute

// consolidationTries is how many nodes one search looks at, the dearest for each
// server that would have to move first.
const consolidationTries = 8

// consolidate looks for one node whose servers fit on the free slices of the
// others, and begins to move them. It looks only when nothing else changes, and for two
// nodes that could be exchanged only when no sessions drain.
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
	if !d.ended() {
		return nil
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
	o, _ := d.settings.Catalog.Offering(n.Offering)
	why := fleet.Because(fleet.ReasonConsolidate, "node", n.ID, "at", clock(d.kept().by), "price", o.Price.Describe())
	return d.standIn([]fleet.Node{n}, short, false, func(answer) (fleet.Reason, bool) { return why, true })
}

// standIn plans to drain nodes and to start elsewhere what is short without them, also on
// new nodes where they may be bought, if the answer is worth it for the reason that it is
// given. Nothing is planned, and false returned, where it is not, where it leaves something
// unserved, or where the guard would hold any part of it: half a move may be worse than none.
func (d *decider) standIn(nodes []fleet.Node, short []shortfall, buy bool, worth func(answer) (fleet.Reason, bool)) (bool, error) {
	view, plan, sequence := d.view.Clone(), d.plan, d.memory.Sequence
	for _, moving := range []bool{true, false} { // the hopeful question first
		a, err := d.without(nodes, short, moving, buy)
		why, pays := worth(a)
		ok := err == nil && pays && len(a.unserved) == 0
		fits := ok && d.move(nodes, a, short, why) && len(d.short(d.kept())) == 0
		if fits {
			var held []fleet.Reason
			if _, held, err = d.settings.Policy.Admit(d.settings.Catalog, d.in.Snapshot, d.plan.Steps); err == nil && len(held) == 0 {
				return true, nil
			}
		}
		d.view, d.plan, d.memory.Sequence, d.pools = view.Clone(), plan, sequence, nil // the names are free again
		if !ok || fits {
			return false, err
		}
	}
	return false, nil
}

// without asks how to cover what is short on what stands but some nodes, and on new ones
// where buy is set. Each server carries more in a larger pool, so that the answer differs
// with what is taken for granted: that a model has as many servers afterwards as before,
// where moving, or only one more than the other nodes have.
func (d *decider) without(nodes []fleet.Node, short []shortfall, moving, buy bool) (answer, error) {
	q, err := d.ask(question{without: ids(nodes), moving: moving}, short, buy)
	if err != nil {
		return answer{}, err
	}
	return q.solve()
}

// move plans the drains and what stands in for the servers; false where a node cannot be
// drained.
func (d *decider) move(nodes []fleet.Node, a answer, short []shortfall, why fleet.Reason) bool {
	a.why = why
	for _, n := range nodes {
		if !d.add(fleet.DrainNode{Node: n.ID, Reason: why}) {
			return false
		}
	}
	d.follow(a, short)
	return true
}

func ids(nodes []fleet.Node) []fleet.NodeID {
	out := make([]fleet.NodeID, len(nodes))
	for i, n := range nodes {
		out[i] = n.ID
	}
	return out
}

// settled tells whether everything that was begun serves. What drains is not waited for: it
// needs nothing more, and sessions may take an hour, in which no other node would be freed.
// What others do to nodes of their own is not waited for either.
func (d *decider) settled() bool {
	return !slices.ContainsFunc(d.view.Nodes, func(n fleet.Node) bool {
		return n.State != fleet.NodeReady && n.State != fleet.NodeDraining && !n.Fixed
	}) && !slices.ContainsFunc(d.view.Replicas, func(r fleet.Replica) bool {
		return r.State != fleet.ReplicaReady && r.State != fleet.ReplicaDraining
	})
}

// ended tells whether no sessions drain. Until then a new node would be paid beside theirs.
func (d *decider) ended() bool {
	return !slices.ContainsFunc(d.view.Replicas, func(r fleet.Replica) bool {
		m, _ := d.settings.Policy.Model(r.Model)
		return r.State == fleet.ReplicaDraining && m.Profile.Sessions()
	})
}

// dearestFirst orders the nodes by price for each server that would have to
// move. One whose servers may not move is left out, and so is one that drains already, one
// that cannot be given back, and an only node.
func (d *decider) dearestFirst() []fleet.Node {
	if len(d.view.Nodes) < 2 {
		return nil
	}
	on := d.onNodes()
	nodes := slices.DeleteFunc(slices.Clone(d.view.Nodes), func(n fleet.Node) bool {
		return n.Fixed || n.State == fleet.NodeDraining || slices.ContainsFunc(on[n.ID], func(r fleet.Replica) bool { return !d.movable(r.Model) })
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
			id := fleet.GPUID{Node: n.ID, Index: index}
			if _, stuck := d.memory.Progress.stuck(id); stuck {
				continue
			}
			used := busy[id]
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
