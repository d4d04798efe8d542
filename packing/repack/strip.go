package repack

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// strip empties the slices of a target that nobody needs: those of unknown models,
// and for each model some, as long as the rest is enough. Now it begins with those on nodes that do little, now with the dearest.
func (s *searcher) strip(t target) {
	w := newWorld(s.b, nil)
	type extra struct {
		at    seat
		load  packing.Amount // Of the node: light ones first, so that they can go.
		price packing.Amount
	}
	var all []extra
	for i, g := range t {
		m := &machine{number: g.number, kind: g.kind}
		load := packing.Amount(0)
		first := len(all)
		for j, slots := range g.gpus {
			for at, slot := range slots {
				if slot.Empty() {
					continue
				}
				w.count(m, slot, 1)
				price := s.b.slicePrice(g.kind.Name, slot.Profile)
				load += price
				all = append(all, extra{at: seat{i, j, at}, price: price})
			}
		}
		for k := range all[first:] {
			all[first+k].load = part(load, 1000, int64(max(1, g.kind.node())))
		}
	}
	for name, m := range s.b.models {
		w.floor[name] = m.units
		w.apart[name] = max(1, m.Spread)
	}
	light := s.rng.IntN(2) == 0
	slices.SortStableFunc(all, func(a, b extra) int {
		if light && a.load != b.load {
			return cmp.Compare(a.load, b.load)
		}
		return cmp.Compare(b.price, a.price)
	})
	for _, x := range all {
		g := t[x.at.node]
		m := &machine{number: g.number, kind: g.kind}
		slot := g.gpus[x.at.gpu][x.at.at]
		if ok, _, _ := w.maySpare(m, slot); ok {
			w.count(m, slot, -1)
			g.gpus[x.at.gpu][x.at.at] = vacant(slot)
		}
	}
}
