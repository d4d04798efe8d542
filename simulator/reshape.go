package simulator

import (
	"fmt"
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// reshape cuts a GPU anew. What the offering declares must be empty: the GPU, or
// the whole node, whose GPUs are all out of service meanwhile. Several GPUs of a
// node may be reshaped at once; each is out of service until the last reshape
// that concerns it is over.
func (w *World) reshape(step fleet.Reshape) (bool, error) {
	n := w.byNode[step.GPU.Node]
	if n == nil || step.GPU.Index < 0 || step.GPU.Index >= len(n.GPUs) {
		return false, refuse(step, NotThere, "gpu %s is not there", step.GPU)
	}
	at := &n.GPUs[step.GPU.Index]
	if at.Geometry.Equal(step.Geometry) {
		return false, nil
	}
	if err := exists(at.Type, step.Geometry); err != nil {
		return false, refuse(step, Impossible, "%v", err)
	}
	if n.ReadyAt.IsZero() {
		return false, refuse(step, Conflict, "node %s is still starting", n.ID)
	}
	whole := n.offering.Reshape != fleet.ReshapeGPU
	for _, r := range n.replicas {
		if whole || r.slice.GPU == step.GPU {
			return false, refuse(step, Conflict, "%s is on what is reshaped", r.id)
		}
	}
	delay := n.offering.ReshapeFrom(at.Geometry, step.Geometry)
	at.Geometry = step.Geometry.Clone()
	draws := w.stream("reshape/" + strconv.Itoa(w.reconfigurations))
	w.reconfigurations++
	took := delay.At(draws.NormFloat64())
	for i := range n.GPUs {
		if whole || i == step.GPU.Index {
			n.GPUs[i].Reshaping = true
			n.gpus[i].reshapes++
			w.heap.push(event{at: w.now + int64(took), kind: evReshaped, subject: n.index, detail: int32(i)})
		}
	}
	return true, nil
}

// reshaped puts a GPU back into service and begins loading what was put on it.
func (w *World) reshaped(n *node, index int) {
	if n == nil {
		return // it went before
	}
	g := n.gpus[index]
	if g.reshapes--; g.reshapes > 0 {
		return
	}
	n.GPUs[index].Reshaping = false
	for _, r := range n.replicas {
		if r.gpu == g {
			w.startLoading(r)
		}
	}
}

// exists tells why a part cannot be cut so. A node without GPUs has one slice,
// all of it.
func exists(t fleet.GPUType, g fleet.Geometry) error {
	spec, known := fleet.LookupGPU(t)
	switch {
	case known:
		return g.Validate(spec)
	case t != fleet.CPU:
		return fmt.Errorf("the part %s is not known", t)
	case len(g) != 1 || g[0] != fleet.Placement{Profile: fleet.WholeGPU}:
		return fmt.Errorf("a node without GPUs has one slice, %s, not %s", fleet.WholeGPU, g)
	}
	return nil
}
