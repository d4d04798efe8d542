package clairvoyant

import (
	"cmp"
	"fmt"
	"slices"
)

// nobody is the model of a slice that is free.
const nobody = -1

// machine is a node of a planned fleet: how it is cut, and the model on each slice.
// Models on slices of one kind are in order.
type machine struct {
	geometry int
	models   []int
}

// park is a planned fleet.
type park struct {
	machines []machine
	mixes    []mix // by model
}

func newPark(s *shop, machines []machine) *park {
	p := &park{machines: machines, mixes: make([]mix, len(s.servers))}
	for _, m := range machines {
		g := s.geometries[m.geometry]
		m.order(g)
		for i, model := range m.models {
			if model != nobody {
				p.mixes[model][g.kinds[i]]++
			}
		}
	}
	slices.SortFunc(machines, machine.compare)
	return p
}

// order sorts the models on slices of each kind.
func (m machine) order(g geometry) {
	for i := range m.models {
		for j := i + 1; j < len(m.models); j++ {
			if g.kinds[i] == g.kinds[j] && m.models[j] > m.models[i] {
				m.models[i], m.models[j] = m.models[j], m.models[i]
			}
		}
	}
}

func (m machine) compare(o machine) int {
	return cmp.Or(cmp.Compare(m.geometry, o.geometry), slices.Compare(m.models, o.models))
}

func (m machine) clone() machine { return machine{m.geometry, slices.Clone(m.models)} }

// name tells parks apart.
func (p *park) name() string { return fmt.Sprint(p.machines) }

// clone is a copy of the machines that may be changed.
func (p *park) clone() []machine {
	out := make([]machine, len(p.machines))
	for i, m := range p.machines {
		out[i] = m.clone()
	}
	return out
}

// swap is what must happen on a machine to make it into another that is cut alike.
type swap struct {
	starts    int   // replicas that start
	displaced []int // models of which one stops before that, because its slice is wanted
}

// swapOf compares two machines that are cut alike, kind by kind.
func (s *shop) swapOf(from, to machine) swap {
	var out swap
	g := s.geometries[to.geometry]
	for first := 0; first < len(g.kinds); {
		end := first + 1
		for end < len(g.kinds) && g.kinds[end] == g.kinds[first] {
			end++
		}
		come, go_ := difference(to.models[first:end], from.models[first:end]), difference(from.models[first:end], to.models[first:end])
		out.starts += len(come)
		free := 0
		for _, model := range from.models[first:end] {
			if model == nobody {
				free++
			}
		}
		if lack := len(come) - free; lack > 0 {
			out.displaced = append(out.displaced, go_[:lack]...)
		}
		first = end
	}
	return out
}

// difference lists the models of one list that the other does not have, as often as
// it has more of them.
func difference(list, other []int) []int {
	var out []int
	for i, model := range list {
		if model == nobody {
			continue
		}
		before, there := 0, 0
		for _, m := range list[:i] {
			if m == model {
				before++
			}
		}
		for _, m := range other {
			if m == model {
				there++
			}
		}
		if before >= there {
			out = append(out, model)
		}
	}
	return out
}

// pairing answers, for every machine of a park, the machine of the one before that
// becomes it, -1 for one that is bought; those that differ least are paired first.
func (s *shop) pairing(from, to []machine) []int {
	pairs := slices.Repeat([]int{-1}, len(to))
	taken := make([]bool, len(from))
	starts := make([]int, len(from)*len(to))
	most := 0
	for i, m := range to {
		for j, old := range from {
			starts[i*len(from)+j] = -1
			if old.geometry == m.geometry {
				n := s.swapOf(old, m).starts
				starts[i*len(from)+j], most = n, max(most, n)
			}
		}
	}
	for n := 0; n <= most; n++ {
		for i := range to {
			for j := range from {
				if pairs[i] < 0 && !taken[j] && starts[i*len(from)+j] == n {
					pairs[i], taken[j] = j, true
				}
			}
		}
	}
	return pairs
}
