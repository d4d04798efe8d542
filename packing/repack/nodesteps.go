package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// keepAndBuy takes back drains of nodes that are wanted, and buys those that are not
// there, as far as the limits allow by now.
func (s *sequencer) keepAndBuy(t target) {
	for _, m := range s.nodes {
		if m.draining && s.want[m.number] != nil {
			m.draining = false
			s.add(Step{Do: Keep, Node: m.number, Type: m.kind.Name, GPU: -1, At: -1, Why: ForNeed})
		}
	}
	for i := range t {
		if g := &t[i]; g.old < 0 && !slices.ContainsFunc(s.nodes, func(m *machine) bool { return m.number == g.number }) && s.mayBuy(g.kind) {
			s.buy(g.number, g.kind, g.gpus, ForNeed)
		}
	}
}

func (s *sequencer) buy(number int, k *kind, gpus [][]packing.Slice, why Why) {
	m := &machine{number: number, old: -1, kind: k, bought: true}
	step := Step{Do: Buy, Node: number, Type: k.Name, GPU: -1, At: -1, Price: s.b.buyPrice(k), Why: why}
	for i, slots := range gpus {
		m.gpus = append(m.gpus, emptied(slots))
		step.Cuts = append(step.Cuts, cutOf(i, slots))
	}
	s.add(step)
	s.insert(m)
}

// reshape cuts GPUs that are empty: those of a node together where the node must be
// empty, else each by itself.
func (s *sequencer) reshape() {
	for _, m := range s.nodes {
		if m.kind.wholeNode() && m.empty() {
			s.recut(m, -1, s.cut[m.number])
			continue
		}
		for g, slots := range m.gpus {
			if cut := s.cut[m.number]; !m.kind.wholeNode() && cut != nil && cut[g] && !held(slots) {
				only := make([]bool, len(cut))
				only[g] = true
				s.recut(m, g, only)
			}
		}
	}
}

// recut cuts those GPUs of a node that are marked.
func (s *sequencer) recut(m *machine, gpu int, marked []bool) {
	if !slices.Contains(marked, true) {
		return
	}
	step := Step{Do: Reshape, Node: m.number, Type: m.kind.Name, GPU: gpu, At: -1, Why: ForGeometry}
	flips := false
	for g, cut := range slices.Clone(marked) {
		if !cut {
			continue
		}
		goal := s.want[m.number].gpus[g]
		flips = flips || len(m.gpus[g]) > 0 && undivided(m.gpus[g]) != undivided(goal)
		step.Cuts = append(step.Cuts, cutOf(g, goal))
		m.gpus[g] = emptied(goal)
		s.cut[m.number][g] = false
	}
	step.Price = s.b.reshapePrice(m.kind, flips)
	s.add(step)
}

func (s *sequencer) giveBack() {
	for _, m := range slices.Clone(s.nodes) {
		if s.want[m.number] != nil || !m.empty() {
			continue
		}
		s.nodes = slices.DeleteFunc(s.nodes, func(o *machine) bool { return o == m })
		if !m.draining {
			s.add(Step{Do: DrainNode, Node: m.number, Type: m.kind.Name, GPU: -1, At: -1, Why: ForSaving})
		}
		back := Step{Do: GiveBack, Node: m.number, Type: m.kind.Name, GPU: -1, At: -1, Why: ForSaving}
		if m.bought {
			back.Price = times(m.kind.node(), m.kind.terms.MinimumBilling)
		}
		s.add(back)
	}
}
