package repack

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// A searcher looks for the target whose nodes and steps together cost least.
type searcher struct {
	b         *book
	nodes     []Node // By number.
	base      target // Today's nodes.
	best      candidate
	rng       *rand.Rand
	left      int // Targets that may still be tried.
	truncated bool
}

// candidate is a target that steps lead to.
type candidate struct {
	found  bool
	target target
	steps  []Step
	lost   float64        // Value of the work that is left out.
	narrow int            // Nodes on which models are too few.
	hourly packing.Amount // Of its nodes.
	moves  packing.Amount // Of its steps, money.
	total  packing.Amount // Of its nodes over the time kept, and its steps.
}

// better compares first what is left out, then money, then the number of steps.
func (c candidate) better(o candidate) bool {
	return cmp.Or(cmp.Compare(c.lost, o.lost), c.narrow-o.narrow, cmp.Compare(c.total, o.total), len(c.steps)-len(o.steps)) < 0
}

// run improves on the best until nothing helps or the work is done. floor is the
// least any layout costs an hour.
func (s *searcher) run(floor packing.Amount) {
	for s.left > 0 && !s.settled(floor) {
		before := s.best.total
		s.dropEach(floor)
		s.openEach(floor)
		if s.best.total == before {
			break
		}
	}
	for s.left > 0 && !s.settled(floor) {
		// Some of today's nodes leave less to be moved than some of the best target's.
		from := s.best.target
		if s.rng.IntN(2) == 0 {
			from = s.base
		}
		s.try(s.some(from))
	}
	s.renewEach()
}

// renewEach buys a new node, cut as it is wanted, in place of each that would be cut
// anew; a tenth as often as layouts are tried, which comes on top of them.
func (s *searcher) renewEach() {
	may := max(8, s.b.opt.tries()/10)
	for _, number := range byLoad(s.b, s.best.target) {
		t := s.best.target.clone()
		i := slices.IndexFunc(t, func(g goal) bool { return g.number == number })
		if i < 0 || s.truncated || !slices.Contains(t[i].reshaped(s.nodes), true) || s.nodes[t[i].old].Reserved {
			continue
		}
		if may--; may < 0 {
			return
		}
		t[i].old, t[i].number = -1, 1
		for _, n := range s.nodes {
			t[i].number = max(t[i].number, n.Number+1)
		}
		for _, g := range t {
			t[i].number = max(t[i].number, g.number+1)
		}
		slices.SortFunc(t, func(a, b goal) int { return a.number - b.number })
		s.consider(t)
	}
}

// settled says whether nothing can be better: no steps, and no dearer than any
// layout must be.
func (s *searcher) settled(floor packing.Amount) bool {
	return s.truncated || len(s.best.steps) == 0 && s.best.hourly <= floor && s.best.lost == 0
}

// dropEach takes one node out after the other, those that do least first.
func (s *searcher) dropEach(floor packing.Amount) {
	for _, number := range byLoad(s.b, s.best.target) {
		r := s.nothing(s.best.target)
		for i, g := range r.from {
			r.remove[i] = g.number == number
		}
		if s.left > 0 && !s.settled(floor) && slices.Contains(r.remove, true) {
			s.try(r)
		}
	}
}

// openEach lets each GPU be cut anew that is not in full use.
func (s *searcher) openEach(floor packing.Amount) {
	for _, number := range byLoad(s.b, s.best.target) {
		r := s.nothing(s.best.target)
		i := slices.IndexFunc(r.from, func(g goal) bool { return g.number == number })
		if i < 0 || len(r.from[i].gpus) == 1 {
			continue
		}
		for j := range r.from[i].gpus {
			if s.left > 0 && !s.settled(floor) {
				r := s.nothing(r.from)
				r.open = append(r.open, seat{number, j, 0})
				s.try(r)
			}
		}
	}
}

// byLoad lists the numbers of the target's nodes, those of which the least part is
// in use first.
func byLoad(b *book, t target) []int {
	type loaded struct {
		number int
		free   packing.Amount
	}
	all := make([]loaded, 0, len(t))
	for _, g := range t {
		free := g.kind.node()
		for _, slots := range g.gpus {
			for _, slot := range slots {
				if !slot.Empty() {
					free -= b.slicePrice(g.kind.Name, slot.Profile)
				}
			}
		}
		all = append(all, loaded{g.number, part(max(0, free), 1000, int64(max(1, g.kind.node())))})
	}
	slices.SortFunc(all, func(a, b loaded) int { return cmp.Or(cmp.Compare(b.free, a.free), a.number-b.number) })
	out := make([]int, len(all))
	for i, x := range all {
		out[i] = x.number
	}
	return out
}

