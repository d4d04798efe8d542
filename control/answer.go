package control

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// answer is what the packer said, in the words of the fleet.
type answer struct {
	gpus     []placedGPU // by node and index
	unserved map[fleet.ModelName]float64
	price    fleet.Rate // of what is bought
	why      fleet.Reason
}

// placedGPU is one GPU of an answer: one that stands and gets something new, or
// one of a node that is bought.
type placedGPU struct {
	id       fleet.GPUID
	offering fleet.Offering
	bought   bool
	reshaped bool
	slices   []packing.Slice // all of them
	placed   []packing.Slice // those that get a model
}

func (g placedGPU) geometry() fleet.Geometry {
	out := make(fleet.Geometry, len(g.slices))
	for i, s := range g.slices {
		out[i] = fleet.Placement{Profile: s.Profile, Start: s.Start}
	}
	return out
}

// newNode is a node that an answer buys.
type newNode struct {
	id       fleet.NodeID
	offering fleet.Offering
	gpus     []fleet.GPU
}

// nodes lists what an answer buys, GPUs in order.
func (a answer) nodes() []newNode {
	var out []newNode
	for _, g := range a.gpus {
		if !g.bought {
			continue
		}
		if n := len(out); n == 0 || out[n-1].id != g.id.Node {
			out = append(out, newNode{id: g.id.Node, offering: g.offering})
		}
		last := &out[len(out)-1]
		last.gpus = append(last.gpus, fleet.GPU{Type: g.offering.GPU, Geometry: g.geometry()})
	}
	return out
}

// bought counts what an answer buys, by offering.
func (a answer) bought() map[string]int {
	out := map[string]int{}
	for _, n := range a.nodes() {
		out[string(n.offering.Name)]++
	}
	return out
}

// solve packs, and reads the answer back.
func (q question) solve() (answer, error) {
	out := answer{unserved: map[fleet.ModelName]float64{}, price: q.d.free()}
	if len(q.problem.GPUs) == 0 { // nothing stands and nothing may be bought
		for _, m := range q.problem.Models {
			out.leave(m.Name, m.Demand)
		}
		return out, nil
	}
	solved, err := packing.Solve(q.problem, packing.Options{Effort: packing.Low})
	if err != nil {
		return answer{}, fmt.Errorf("pack: %w", err)
	}
	for name, left := range solved.Unserved {
		out.leave(name, left)
	}
	fresh := map[int]*newNode{} // by the packer's number of the node
	for _, p := range solved.GPUs {
		offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(p.Type))
		g := placedGPU{offering: offering, slices: p.Geometry, placed: occupied(p.Geometry)}
		if then, stands := q.gpus[p.ID]; stands {
			g.id, g.reshaped = then.id, !g.geometry().Equal(then.geometry)
			if len(g.placed) > 0 {
				out.gpus = append(out.gpus, g)
			}
			continue
		}
		if fresh[p.Node] == nil {
			fresh[p.Node] = &newNode{id: fleet.NodeID(q.d.memory.name(p.Type)), offering: offering}
			out.price = out.price.Add(offering.Price)
			out.gpus = append(out.gpus, unused(*fresh[p.Node])...)
		}
		out.fillNode(fresh[p.Node].id, g)
	}
	for i := range out.gpus {
		if out.gpus[i].bought || out.gpus[i].reshaped {
			q.d.refit(&out.gpus[i])
		}
	}
	slices.SortStableFunc(out.gpus, func(a, b placedGPU) int {
		return cmp.Or(cmp.Compare(a.id.Node, b.id.Node), cmp.Compare(a.id.Index, b.id.Index))
	})
	return out, nil
}

// leave notes what is not served of a model. Less than half a trifle is what
// rounding left.
func (a *answer) leave(model string, left float64) {
	if model != string(taken) && left >= trifle/2 {
		a.unserved[fleet.ModelName(model)] = left
	}
}

// unused are the GPUs of a node that is bought: all of them, whatever the packer
// puts on how many, because a node is sold whole.
func unused(n newNode) []placedGPU {
	out := make([]placedGPU, n.offering.GPUs)
	for i := range out {
		out[i] = placedGPU{
			id: fleet.GPUID{Node: n.id, Index: i}, offering: n.offering, bought: true,
			slices: []packing.Slice{{Profile: fleet.WholeGPU}},
		}
	}
	return out
}

// fillNode gives the next unused GPU of a bought node its slices.
func (a *answer) fillNode(id fleet.NodeID, g placedGPU) {
	for i := range a.gpus {
		if free := &a.gpus[i]; free.id.Node == id && len(free.placed) == 0 {
			free.slices, free.placed = g.slices, g.placed
			return
		}
	}
}

// occupied lists the slices that get a model.
func occupied(all []packing.Slice) []packing.Slice {
	var out []packing.Slice
	for _, s := range all {
		if s.Model != "" && s.Model != taken {
			out = append(out, s)
		}
	}
	return out
}
