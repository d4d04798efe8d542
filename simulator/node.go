package simulator

import (
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// node is a machine in the world.
type node struct {
	fleet.Node
	index    int32
	offering fleet.Offering
	gpus     []*gpu
	replicas []*replica
	gone     bool
	bill     bill
}

// gpu is one GPU in the world.
type gpu struct {
	active   int        // servers at work on it
	since    int64      // when the first of them began
	worked   int64      // nanoseconds in which at least one server was at work, up to since
	reshapes int        // under way
	sessions []*replica // servers of sessions on it, once they serve
}

// begin counts a server that begins a batch.
func (g *gpu) begin(now int64) {
	if g.active == 0 {
		g.since = now
	}
	g.active++
}

// end counts a server that ends a batch.
func (g *gpu) end(now int64) {
	if g.active--; g.active == 0 {
		g.worked += now - g.since
	}
}

// workedUntil is the time in which the GPU did something.
func (g *gpu) workedUntil(now int64) int64 {
	if g.active > 0 {
		return g.worked + now - g.since
	}
	return g.worked
}

// buy brings a node into the world; it becomes ready when its stages are over.
func (w *World) buy(step fleet.BuyNode) (bool, error) {
	if n, used := w.byNode[step.Node]; used {
		if n.gone || n.Offering != step.Offering || len(n.GPUs) != len(step.GPUs) {
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
	if w.outOfStock(step.Offering) {
		return false, refuse(step, OutOfStock, "%s is out of stock", step.Offering)
	}
	if n := w.count(step.Offering); n >= offering.Limit {
		return false, refuse(step, LimitReached, "%d nodes of %s are there, and %d is its limit", n, step.Offering, offering.Limit)
	}
	draws := w.stream("node/" + string(step.Offering) + "/" + strconv.Itoa(w.bought[step.Offering]))
	w.bought[step.Offering]++
	lead := offering.Lead
	took := lead.Node.At(draws.NormFloat64()) + lead.Driver.At(draws.NormFloat64()) + lead.Image.At(draws.NormFloat64())
	n := &node{
		Node: fleet.Node{
			ID: step.Node, Offering: step.Offering, State: fleet.NodeStarting, RequestedAt: w.time(w.now),
			BilledUntil: w.time(w.now).Add(offering.MinimumBilling),
		},
		index: int32(len(w.nodes)), offering: offering, bill: newBill(w.now, w.catalog.Currency),
	}
	for _, g := range step.GPUs {
		n.GPUs = append(n.GPUs, fleet.GPU{Type: g.Type, Geometry: g.Geometry.Clone()})
		n.gpus = append(n.gpus, &gpu{})
	}
	w.nodes = append(w.nodes, n)
	w.byNode[n.ID] = n
	w.live = append(w.live, n)
	w.heap.push(event{at: w.now + int64(took), kind: evNodeReady, subject: n.index})
	return true, nil
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
	if n.gone {
		return
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
	took := r.load.At(r.model.draws.NormFloat64())
	w.heap.push(event{at: w.now + int64(took), kind: evReplicaReady, subject: r.index})
}

// drainNode marks a node. One that is gone needs no drain.
func (w *World) drainNode(step fleet.DrainNode) (bool, error) {
	n, used := w.byNode[step.Node]
	if !used {
		return false, refuse(step, NotThere, "node %s is not there", step.Node)
	}
	if n.gone || n.State == fleet.NodeDraining {
		return false, nil
	}
	n.State = fleet.NodeDraining
	return true, nil
}

// keepNode takes a drain back.
func (w *World) keepNode(step fleet.KeepNode) (bool, error) {
	n, ok := w.byNode[step.Node]
	if !ok || n.gone {
		return false, refuse(step, NotThere, "node %s is not there", step.Node)
	}
	if n.State != fleet.NodeDraining {
		return false, nil
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
	if n.gone {
		return false, nil
	}
	if n.State != fleet.NodeDraining {
		return false, refuse(step, Conflict, "node %s is not draining", n.ID)
	}
	if len(n.replicas) > 0 {
		return false, refuse(step, Conflict, "%s is still on node %s", n.replicas[0].id, n.ID)
	}
	w.closeBill(n)
	n.gone = true
	w.live = without(w.live, n)
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
