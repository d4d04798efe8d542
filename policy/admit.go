package policy

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Admit is the guard that every plan passes. It tries the steps one after the
// other on a copy of the snapshot and holds those that the policy does not allow:
//
//   - an unknown never lowers: no replica stops and no node drains while the
//     arrivals or the backlog of a model on it are unknown, unless a cap that
//     sheds is exceeded and the step says that it sheds;
//   - what somebody holds keeps its replicas, and no node under them drains;
//   - nothing is bought while it is not known in full what is spent, and a node
//     that is somebody else's is never drained;
//   - no model falls below its fewest replicas nor rises above its most, counted
//     ready and pending;
//   - no more nodes are bought in one plan, nor drain at once, than the policy
//     says, nor more of an offering than there are;
//   - nothing is committed above a cap that holds, also when a replica makes its
//     group pay for a larger part of a shared node;
//   - a step whose precondition does not hold is dropped, and so is what rests on
//     a step that was held.
//
// The order is kept. Every step that is held yields one reason. A node whose
// price is not in the catalog is an error, and then nothing is admitted.
func (p Policy) Admit(c fleet.Catalog, s fleet.Snapshot, steps []fleet.Step) (admitted []fleet.Step, held []fleet.Reason, err error) {
	// A node is bought for the replicas that start on it: they tell who pays for
	// it. Where one of them turns out to be held, the pass is repeated without it.
	refused := map[int]fleet.Reason{}
	for {
		g, err := newGuard(p, c, s, steps, refused)
		if err != nil {
			return nil, nil, fmt.Errorf("admit steps: %w", err)
		}
		if g.pass(); !g.repeat {
			return g.admitted, g.reasons, nil
		}
	}
}

// newGuard prepares a pass over the steps without those refused.
func newGuard(p Policy, c fleet.Catalog, s fleet.Snapshot, steps []fleet.Step, refused map[int]fleet.Reason) (*guard, error) {
	purse, err := NewPurse(p, c, s)
	if err != nil {
		return nil, err
	}
	g := &guard{
		policy: p, catalog: c, snapshot: s.Clone(), purse: purse, steps: steps, refused: refused, shedding: purse.sheds(),
		nodes: map[fleet.NodeID]bool{}, serving: map[fleet.ModelName]int{}, owned: map[fleet.OfferingName]int{},
	}
	for _, r := range s.Replicas {
		if r.State != fleet.ReplicaDraining {
			g.serving[r.Model]++
		}
	}
	for _, n := range s.Nodes {
		g.owned[n.Offering]++
		if n.State == fleet.NodeDraining && !n.Fixed { // what others drain is not ours to count
			g.draining++
		}
	}
	return g, nil
}

// pass tries every step in order.
func (g *guard) pass() {
	for i, step := range g.steps {
		why, refused := g.refused[i]
		ok := false
		if !refused {
			why, ok = g.admits(step)
		}
		if ok {
			g.admitted = append(g.admitted, step)
			continue
		}
		g.reasons = append(g.reasons, why)
		if start, is := step.(fleet.StartReplica); is && !refused && g.nodes[start.Slice.GPU.Node] {
			g.refused[i], g.repeat = why, true
		}
	}
}

// guard is the state of one pass of Admit: the fleet as it would be after the
// steps that were admitted so far.
type guard struct {
	policy   Policy
	catalog  fleet.Catalog
	snapshot fleet.Snapshot
	purse    *Purse
	steps    []fleet.Step
	refused  map[int]fleet.Reason // steps held by an earlier pass, by index
	shedding bool

	nodes    map[fleet.NodeID]bool // nodes the plan buys: whether they may be bought
	serving  map[fleet.ModelName]int
	owned    map[fleet.OfferingName]int
	bought   int
	draining int

	admitted []fleet.Step
	reasons  []fleet.Reason
	repeat   bool // a replica of a bought node was held
}

// admits tries one step and keeps its effect where it is allowed.
func (g *guard) admits(step fleet.Step) (fleet.Reason, bool) {
	switch step := step.(type) {
	case fleet.BuyNode:
		return g.buy(step)
	case fleet.StartReplica:
		return g.start(step)
	case fleet.StopReplica:
		return g.stop(step)
	case fleet.DrainNode:
		return g.drain(step)
	case fleet.KeepNode:
		why, ok := g.apply(step)
		if ok {
			g.draining--
		}
		return why, ok
	case fleet.ReturnNode:
		return g.giveBack(step)
	default:
		return g.apply(step)
	}
}

// apply changes the copy of the snapshot as the step would change the fleet.
func (g *guard) apply(step fleet.Step) (fleet.Reason, bool) {
	if err := step.Apply(&g.snapshot); err != nil {
		return stale(step, err.Error()), false
	}
	return fleet.Reason{}, true
}

func stale(step fleet.Step, cause string) fleet.Reason {
	return fleet.Because(fleet.ReasonHeldStale, "subject", step.Describe(), "cause", cause)
}

func limited(step fleet.Step, limit string) fleet.Reason {
	return fleet.Because(fleet.ReasonHeldStep, "subject", step.Describe(), "limit", limit)
}

func (g *guard) buy(step fleet.BuyNode) (fleet.Reason, bool) {
	why, ok := g.mayBuy(step)
	if ok {
		why, ok = g.apply(step)
	}
	if g.nodes[step.Node] = ok; !ok {
		return why, false
	}
	o, _ := g.catalog.Offering(step.Offering)
	g.purse.add(step.Node, holding{price: o.Price, reserved: reserve(o), groups: g.planned(step)})
	g.bought++
	g.owned[o.Name]++
	return fleet.Reason{}, true
}

