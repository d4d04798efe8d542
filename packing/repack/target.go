package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// A target is a layout to be reached: the nodes that there will be.
type target []goal

// goal is one node of a target.
type goal struct {
	number int
	old    int // Index among today's nodes, or -1 for a node to be bought.
	kind   *kind
	gpus   [][]packing.Slice
}

func (t target) clone() target {
	out := slices.Clone(t)
	for i := range out {
		out[i].gpus = slices.Clone(out[i].gpus)
		for g := range out[i].gpus {
			out[i].gpus[g] = slices.Clone(out[i].gpus[g])
		}
	}
	return out
}

// today is the target that leaves every node and every replica where it is, but
// those that go already.
func today(b *book, nodes []Node) target {
	var out target
	for i, n := range nodes {
		g := goal{number: n.Number, old: i, kind: b.types[n.Type]}
		for _, gpu := range n.GPUs {
			g.gpus = append(g.gpus, slotsOf(gpu))
		}
		out = append(out, g)
	}
	return out
}

// vacant is the slice without its replica.
func vacant(s packing.Slice) packing.Slice {
	return packing.Slice{Profile: s.Profile, Start: s.Start}
}

// same says whether two slices are the same with the same replica.
func same(a, b packing.Slice) bool {
	return a.Profile == b.Profile && a.Start == b.Start && alike(a, b)
}

// alike says whether the same is on two slices.
func alike(a, b packing.Slice) bool {
	return a.Model == b.Model && a.Variant == b.Variant && slices.Equal(a.Models, b.Models)
}

// sameCut says whether two GPUs are cut, and their slices shared, alike.
func sameCut(a, b []packing.Slice) bool {
	return slices.EqualFunc(a, b, func(x, y packing.Slice) bool { return x.Profile == y.Profile && x.Start == y.Start })
}

func held(slots []packing.Slice) bool {
	return slices.ContainsFunc(slots, func(s packing.Slice) bool { return !s.Empty() })
}

// hardware is the geometry of slices, the shares of each put together.
func hardware(slots []packing.Slice) fleet.Geometry {
	var out fleet.Geometry
	for i := 0; i < len(slots); {
		whole, shares := shareOf(slots[i].Profile)
		out = append(out, fleet.Placement{Profile: whole, Start: slots[i].Start})
		i += shares
	}
	return out
}

// undivided says whether a GPU has its MIG mode off.
func undivided(slots []packing.Slice) bool {
	if len(slots) == 0 {
		return false
	}
	whole, _ := shareOf(slots[0].Profile)
	return whole == fleet.WholeGPU
}

// cutOf describes slices as what a GPU is cut into.
func cutOf(gpu int, slots []packing.Slice) Cut {
	return Cut{GPU: gpu, Slices: emptied(slots)}
}

func emptied(slots []packing.Slice) []packing.Slice {
	out := make([]packing.Slice, len(slots))
	for i, s := range slots {
		out[i] = vacant(s)
	}
	return out
}

// slotsOf lists a node's slices today, with those that go already as vacant.
func slotsOf(g GPU) []packing.Slice {
	var out []packing.Slice
	for _, s := range g.Slices {
		if s.State == Draining {
			s.Slice = vacant(s.Slice)
		}
		out = append(out, s.Slice)
	}
	return out
}

// reshaped says which GPUs of a goal cannot keep what is on them today: those that
// are cut anew and, where only a node as a whole can be, all of its node.
func (g goal) reshaped(nodes []Node) []bool {
	out := make([]bool, len(g.gpus))
	if g.old < 0 {
		return out
	}
	for i := range g.gpus {
		out[i] = !sameCut(slotsOf(nodes[g.old].GPUs[i]), g.gpus[i])
	}
	if g.kind.wholeNode() && slices.Contains(out, true) {
		for i := range out {
			out[i] = true
		}
	}
	return out
}
