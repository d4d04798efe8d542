package packing

import "slices"

// put gives a slice to a model that needs one of its kind.
func (l *layouter) put(g, i, m int) bool {
	k := l.kind[g][i]
	if k < 0 || !l.gpus[g].Geometry[i].Empty() || l.todo[m][k] == 0 {
		return false
	}
	l.todo[m][k]--
	l.seat(g, i, m)
	return true
}

// seat writes a model on a slice; -1 empties it.
func (l *layouter) seat(g, i, m int) {
	s := &l.gpus[g].Geometry[i]
	s.Model, s.Variant = "", ""
	if m >= 0 {
		d := &l.in.models[m]
		s.Model, s.Variant = Occupant(d.name), d.variantOf(l.kind[g][i])
	}
}

// stay leaves models where they are today, if a slice of the kind is still there:
// first at the same place, then anywhere on the GPU.
func (l *layouter) stay() {
	for _, elsewhere := range []bool{false, true} {
		for g := range l.was {
			l.stayOn(g, elsewhere)
		}
	}
}

func (l *layouter) stayOn(g int, elsewhere bool) {
	for _, w := range l.was[g] {
		m, ok := l.list[w.Model]
		for i, s := range l.gpus[g].Geometry {
			if ok && s.Profile == w.Profile && (elsewhere || s.Start == w.Start) && !l.isOn(g, w) && l.put(g, i, m) {
				break
			}
		}
	}
}

// isOn says whether the model of a slice of today already has that very slice.
func (l *layouter) isOn(g int, w Slice) bool {
	return slices.ContainsFunc(l.gpus[g].Geometry, func(s Slice) bool {
		return s.Profile == w.Profile && s.Start == w.Start && s.Model == w.Model
	})
}

// fill gives the slices to the models in turn, GPU by GPU, so that a model's
// slices lie together.
func (l *layouter) fill() {
	next := make([]int, len(l.in.kinds))
	for g := range l.gpus {
		for i, k := range l.kind[g] {
			for k >= 0 && next[k] < len(l.todo) {
				if l.todo[next[k]][k] > 0 {
					l.put(g, i, next[k])
					break
				}
				next[k]++
			}
		}
	}
}
