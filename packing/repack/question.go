package repack

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// A ruin is what is taken out of a target to be packed again.
type ruin struct {
	from   target
	remove []bool // Nodes, by index in the target.
	open   []seat // GPUs that stay but may be cut anew, and are empty.
	effort packing.Effort
	steps  int64 // Of packing; zero is what the effort says.
}

// A question is what packing is asked about a target with a ruin in it, and where
// its answer belongs. Only models that lack something are in it, with what they
// keep, and only slices that they may use.
type question struct {
	problem packing.Problem
	keep    target
	at      map[string][]int // Index of each slice of a GPU in the question, by the GPU's ID.
	gpu     map[string]seat
	free    []int // Today's nodes that have no place in keep.
	next    int   // Number of the next new node.
}

func (s *searcher) question(r ruin) question {
	q := s.withoutRuin(r)
	opened := map[seat]bool{}
	for _, at := range r.open {
		opened[at] = true
	}
	for _, g := range q.keep {
		for j, slots := range g.gpus {
			if opened[seat{g.number, j, 0}] {
				g.gpus[j] = emptied(slots)
			}
		}
	}
	s.strip(q.keep)
	lacking := s.lacking(q.keep)
	asked := maps.Clone(lacking)
	shown := map[int]bool{}
	for i, g := range q.keep {
		for j := range g.gpus {
			at := seat{i, j, 0}
			p := packing.Placed{ID: fmt.Sprintf("%d/%d", i, j), Type: g.kind.Name, Node: g.number, Fixed: !opened[seat{g.number, j, 0}]}
			if p.Fixed {
				p.Geometry, q.at[p.ID] = s.closed(g.gpus[j], lacking)
			} else {
				p.Geometry = s.opened(s.cutNow(g, j), lacking)
			}
			if p.Fixed && len(p.Geometry) == 0 {
				continue
			}
			q.problem.Current = append(q.problem.Current, p)
			q.gpu[p.ID] = at
			shown[i] = true
			for _, slot := range p.Geometry {
				for _, name := range occupants(slot) {
					asked[name] = true
				}
			}
		}
	}
	for _, m := range s.b.need.Models {
		if asked[packing.Occupant(m.Name)] {
			q.problem.Models = append(q.problem.Models, m)
		}
	}
	q.problem.GPUs = s.mayHave(q, shown)
	return q
}

// withoutRuin begins a question with the nodes that are not taken out.
func (s *searcher) withoutRuin(r ruin) question {
	q := question{at: map[string][]int{}, gpu: map[string]seat{}, next: 1}
	taken := map[int]bool{}
	for i, g := range r.from {
		q.next = max(q.next, g.number+1)
		if !r.remove[i] {
			q.keep = append(q.keep, g)
			taken[g.old] = true
		}
	}
	for i, n := range s.nodes {
		q.next = max(q.next, n.Number+1)
		if !taken[i] {
			q.free = append(q.free, i)
		}
	}
	q.keep = q.keep.clone()
	return q
}

// closed lists the slices of a GPU that stays as it is which are of use to models
// that lack something or are theirs, with their indices. Shares stay together.
func (s *searcher) closed(slots []packing.Slice, lacking map[packing.Occupant]bool) (shown []packing.Slice, at []int) {
	for i, slot := range slots {
		if _, shares := shareOf(slot.Profile); shares > 1 || slot.Empty() || anyOf(occupants(slot), lacking) {
			shown = append(shown, s.known(slot))
			at = append(at, i)
		}
	}
	return shown, at
}

// opened lists the slices of a GPU that may be cut anew, as it is today: whoever is
// on it is better off there again.
func (s *searcher) opened(slots []packing.Slice, lacking map[packing.Occupant]bool) []packing.Slice {
	shown := slices.Clone(slots)
	for i, slot := range shown {
		if shown[i] = s.known(slot); !anyOf(occupants(slot), lacking) {
			shown[i] = vacant(slot)
		}
	}
	return shown
}

func anyOf(names []packing.Occupant, set map[packing.Occupant]bool) bool {
	return slices.ContainsFunc(names, func(n packing.Occupant) bool { return set[n] })
}

// cutNow is a GPU of a goal as it is today, or as it is to be bought.
func (s *searcher) cutNow(g goal, gpu int) []packing.Slice {
	if g.old < 0 {
		return g.gpus[gpu]
	}
	return s.base[g.old].gpus[gpu]
}

// known is a slice without a replica that the need does not know.
func (s *searcher) known(slot packing.Slice) packing.Slice {
	if m, ok := s.b.models[slot.Model]; slot.Model != "" && (!ok || !slices.ContainsFunc(variants(m.Model), func(v packing.Variant) bool { return v.Name == slot.Variant })) {
		return vacant(slot)
	}
	return slot
}

// mayHave is the problem's GPUs less the nodes of a question that are not shown,
// with those of today's that are paid for and free.
func (s *searcher) mayHave(q question, shown map[int]bool) []packing.GPU {
	out := slices.Clone(s.b.need.GPUs)
	for k := range out {
		g := &out[k]
		hidden, bought := 0, 0
		for i, goal := range q.keep {
			if goal.kind.Name == g.Name {
				hidden += boolean(!shown[i])
				bought += boolean(goal.old < 0)
			}
		}
		g.Reserved = max(0, g.Reserved-bought)
		for _, i := range q.free {
			g.Reserved += boolean(s.nodes[i].Type == g.Name && s.nodes[i].Reserved)
		}
		if g.MaxNodes != nil {
			g.MaxNodes = new(max(0, *g.MaxNodes-hidden))
		}
	}
	return out
}

// lacking names the models that a target does not serve as they need.
func (s *searcher) lacking(t target) map[packing.Occupant]bool {
	w := s.worldOf(t)
	out := map[packing.Occupant]bool{}
	for name, m := range s.b.models {
		if w.served[name] < m.units || len(w.on[name]) < m.Spread {
			out[name] = true
		}
	}
	return out
}

// worldOf counts what a target does.
func (s *searcher) worldOf(t target) *world {
	w := newWorld(s.b, nil)
	for _, g := range t {
		m := &machine{number: g.number, kind: g.kind}
		for _, slots := range g.gpus {
			for _, slot := range slots {
				w.count(m, slot, 1)
			}
		}
	}
	return w
}
