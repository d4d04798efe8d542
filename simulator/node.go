package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// node is a machine in the world.
type node struct {
	fleet.Node // its Stages hold those to come too
	index      int32
	offering   fleet.Offering
	from       int64 // when it was asked for
	gpus       []*gpu
	replicas   []*replica
	bill       *bill
	reserved   *reserved // whose place it takes; nil where it is paid for itself
}

// buy brings a node into the world; it becomes ready when its stages are over.
func (w *World) buy(step fleet.BuyNode) (bool, error) {
	if n, used := w.byNode[step.Node]; used {
		if n == nil || n.Offering != step.Offering || len(n.GPUs) != len(step.GPUs) {
			return false, refuse(step, Conflict, "the id %s was used for another node", step.Node)
		}
		return false, nil
	}
	offering, ok := w.catalog.Offering(step.Offering)
	if !ok {
		return false, refuse(step, NotThere, "the catalog has no offering %s", step.Offering)
	}
	if err := sold(step, offering); err != nil {
		return false, err
	}
	paid, err := w.sell(step, offering)
	if err != nil {
		return false, err
	}
	ordinal := w.bought[step.Offering]
	w.bought[step.Offering]++
	stages, took := nodeStages(w.seed, offering, ordinal), time.Duration(0)
	for i := range stages {
		stages[i].takes = w.slowed(stages[i].takes, offering.Name)
		took += stages[i].takes
	}
	now := w.time(w.now)
	n := &node{
		Node: fleet.Node{
			ID: step.Node, Offering: step.Offering, State: fleet.NodeStarting, RequestedAt: now,
			BilledUntil: now.Add(offering.MinimumBilling), Stages: begun(now, stages[:]...),
		},
		index: int32(len(w.nodes)), offering: offering, from: w.now, bill: newBill(offering.Price, w.now),
	}
	for _, g := range step.GPUs {
		n.GPUs = append(n.GPUs, fleet.GPU{Type: g.Type, Geometry: g.Geometry.Clone()})
		n.gpus = append(n.gpus, &gpu{since: w.now})
	}
	if paid != nil {
		w.take(paid, n)
	}
	w.nodes = append(w.nodes, n)
	w.byNode[n.ID] = n
	w.live = append(w.live, n)
	w.heap.push(event{at: w.now + int64(took), kind: evNodeReady, subject: n.index})
	w.lend(n, ordinal)
	return true, nil
}

// sell tells why a node cannot be had now; else it finds the reserved one that is
// taken, nil where the node is paid for itself.
func (w *World) sell(step fleet.BuyNode, o fleet.Offering) (*reserved, error) {
	if w.outOfStock(o.Name) {
		w.unsold(o.Name, OutOfStock)
		return nil, refuse(step, OutOfStock, "%s is out of stock", o.Name)
	}
	if n := w.count(o.Name); n >= o.Limit {
		w.unsold(o.Name, LimitReached)
		return nil, refuse(step, LimitReached, "%d nodes of %s are there, and %d is its limit", n, o.Name, o.Limit)
	}
	paid, reserved := w.vacant(o.Name)
	if reserved && paid == nil {
		w.unsold(o.Name, LimitReached)
		return nil, refuse(step, LimitReached, "all nodes of %s that are reserved are in use", o.Name)
	}
	delete(w.rests, o.Name)
	return paid, nil
}

// sold tells what of the node that a step asks for the offering does not have.
func sold(step fleet.BuyNode, offering fleet.Offering) error {
	if len(step.GPUs) != offering.GPUs {
		return refuse(step, Impossible, "%s has %d GPUs, the step names %d", step.Offering, offering.GPUs, len(step.GPUs))
	}
	for i, g := range step.GPUs {
		if g.Type != offering.GPU {
			return refuse(step, Impossible, "%s has GPUs of type %s, the step names %s", step.Offering, offering.GPU, g.Type)
		}
		if err := exists(g.Type, g.Geometry); err != nil {
			return refuse(step, Impossible, "gpu %d: %v", i, err)
		}
	}
	return nil
}

// nodeReady ends a node's start-up and begins loading what was put on it.
func (w *World) nodeReady(n *node) {
	if n == nil {
		return // it went before
	}
	if n.State == fleet.NodeStarting {
		n.State = fleet.NodeReady
	}
	n.ReadyAt = w.time(w.now)
	for _, r := range n.replicas {
		w.startLoading(r)
	}
}

// startLoading begins loading a replica's weights once its node is ready and
// its GPU has its shape.
func (w *World) startLoading(r *replica) {
	if r.loading || r.state != fleet.ReplicaPending || r.node.ReadyAt.IsZero() || r.gpu.reshapes > 0 {
		return
	}
	r.loading = true
	took := w.slowed(r.load.At(r.model.draws.NormFloat64()), r.node.Offering)
	r.stages = begun(w.time(w.now), stage{"load", took})
	w.heap.push(event{at: w.now + int64(took), kind: evReplicaReady, subject: r.index})
}

// drainNode marks a node. One that is gone needs no drain.
func (w *World) drainNode(step fleet.DrainNode) (bool, error) {
	n, used := w.byNode[step.Node]
	if !used {
		return false, refuse(step, NotThere, "node %s is not there", step.Node)
	}
	if n == nil || n.State == fleet.NodeDraining {
		return false, nil
	}
	n.State = fleet.NodeDraining
	return true, nil
}

// keepNode takes a drain back.
func (w *World) keepNode(step fleet.KeepNode) (bool, error) {
	n := w.byNode[step.Node]
	if n == nil {
		return false, refuse(step, NotThere, "node %s is not there", step.Node)
	}
	if n.State != fleet.NodeDraining {
		return false, nil
	}
	if !n.LostAt.IsZero() {
		return false, refuse(step, Conflict, "node %s is taken away at %s", n.ID, n.LostAt.UTC().Format(time.RFC3339))
	}
	n.State = fleet.NodeReady
	if n.ReadyAt.IsZero() {
		n.State = fleet.NodeStarting
	}
	return true, nil
}

// giveBack ends a node's life; it is paid to the end of its minimum billing.
func (w *World) giveBack(step fleet.ReturnNode) (bool, error) {
	n, used := w.byNode[step.Node]
	if !used {
		return false, refuse(step, NotThere, "node %s is not there", step.Node)
	}
	if n == nil {
		return false, nil
	}
	if n.State != fleet.NodeDraining {
		return false, refuse(step, Conflict, "node %s is not draining", n.ID)
	}
	if len(n.replicas) > 0 {
		return false, refuse(step, Conflict, "%s is still on node %s", n.replicas[0].id, n.ID)
	}
	w.end(n, n.from+int64(n.offering.MinimumBilling))
	return true, nil
}

// count is how many nodes of an offering are alive.
func (w *World) count(offering fleet.OfferingName) int {
	total := 0
	for _, n := range w.live {
		if n.Offering == offering {
			total++
		}
	}
	return total
}
