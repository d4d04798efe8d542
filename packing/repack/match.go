package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// match puts the nodes of a new layout on today's nodes that are free for it, so
// that the steps cost least, and answers them with those that stay because they are
// reserved. Nodes without a partner are to be bought, numbered from next.
func (s *searcher) match(fresh []goal, free []int, next int) target {
	var out target
	used := map[int]bool{}
	for _, k := range s.b.need.GPUs {
		kind := s.b.types[k.Name]
		var wanted []goal
		for _, g := range fresh {
			if g.kind == kind {
				wanted = append(wanted, g)
			}
		}
		old := slices.DeleteFunc(slices.Clone(free), func(i int) bool { return s.nodes[i].Type != k.Name })
		n := max(len(wanted), len(old))
		table := make([][]packing.Amount, n)
		for w := range table {
			table[w] = make([]packing.Amount, n)
			for o := range table[w] {
				table[w][o] = s.matchPrice(kind, wanted, w, old, o)
			}
		}
		for w, o := range assign(table) {
			if w >= len(wanted) {
				continue
			}
			g := wanted[w]
			if o < len(old) {
				used[old[o]] = true
				g = s.onto(g, old[o])
			} else {
				g.number, next = next, next+1
			}
			out = append(out, g)
		}
	}
	for _, i := range free {
		if n := s.nodes[i]; n.Reserved && !used[i] {
			g := s.base[i]
			g.gpus = slices.Clone(g.gpus)
			for j := range g.gpus {
				g.gpus[j] = emptied(g.gpus[j])
			}
			out = append(out, g)
		}
	}
	return out
}

// matchPrice is what the steps cost that make of an old node a new one.
func (s *searcher) matchPrice(k *kind, wanted []goal, w int, old []int, o int) packing.Amount {
	switch {
	case w >= len(wanted):
		return 0
	case o >= len(old):
		return s.b.buyPrice(k) + s.startPrices(wanted[w])
	}
	_, price := s.fit(wanted[w], old[o])
	return price
}

func (s *searcher) startPrices(g goal) packing.Amount {
	sum := packing.Amount(0)
	for _, slots := range g.gpus {
		for _, slot := range slots {
			sum += s.b.startPrice(g.kind.Name, slot)
		}
	}
	return sum
}

// fit matches the GPUs of a new node with those of an old one, by index of the new
// one, and answers what the steps cost. A node that can only be cut as a whole
// starts everything again if one of its GPUs is cut.
func (s *searcher) fit(g goal, old int) ([]int, packing.Amount) {
	n := len(g.gpus)
	table := make([][]packing.Amount, n)
	for w := range table {
		table[w] = make([]packing.Amount, n)
		for o := range table[w] {
			table[w][o] = s.gpuPrice(g, w, s.base[old].gpus[o])
		}
	}
	to := assign(table)
	sum, anew := packing.Amount(0), false
	for w, o := range to {
		sum += table[w][o]
		anew = anew || !holds(s.base[old].gpus[o], g.gpus[w])
	}
	if anew && g.kind.wholeNode() {
		sum = s.b.reshapePrice(g.kind, false) + s.startPrices(g)
	}
	return to, sum
}

// gpuPrice is what the steps cost that make of an old GPU a new one.
func (s *searcher) gpuPrice(g goal, w int, old []packing.Slice) packing.Amount {
	price := packing.Amount(0)
	kept := holds(old, g.gpus[w])
	if !kept {
		price = s.b.reshapePrice(g.kind, false)
	}
	there := slices.Clone(old)
	for _, want := range g.gpus[w] {
		if want.Empty() {
			continue
		}
		i := slices.IndexFunc(there, func(x packing.Slice) bool { return x.Profile == want.Profile && alike(x, want) })
		if kept && i >= 0 {
			there = slices.Delete(there, i, i+1)
			continue
		}
		price += s.b.startPrice(g.kind.Name, want)
	}
	return price + packing.Amount(boolean(!kept)) // Of equals the one that need not be cut.
}

// holds says whether the slices of an old GPU are enough for what is on a new one.
func holds(old, wanted []packing.Slice) bool {
	count := map[fleet.ProfileName]int{}
	for _, s := range old {
		count[s.Profile]++
	}
	for _, s := range wanted {
		if !s.Empty() {
			if count[s.Profile]--; count[s.Profile] < 0 {
				return false
			}
		}
	}
	return true
}

// onto puts a new node on an old one. GPUs that are cut well enough stay cut as they
// are.
func (s *searcher) onto(g goal, old int) goal {
	to, _ := s.fit(g, old)
	out := goal{number: s.nodes[old].Number, old: old, kind: g.kind, gpus: make([][]packing.Slice, len(g.gpus))}
	for w, o := range to {
		out.gpus[o] = g.gpus[w]
		if holds(s.base[old].gpus[o], g.gpus[w]) {
			out.gpus[o] = seatOn(s.base[old].gpus[o], g.gpus[w])
		}
	}
	return out
}

// seatOn puts what is on a new GPU on the slices of an old one, first where it is.
func seatOn(old, wanted []packing.Slice) []packing.Slice {
	out := emptied(old)
	rest := slices.DeleteFunc(slices.Clone(wanted), packing.Slice.Empty)
	for _, stay := range []bool{true, false} {
		rest = slices.DeleteFunc(rest, func(want packing.Slice) bool {
			i := slices.IndexFunc(out, func(x packing.Slice) bool { return x.Empty() && x.Profile == want.Profile })
			if stay {
				i = -1
				for j, x := range old {
					if out[j].Empty() && x.Profile == want.Profile && alike(x, want) {
						i = j
						break
					}
				}
			}
			if i < 0 {
				return false
			}
			want.Start = out[i].Start
			out[i] = want
			return true
		})
	}
	return out
}