func (g *guard) mayBuy(step fleet.BuyNode) (fleet.Reason, bool) {
	o, known := g.catalog.Offering(step.Offering)
	if doubt, is := g.snapshot.MoneyDoubt(); is {
		return fleet.Because(fleet.ReasonHeldDoubt, "subject", step.Describe(), "cause", doubt.Subject+": "+doubt.Cause), false
	}
	switch {
	case !known:
		return stale(step, fmt.Sprintf("the catalog does not list %s", step.Offering)), false
	case !g.policy.Buys(step.Offering):
		return stale(step, fmt.Sprintf("the policy does not allow %s", step.Offering)), false
	case g.bought >= g.policy.ScaleUp.MaxNodes:
		return limited(step, fmt.Sprintf("%d bought nodes", g.policy.ScaleUp.MaxNodes)), false
	case g.owned[o.Name] >= o.Limit:
		return limited(step, fmt.Sprintf("%d nodes of %s", o.Limit, o.Name)), false
	}
	if why, ok := g.purse.Allows(o, g.planned(step)); !ok {
		why.Operands[0].Value = step.Describe()
		return why, false
	}
	return fleet.Reason{}, true
}

// planned divides a node that is not there yet among the groups of the replicas
// that the plan starts on it.
func (g *guard) planned(buy fleet.BuyNode) []fleet.GroupWeight {
	var replicas []fleet.Replica
	for i, step := range g.steps {
		start, ok := step.(fleet.StartReplica)
		if _, refused := g.refused[i]; ok && !refused && start.Slice.GPU.Node == buy.Node {
			replicas = append(replicas, fleet.Replica{ID: start.Replica, Model: start.Model, Slice: start.Slice})
		}
	}
	return fleet.GroupWeights(fleet.Node{ID: buy.Node, GPUs: buy.GPUs}, replicas, g.policy.Group)
}

func (g *guard) start(step fleet.StartReplica) (fleet.Reason, bool) {
	id := step.Slice.GPU.Node
	allowed, bought := g.nodes[id]
	if bought && !allowed {
		return stale(step, fmt.Sprintf("node %s is not bought", id)), false
	}
	m, known := g.policy.Model(step.Model)
	if !known {
		return stale(step, fmt.Sprintf("the policy has no model %s", step.Model)), false
	}
	if why, free := g.free(step.Describe(), step.Model); !free {
		return why, false
	}
	if m.MaxReplicas > 0 && g.serving[m.Name] >= m.MaxReplicas {
		return limited(step, fmt.Sprintf("%d replicas of %s", m.MaxReplicas, m.Name)), false
	}
	node, _ := g.snapshot.Node(id)
	added := append(g.snapshot.On(id), fleet.Replica{ID: step.Replica, Model: step.Model, Slice: step.Slice})
	groups := fleet.GroupWeights(node, added, g.policy.Group)
	if !bought {
		if why, ok := g.purse.allowsDivision(step.Describe(), id, groups); !ok {
			return why, false
		}
	}
	if why, ok := g.apply(step); !ok {
		return why, false
	}
	g.serving[m.Name]++
	if !bought { // a bought node is divided already, by all that the plan starts there
		g.purse.divide(id, groups)
	}
	return fleet.Reason{}, true
}

func (g *guard) stop(step fleet.StopReplica) (fleet.Reason, bool) {
	r, ok := g.snapshot.Replica(step.Replica)
	if !ok || r.State == fleet.ReplicaDraining {
		return g.apply(step) // says what is wrong
	}
	if why, free := g.free(step.Describe(), r.Model); !free {
		return why, false
	}
	if why, ok := g.sees(step, r.Model); !ok {
		return why, false
	}
	if m, known := g.policy.Model(r.Model); known && g.serving[r.Model] <= m.MinReplicas {
		return stale(step, fmt.Sprintf("%s has %d replicas and keeps at least %d", r.Model, g.serving[r.Model], m.MinReplicas)), false
	}
	if why, ok := g.apply(step); !ok {
		return why, false
	}
	g.serving[r.Model]--
	return fleet.Reason{}, true
}

func (g *guard) drain(step fleet.DrainNode) (fleet.Reason, bool) {
	if node, there := g.snapshot.Node(step.Node); there && node.Fixed {
		return stale(step, "it is somebody else's: Tessera gives back only what it asked for"), false
	}
	for _, r := range g.snapshot.On(step.Node) {
		if r.State == fleet.ReplicaDraining {
			continue
		}
		if why, free := g.free(step.Describe(), r.Model); !free {
			return why, false
		}
		if why, ok := g.sees(step, r.Model); !ok {
			return why, false
		}
	}
	if limit := g.policy.ScaleDown.MaxNodes; g.draining >= limit {
		return limited(step, fmt.Sprintf("%d draining nodes", limit)), false
	}
	if why, ok := g.apply(step); !ok {
		return why, false
	}
	g.draining++
	return fleet.Reason{}, true
}

// giveBack frees a place among those that drain. The money stays counted until
// the node is seen to be gone.
func (g *guard) giveBack(step fleet.ReturnNode) (fleet.Reason, bool) {
	why, ok := g.apply(step)
	if ok {
		g.draining--
	}
	return why, ok
}

// sees tells whether enough is known of a model to take from it. Shedding under
// a cap that says so takes from what is not known, too, down to the floor.
func (g *guard) sees(step fleet.Step, model fleet.ModelName) (fleet.Reason, bool) {
	if g.shedding && step.Because().Code == fleet.ReasonShed {
		return fleet.Reason{}, true
	}
	signal, cause, unknown := g.policy.Signals.blind(g.snapshot.Model(model))
	if !unknown {
		return fleet.Reason{}, true
	}
	return fleet.Because(fleet.ReasonHeldUnknown,
		"subject", step.Subject(), "signal", fmt.Sprintf("%s of %s", signal, model), "cause", cause), false
}