// some takes out up to two nodes, the first of those that do little, and opens up to
// six GPUs besides.
func (s *searcher) some(from target) ruin {
	r := s.nothing(from)
	order := byLoad(s.b, from)
	n := len(order)
	if n == 0 {
		return r
	}
	light := func() int { return order[min(s.rng.IntN(n), s.rng.IntN(n))] }
	gone := map[int]bool{}
	for range s.rng.IntN(3) {
		gone[light()] = true
	}
	for i, g := range from {
		r.remove[i] = gone[g.number]
	}
	opened := 1 + s.rng.IntN(6)
	if s.rng.IntN(4) == 0 {
		opened = 24
	}
	for range opened {
		number := light()
		i := slices.IndexFunc(from, func(g goal) bool { return g.number == number })
		r.open = append(r.open, seat{number, s.rng.IntN(len(from[i].gpus)), 0})
	}
	return r
}

// nothing is a ruin that takes nothing out and leaves empty GPUs open to be cut that
// can be without anyone's leaving.
func (s *searcher) nothing(from target) ruin {
	r := ruin{from: from, remove: make([]bool, len(from)), effort: packing.Low}
	for _, g := range from {
		all := !slices.ContainsFunc(g.gpus, held)
		for j, slots := range g.gpus {
			if all || !g.kind.wholeNode() && !held(slots) {
				r.open = append(r.open, seat{g.number, j, 0})
			}
		}
	}
	return r
}

// try packs a ruin again and keeps the result if it is better than the best.
func (s *searcher) try(r ruin) (packing.Answer, error) {
	s.left--
	if s.b.opt.Stop != nil && s.b.opt.Stop() {
		s.truncated = true
		return packing.Answer{}, nil
	}
	q := s.question(r)
	a, err := packing.Solve(q.problem, packing.Options{Effort: r.effort, Steps: r.steps})
	if err != nil {
		return a, err
	}
	s.consider(s.rebuild(q, a.GPUs))
	return a, nil
}

// consider keeps a target if steps lead to it and it is better than the best.
func (s *searcher) consider(t target) {
	c := candidate{found: true, target: t}
	w := s.worldOf(t)
	for _, name := range s.b.names {
		m := s.b.models[name]
		if short := m.units - w.served[name]; short > 0 {
			units, _ := m.unit.Float64()
			c.lost += cmp.Or(m.Value, 1) * float64(short) / units
		}
		c.narrow += max(0, m.Spread-len(w.on[name]))
	}
	c.hourly, c.total = s.cost(t)
	if s.best.found && !c.better(s.best) {
		return // Steps only make it dearer.
	}
	money := packing.Amount(math.MaxInt64)
	if s.best.found && s.best.lost == c.lost && s.best.narrow == c.narrow {
		money = s.best.total - c.total
	}
	steps, ok := sequence(s.b, s.nodes, t, money)
	if !ok {
		return
	}
	c.steps = steps
	for _, step := range steps {
		c.moves += step.Price
	}
	c.total += c.moves
	if !s.best.found || c.better(s.best) {
		s.best = c
	}
}

// cost is what the nodes of a target cost an hour, and over the time kept with what
// those that go are paid for yet.
func (s *searcher) cost(t target) (hourly, kept packing.Amount) {
	stays := map[int]bool{}
	bought := map[*kind]int{}
	for _, g := range t {
		stays[g.old] = true
		if g.old < 0 {
			bought[g.kind]++
			if bought[g.kind] > g.kind.Reserved {
				hourly += g.kind.node()
				kept += times(g.kind.node(), max(s.b.opt.Keep, g.kind.terms.MinimumBilling))
			}
			continue
		}
		if !s.nodes[g.old].Reserved {
			hourly += g.kind.node()
			kept += times(g.kind.node(), s.b.opt.Keep)
		}
	}
	for i, n := range s.nodes {
		if !stays[i] && !n.Reserved {
			kept += times(s.b.types[n.Type].node(), min(s.b.opt.Keep, n.Paid))
		}
	}
	return hourly, kept
}
