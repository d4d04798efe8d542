package control

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// spread starts a server on a free slice of another node for a model whose servers all
// stand on one: a slice that is paid for and free costs nothing more, and what the model
// loses with its node is all that it serves for as long as a new one takes to come. No
// node is bought for it, nor kept.
func (d *decider) spread() {
	if len(d.plan.Steps) > 0 || !d.settled() {
		return
	}
	for _, i := range d.likeliestShort() {
		m, need := d.models()[i], d.needs[i]
		pool := d.staying(m.Name)
		if !d.spreads(m, need) || len(pool) == 0 || nodesOf(pool) > 1 || !d.atRisk(m, pool[0].node) || m.MaxReplicas > 0 && len(pool) >= m.MaxReplicas {
			continue
		}
		at, variant, ok := d.spare(m, need, pool)
		if !ok {
			continue
		}
		d.add(fleet.StartReplica{
			Replica: fleet.ReplicaID(d.memory.name(string(m.Name))), Model: m.Name, Variant: variant, Slice: at.ID,
			Reason: fleet.Because(fleet.ReasonSpread, "model", m.Name, "node", pool[0].node, "slice", at.Kind.Profile, "other", at.ID.GPU.Node),
		})
	}
}

// spreads tells whether a model is to be on two nodes where that costs nothing: work that
// can wait does, sessions would hold the slice for as long as they last, and what somebody
// holds or a cap withdraws is not added to.
func (d *decider) spreads(m fleet.Model, need Need) bool {
	_, held := d.in.Snapshot.Held(m.Name)
	return m.Kind == fleet.Streaming && !m.Profile.Sessions() && !held && need.Shed == 0 && need.Lead > trifle
}

// likeliestShort orders the models, by index, by what they used of their error budgets.
func (d *decider) likeliestShort() []int {
	order := make([]int, len(d.models()))
	burnt := make([]float64, len(order))
	for i, m := range d.models() {
		order[i] = i
		stated, _ := d.asked.Policy.Model(m.Name)
		burnt[i] = d.memory.ErrorBudgets[m.Name].Long.burnt(stated.SLO.Target)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(burnt[b], burnt[a]) })
	return order
}

// spare finds a free slice for a model on a ready node without it that serves somebody
// anyway: the one that carries least of those that carry its need, else the one that
// carries most.
func (d *decider) spare(m fleet.Model, need Need, pool []server) (at fleet.Slice, variant fleet.VariantName, ok bool) {
	busy, on := d.view.Occupied(), d.onNodes()
	best := 0.0
	for _, n := range d.view.Nodes {
		o, priced := d.settings.Catalog.Offering(n.Offering)
		if !priced || n.State != fleet.NodeReady || n.ID == pool[0].node || len(on[n.ID]) == 0 {
			continue
		}
		for _, s := range n.Slices() {
			_, taken := busy[s.ID]
			_, stuck := d.memory.Progress.stuck(s.ID.GPU)
			if taken || stuck || n.GPUs[s.ID.GPU.Index].Reshaping {
				continue
			}
			if v, carries, serves := d.best(m, o, s.Kind.Profile, len(pool)+1); serves && (!ok || better(carries, best, need.Lead)) {
				at, variant, best, ok = s, v, carries, true
			}
		}
	}
	return at, variant, ok
}

// better tells whether a slice that carries so much suits a need better than another does.
func better(carries, other, need float64) bool {
	if carries >= need {
		return other < need || carries < other
	}
	return other < need && carries > other
}

// nodesOf counts the nodes on which servers stand.
func nodesOf(pool []server) int {
	seen := map[fleet.NodeID]bool{}
	for _, s := range pool {
		seen[s.node] = true
	}
	return len(seen)
}

// spreading tells whether a server spreads its model: all others of its pool stand on one
// node that may be lost, and this one does not.
func (d *decider) spreading(s server, m fleet.Model, need Need, pool []server) bool {
	if !d.spreads(m, need) {
		return false
	}
	rest := filter(pool, func(o server) bool { return o.id != s.id })
	return nodesOf(rest) == 1 && rest[0].node != s.node && d.atRisk(m, rest[0].node)
}

// yield stops servers that only spread their models where what is short then fits on what
// stands: a node is bought for need alone. What is short is placed by the next tick, once
// their slices are free; false where that does not help.
func (d *decider) yield(short []shortfall) (bool, error) {
	spares := d.spares()
	if len(spares) == 0 {
		return false, nil
	}
	view, sequence := d.view.Clone(), d.memory.Sequence
	gone := map[fleet.SliceID]server{}
	d.view.Replicas = slices.DeleteFunc(d.view.Replicas, func(r fleet.Replica) bool {
		s, spare := spares[r.ID]
		if spare {
			gone[r.Slice] = s
		}
		return spare
	})
	d.pools = nil
	q, err := d.question(short, false)
	var a answer
	if err == nil {
		a, err = q.solve()
	}
	d.view, d.pools, d.memory.Sequence = view, nil, sequence
	if err != nil || len(a.unserved) > 0 {
		return false, err
	}
	for _, g := range a.gpus {
		for _, p := range g.placed {
			if s, taken := gone[fleet.SliceID{GPU: g.id, Start: p.Start}]; taken && !g.reshaped {
				d.add(fleet.StopReplica{Replica: s.id, Reason: fleet.Because(fleet.ReasonYield,
					"replica", s.id, "model", p.Model, "node", s.node)})
			}
		}
	}
	return true, nil
}

// spares are the servers that only spread their models: the rest of their pool is on one
// node and carries the need.
func (d *decider) spares() map[fleet.ReplicaID]server {
	out := map[fleet.ReplicaID]server{}
	for i, m := range d.models() {
		pool := d.staying(m.Name)
		if len(pool) <= m.MinReplicas {
			continue
		}
		for _, s := range slices.Backward(pool) { // the newest first
			rest := filter(pool, func(o server) bool { return o.id != s.id && o.ready() })
			if d.spreading(s, m, d.needs[i], pool) && capacity(d.sizer, m, rest) >= d.needs[i].Keep {
				out[s.id] = s
				break
			}
		}
	}
	return out
}
