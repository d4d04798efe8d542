package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// rebuild makes a target of the answer.
func (s *searcher) rebuild(q question, gpus []packing.Placed) target {
	out := q.keep
	var fresh []goal
	index := map[int]int{}
	for _, g := range gpus {
		if at, ok := q.gpu[g.ID]; ok {
			s.refill(&out[at.node], at.gpu, q.at[g.ID], g)
			continue
		}
		i, ok := index[g.Node]
		if !ok {
			i = len(fresh)
			index[g.Node] = i
			fresh = append(fresh, goal{old: -1, kind: s.b.types[g.Type]})
		}
		fresh[i].gpus = append(fresh[i].gpus, g.Geometry)
	}
	for i := range fresh {
		for len(fresh[i].gpus) < fresh[i].kind.PerNode {
			fresh[i].gpus = append(fresh[i].gpus, nil)
		}
	}
	out = append(out, s.match(fresh, q.free, q.next)...)
	slices.SortFunc(out, func(a, b goal) int { return a.number - b.number })
	s.settle(out)
	return out
}

// refill writes what the answer says of one GPU that stays.
func (s *searcher) refill(g *goal, gpu int, at []int, answer packing.Placed) {
	switch {
	case answer.Fixed:
		for i, slot := range answer.Geometry {
			g.gpus[gpu][at[i]] = slot
		}
	case holds(s.cutNow(*g, gpu), answer.Geometry):
		g.gpus[gpu] = seatOn(s.cutNow(*g, gpu), answer.Geometry)
	default:
		g.gpus[gpu] = answer.Geometry
	}
}
