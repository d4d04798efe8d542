package simulator

import (
	"context"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Do carries out one step of a plan, or refuses it with a *StepError and changes
// nothing. A step that was done before is a no-op. What a step takes away
// (stop, drain, return) it may take away again; what it brings (a node, a
// replica) it brings once, and its id is not used a second time.
func (w *World) Do(_ context.Context, _ fleet.PlanID, step fleet.Step) error {
	did, err := w.do(step)
	if did {
		w.actions++
	}
	return err
}

// Settle has nothing to do: what was begun goes on as time does.
func (w *World) Settle(context.Context, fleet.PlanID, fleet.Snapshot) error { return nil }

// do tells whether the step changed anything.
func (w *World) do(step fleet.Step) (bool, error) {
	switch s := step.(type) {
	case fleet.BuyNode:
		return w.buy(s)
	case fleet.Reshape:
		return w.reshape(s)
	case fleet.StartReplica:
		return w.startReplica(s)
	case fleet.StopReplica:
		return w.stopReplica(s)
	case fleet.DrainNode:
		return w.drainNode(s)
	case fleet.KeepNode:
		return w.keepNode(s)
	case fleet.ReturnNode:
		return w.giveBack(s)
	}
	return false, refuse(step, Impossible, "the world knows no step %s", step.Kind())
}

// startReplica puts a server on a slice; it begins to load when its place is
// there.
func (w *World) startReplica(step fleet.StartReplica) (bool, error) {
	if r, used := w.byReplica[step.Replica]; used {
		if r == nil || r.model.Name != step.Model || r.variant != step.Variant || r.slice != step.Slice {
			return false, refuse(step, Conflict, "the id %s was used for another replica", step.Replica)
		}
		return false, nil
	}
	m, ok := w.byModel[step.Model]
	if !ok {
		return false, refuse(step, NotThere, "model %s is not there", step.Model)
	}
	n, perf, err := w.place(step, m)
	if err != nil {
		return false, err
	}
	r := newServer(m, perf)
	r.id, r.index, r.model, r.variant = step.Replica, int32(len(w.replicas)), m, step.Variant
	r.slice, r.node, r.gpu, r.since = step.Slice, n, n.gpus[step.Slice.GPU.Index], w.now
	w.settle(n.bill)
	w.replicas = append(w.replicas, r)
	w.byReplica[r.id] = r
	n.replicas = append(n.replicas, r)
	w.divide(n)
	m.minutes.roll(w.now)
	m.starting++
	w.startLoading(r)
	return true, nil
}

// place finds the free slice for a replica and how it performs there.
func (w *World) place(step fleet.StartReplica, m *model) (*node, fleet.Performance, error) {
	no := func(why Refusal, format string, args ...any) (*node, fleet.Performance, error) {
		return nil, fleet.Performance{}, refuse(step, why, format, args...)
	}
	n := w.byNode[step.Slice.GPU.Node]
	if n == nil {
		return no(NotThere, "node %s is not there", step.Slice.GPU.Node)
	}
	kind, ok := n.Kind(step.Slice)
	if !ok {
		return no(NotThere, "slice %s is not there", step.Slice)
	}
	variant, _ := m.Profile.Variant(step.Variant)
	perf, ok := variant.On(kind)
	if !ok {
		return no(Impossible, "nobody measured %s %s on %s", step.Model, step.Variant, kind)
	}
	if n.offering.GPU == fleet.CPU && perf.MemoryMiB > n.offering.MemoryMiB {
		return no(Impossible, "%s %s needs %d MiB, and %s has %d", step.Model, step.Variant, perf.MemoryMiB, n.Offering, n.offering.MemoryMiB)
	}
	if n.State == fleet.NodeDraining {
		return no(Conflict, "node %s is draining", n.ID)
	}
	for _, r := range n.replicas {
		if r.slice == step.Slice {
			return no(Conflict, "slice %s is taken by %s", step.Slice, r.id)
		}
	}
	return n, perf, nil
}

// stopReplica lets a server finish and go. One that is gone needs no stop.
func (w *World) stopReplica(step fleet.StopReplica) (bool, error) {
	r, used := w.byReplica[step.Replica]
	if !used {
		return false, refuse(step, NotThere, "replica %s is not there", step.Replica)
	}
	if r == nil || r.state == fleet.ReplicaDraining {
		return false, nil
	}
	w.drain(r)
	return true, nil
}
