package repack

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/packing"
)

// settle lets replicas stay where they are: slices of one kind are worth the same,
// so whoever is on one in the target may be on any other. What a model has beyond
// its need stays too, where nothing else wants the slice. A model that must be on
// several nodes, and a process with several models, keep the node they were given.
func (s *searcher) settle(t target) {
	classes := map[place][]seat{}
	var order []place
	for i, g := range t {
		for j, slots := range g.gpus {
			for at, slot := range slots {
				kind := place{g.kind.Name, slot.Profile}
				if classes[kind] == nil {
					order = append(order, kind)
				}
				classes[kind] = append(classes[kind], seat{i, j, at})
			}
		}
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(strings.Compare(a.gpu, b.gpu), cmp.Compare(a.profile, b.profile))
	})
	was := s.before(t)
	for _, kind := range order {
		s.settleClass(t, classes[kind], was)
	}
}

// before answers what is on each slice of a target today, if the slice is there
// today and stays; and vacant slices for the others.
func (s *searcher) before(t target) map[seat]packing.Slice {
	out := map[seat]packing.Slice{}
	for i, g := range t {
		if g.old < 0 {
			continue
		}
		anew := g.reshaped(s.nodes)
		for j, slots := range s.base[g.old].gpus {
			if anew[j] {
				continue
			}
			for at, slot := range slots {
				out[seat{i, j, at}] = slot
			}
		}
	}
	return out
}

func (s *searcher) settleClass(t target, seats []seat, was map[seat]packing.Slice) {
	wanted := map[string][]packing.Slice{}
	var open []seat
	for _, at := range seats {
		slot := &t[at.node].gpus[at.gpu][at.at]
		if s.pinned(*slot) {
			continue
		}
		open = append(open, at)
		if !slot.Empty() {
			wanted[string(slot.Model)+"\x00"+slot.Variant] = append(wanted[string(slot.Model)+"\x00"+slot.Variant], *slot)
			*slot = vacant(*slot)
		}
	}
	// 1. Those that are there already.
	open = slices.DeleteFunc(open, func(at seat) bool {
		key := string(was[at].Model) + "\x00" + was[at].Variant
		if len(was[at].Models) > 0 || len(wanted[key]) == 0 {
			return false
		}
		wanted[key] = wanted[key][1:]
		t.put(at, was[at])
		return true
	})
	// 2. The rest on slices that are free now, then on those that will be.
	slices.SortStableFunc(open, func(a, b seat) int { return boolean(!s.freeNow(was, a)) - boolean(!s.freeNow(was, b)) })
	for _, key := range sortedKeys(wanted) {
		for _, slot := range wanted[key] {
			t.put(open[0], slot)
			open = open[1:]
		}
	}
	// 3. What nobody else wants stays.
	for _, at := range open {
		if x, ok := was[at]; ok && !x.Empty() {
			t.put(at, x)
		}
	}
}

func (s *searcher) freeNow(was map[seat]packing.Slice, at seat) bool {
	x, ok := was[at]
	return ok && x.Empty()
}

func (t target) put(at seat, slot packing.Slice) {
	x := &t[at.node].gpus[at.gpu][at.at]
	slot.Profile, slot.Start = x.Profile, x.Start
	*x = slot
}

// pinned says whether a replica is not to change its node.
func (s *searcher) pinned(slot packing.Slice) bool {
	m, ok := s.b.models[slot.Model]
	return len(slot.Models) > 0 || ok && m.Spread > 1
}
