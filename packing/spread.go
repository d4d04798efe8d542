package packing

import "slices"

// A seat is one slice of one GPU of a layout.
type seat struct{ gpu, slice int }

// spread moves slices of models that must be on several nodes until they are, and
// says whether all are: slices of one kind are worth the same, so two may change
// places. Where no change helps, a free slice on another node is added.
func (l *layouter) spread() bool {
	done := true
	for m := range l.in.models {
		for l.short(m) {
			if !l.exchange(m) && !l.widen(m) && !l.divide(m) {
				done = false
				break
			}
		}
	}
	return done
}

// spreadFurther buys nodes for what could not be spread. What the limits do not
// allow stays as it is, and the answer says so.
func (l *layouter) spreadFurther() {
	for m := range l.in.models {
		for l.short(m) {
			if !l.exchange(m) && !l.widen(m) && !l.divide(m) && !l.buyFor(m) {
				break
			}
		}
	}
}

// short says whether a model that is anywhere is on too few nodes.
func (l *layouter) short(m int) bool {
	need := l.in.models[m].spread
	if need <= 1 {
		return false
	}
	n := len(l.nodesOf(m))
	return n > 0 && n < need
}

// nodesOf counts the slices of a model by node, those that it keeps included.
func (l *layouter) nodesOf(m int) map[int]int {
	on := map[int]int{}
	name := Occupant(l.in.models[m].name)
	for _, g := range l.gpus {
		for _, s := range g.Geometry {
			if s.Model == name {
				on[g.Node]++
			}
			for _, t := range s.Models {
				if t.Model == name {
					on[g.Node]++
				}
			}
		}
	}
	return on
}

// seatsOf lists the slices of a model that may be moved; those of -1 are free.
func (l *layouter) seatsOf(m int) []seat {
	name := Occupant("")
	if m >= 0 {
		name = Occupant(l.in.models[m].name)
	}
	var out []seat
	for g := range l.gpus {
		for i, s := range l.gpus[g].Geometry {
			if s.Model == name && len(s.Models) == 0 && !l.held[g][i] && l.kind[g][i] >= 0 {
				out = append(out, seat{g, i})
			}
		}
	}
	return out
}

// exchange moves one slice of a model from a node with several of them to a node
// without: to a free slice of the kind, or in place of a model that does not need
// to be there.
func (l *layouter) exchange(m int) bool {
	on := l.nodesOf(m)
	for _, from := range l.seatsOf(m) {
		here := l.gpus[from.gpu].Node
		if on[here] < 2 {
			continue
		}
		for g := range l.gpus {
			if on[l.gpus[g].Node] > 0 {
				continue
			}
			for i, k := range l.kind[g] {
				if k != l.kind[from.gpu][from.slice] || l.held[g][i] || len(l.gpus[g].Geometry[i].Models) > 0 {
					continue
				}
				other, known := l.list[l.gpus[g].Geometry[i].Model]
				if !known {
					other = -1
				}
				if other >= 0 && !l.mayLeave(other, l.gpus[g].Node, here) {
					continue
				}
				l.seat(from.gpu, from.slice, other)
				l.seat(g, i, m)
				return true
			}
		}
	}
	return false
}

// mayLeave says whether a model is on enough nodes still if a slice of it moves
// from one node to another.
func (l *layouter) mayLeave(m, from, to int) bool {
	need := l.in.models[m].spread
	if need <= 1 {
		return true
	}
	on := l.nodesOf(m)
	on[to]++
	if on[from]--; on[from] == 0 {
		delete(on, from)
	}
	return len(on) >= need
}

// widen gives a model a free slice on a node where it is not.
func (l *layouter) widen(m int) bool {
	on := l.nodesOf(m)
	for _, at := range l.seatsOf(-1) {
		if on[l.gpus[at.gpu].Node] == 0 && l.in.models[m].does(l.kind[at.gpu][at.slice]) > 0 {
			l.seat(at.gpu, at.slice, m)
			return true
		}
	}
	return false
}

// divide shares a free slice on a node where a model is not, if shares of it fit the
// model; the next change finds them.
func (l *layouter) divide(m int) bool {
	on := l.nodesOf(m)
	for _, at := range l.seatsOf(-1) {
		g := &l.gpus[at.gpu]
		base := l.kind[at.gpu][at.slice]
		if g.Fixed || on[g.Node] > 0 || l.in.kinds[base].shares > 1 {
			continue
		}
		for _, it := range l.in.models[m].items {
			k := l.in.kinds[it.kind]
			if k.base != base || k.shares == 1 {
				continue
			}
			s := Slice{Profile: k.profile, Start: g.Geometry[at.slice].Start}
			g.Geometry = slices.Replace(g.Geometry, at.slice, at.slice+1, slices.Repeat([]Slice{s}, k.shares)...)
			l.kind[at.gpu] = slices.Replace(l.kind[at.gpu], at.slice, at.slice+1, slices.Repeat([]int{it.kind}, k.shares)...)
			l.held[at.gpu] = slices.Replace(l.held[at.gpu], at.slice, at.slice+1, make([]bool, k.shares)...)
			return true
		}
	}
	return false
}

// buyFor adds the cheapest node on which the model fits, its first GPU cut into
// the most slices that fit it.
func (l *layouter) buyFor(m int) bool {
	best, how, money := -1, cutting{}, int64(0)
	for k, o := range l.in.offers {
		c, ok := l.roomiest(m, k)
		fresh := l.fresh(o)
		if !ok || fresh >= o.reserved+o.nodes {
			continue
		}
		price := int64(0)
		if fresh >= o.reserved {
			price = o.price * int64(o.perNode)
		}
		if best < 0 || price < money {
			best, how, money = k, c, price
		}
	}
	if best < 0 {
		return false
	}
	o, node := l.in.offers[best], 0
	for _, g := range l.gpus {
		node = max(node, g.Node)
	}
	l.append(Placed{Type: o.name, Node: node + 1, Geometry: l.cut(o, how)}, nil)
	return l.widen(m)
}

// fresh counts the nodes of an offer that are not there today.
func (l *layouter) fresh(o offer) int {
	nodes := map[int]bool{}
	for _, g := range l.gpus {
		if g.Type == o.name {
			nodes[g.Node] = true
		}
	}
	return len(nodes) - o.standing
}

// roomiest is the cutting of an offer with the most slices that fit a model, or
// with shares of one slice where only shares fit.
func (l *layouter) roomiest(m, k int) (c cutting, ok bool) {
	o := l.in.offers[k]
	most := 0
	for p, a := range o.table.patterns {
		n := 0
		for j := o.first; j < o.end; j++ {
			kind := l.in.kinds[j]
			switch {
			case a[kind.column] == 0 || l.in.models[m].does(j) == 0:
			case kind.shares == 1:
				n += a[kind.column]
			case most == 0 && n == 0:
				c, ok = cutting{pattern: p, shared: make([]int, o.end-o.first)}, true
				c.shared[j-o.first] = 1
			}
		}
		if n > most {
			c, ok, most = cutting{pattern: p}, true, n
		}
	}
	return c, ok
}
