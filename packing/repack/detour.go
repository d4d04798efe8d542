package repack

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// A haven is a free slice on which a model's replica can be for a time.
type haven struct {
	node   *machine
	at     seat
	slot   packing.Slice
	behind bool // It has to be empty for something else to go on.
	price  packing.Amount
}

// stuck is a replica that is not wanted where it is and that no model can spare.
type stuck struct {
	node  *machine
	at    seat
	slot  packing.Slice
	who   packing.Occupant
	short int64
}

// makeRoom lets one stuck replica go after its model has been started elsewhere for
// a time: on a free slice or, where there is none, on a node bought for it. It takes
// the replicas of that GPU first on which the fewest are stuck, so that one after
// the other is emptied. It answers false where that is not possible either.
func (s *sequencer) makeRoom() bool {
	if s.detour--; s.detour < 0 {
		return false
	}
	all := s.stuck()
	for _, spares := range []bool{false, true} {
		for _, x := range all {
			if s.spare[x.at] == spares && s.shelter(x, !spares) {
				return true
			}
		}
	}
	for _, x := range all {
		if s.rent(x) && s.shelter(x, false) {
			return true
		}
	}
	return false
}

// stuck lists the replicas that are stuck, those on units with the fewest first.
func (s *sequencer) stuck() []stuck {
	var all []stuck
	unit := map[seat]int{}
	s.unwanted(func(m *machine, at seat, slot packing.Slice) {
		if ok, who, short := s.maySpare(m, slot); !ok {
			all = append(all, stuck{m, at, slot, who, short})
			unit[s.unit(m, at)]++
		}
	})
	slices.SortStableFunc(all, func(a, b stuck) int {
		return cmp.Or(unit[s.unit(a.node, a.at)]-unit[s.unit(b.node, b.at)], a.at.compare(b.at))
	})
	return all
}

// unit is what has to be empty before the slice is of use: a node, a GPU, or the
// slice itself.
func (s *sequencer) unit(m *machine, at seat) seat {
	switch {
	case s.want[m.number] == nil, s.blocked(m, at.gpu) && m.kind.wholeNode():
		return seat{m.number, -1, -1}
	case s.blocked(m, at.gpu):
		return seat{m.number, at.gpu, -1}
	}
	return at
}

// shelter starts the model of a stuck replica elsewhere and lets the replica go.
func (s *sequencer) shelter(x stuck, behind bool) bool {
	h, found := s.haven(x)
	if !found || h.behind && !behind {
		return false
	}
	s.spare[h.at] = true
	s.place(h.node, h.at, h.slot, ForDetour)
	s.release(x.node, x.at, x.slot, s.whyDrain(x.node, x.at))
	return true
}

// haven is the cheapest free slice that does for a model what it is short of, outside
// of what has to be empty. A model that would be on too few nodes needs one on which
// it is not.
func (s *sequencer) haven(x stuck) (haven, bool) {
	var all []haven
	model, alone, from := s.b.models[x.who], !s.staysApart(x.who, x.node.number), s.unit(x.node, x.at)
	for _, m := range s.nodes {
		if m.draining || alone && m != x.node && s.on[x.who][m.number] > 0 {
			continue
		}
		for g, slots := range m.gpus {
			for at, slot := range slots {
				here := seat{m.number, g, at}
				kind := place{m.kind.Name, slot.Profile}
				variant, ok := model.best[kind]
				if !slot.Empty() || s.unit(m, here) == from || !ok || model.does[work{kind, variant}] < x.short {
					continue
				}
				slot.Model, slot.Variant = x.who, variant
				price := s.b.startPrice(m.kind.Name, slot) + s.b.drainPrice(m.kind.Name, slot)
				behind := !s.rented[m.number] && (s.want[m.number] == nil || s.blocked(m, g))
				all = append(all, haven{m, here, slot, behind, price})
			}
		}
	}
	if len(all) == 0 {
		return haven{}, false
	}
	return slices.MinFunc(all, func(a, b haven) int {
		return cmp.Or(boolean(a.behind)-boolean(b.behind), cmp.Compare(a.price, b.price), a.at.compare(b.at))
	}), true
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a seat) compare(b seat) int {
	return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.gpu, b.gpu), cmp.Compare(a.at, b.at))
}

// rent buys a node for a time, the cheapest with a slice that does for the model of
// a stuck replica what it is short of.
func (s *sequencer) rent(x stuck) bool {
	var best *kind
	var slots []packing.Slice
	m := s.b.models[x.who]
	for _, g := range s.b.need.GPUs {
		k := s.b.types[g.Name]
		if !s.mayBuy(k) || best != nil && rentOf(k) >= rentOf(best) {
			continue
		}
		all := s.b.geometries(k)
		does := func(slot packing.Slice) bool {
			kind := place{k.Name, slot.Profile}
			variant, ok := m.best[kind]
			return ok && m.does[work{kind, variant}] >= x.short
		}
		if i := slices.IndexFunc(all, func(slots []packing.Slice) bool { return slices.ContainsFunc(slots, does) }); i >= 0 {
			best, slots = k, all[i]
		}
	}
	if best == nil {
		return false
	}
	gpus := make([][]packing.Slice, best.PerNode)
	gpus[0] = slots
	s.buy(s.next, best, gpus, ForDetour)
	s.rented[s.next] = true
	s.next++
	return true
}

// rentOf is what a node costs that is bought for a time.
func rentOf(k *kind) packing.Amount { return times(k.node(), k.terms.Lead+k.terms.MinimumBilling) }

// geometries lists what a GPU can be cut into, hard slices first and then the
// shares of each that are offered.
func (b *book) geometries(k *kind) [][]packing.Slice {
	if k.cuts == nil {
		k.cuts = cutsOf(k)
	}
	return k.cuts
}

func cutsOf(k *kind) [][]packing.Slice {
	all := []fleet.Geometry{{{Profile: fleet.WholeGPU}}}
	if k.MIG != "" {
		all = append(packing.Maximal(k.spec), all...)
	}
	var out [][]packing.Slice
	for _, g := range all {
		var slots []packing.Slice
		for _, p := range g {
			slots = append(slots, packing.Slice{Profile: p.Profile, Start: p.Start})
		}
		out = append(out, slots)
	}
	for _, name := range k.Shared {
		whole, n := shareOf(name)
		row, ok := k.spec.Profile(whole)
		if !ok {
			continue
		}
		var slots []packing.Slice
		for range n {
			slots = append(slots, packing.Slice{Profile: name, Start: row.Starts[0]})
		}
		out = append(out, slots)
	}
	return out
}
