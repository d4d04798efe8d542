package packing

import (
	"cmp"
	"slices"
)

// Limits of what is small enough to look at in full.
const (
	fewModels  = 14
	fewChoices = 5000 // Of one model.
)

// An exhaustive search tries every choice of slices for every model, as long as
// its budget lasts: the exact end of a small problem. Branches end where the
// limits, the money or the value left out cannot become better than the best.
type exhaustive struct {
	in      *instance
	current []Placed
	choices [][]choice // Of each model in the order of the search.
	order   []int      // Models in the order of the search.
	prices  []int64    // Of kinds, for a bound on money.
	rest    []int64    // Least price of what the models from here on take.
	spare   int64      // What the prices allow beside money: paid GPUs, free slices, limits.
	counts  []int
	taken   []int // Choice of each model so far.
	budget  int
	work    *work

	lost  float64 // Of the best.
	money int64
	best  []cover // None if nothing better was found.
}

// choice is slices for one model, what they cost at the prices and what value they
// leave out.
type choice struct {
	cover cover
	price int64
	lost  float64
}

// perfect ends the search of a small problem exactly, where the bound does not say
// already that nothing is better.
func (in *instance) perfect(current []Placed, s solution, do plan, w *work) solution {
	if len(in.models) == 0 || len(in.models) > fewModels || w.done() {
		return s
	}
	l := in.arrange(current, s.covers)
	lost, money := in.lost(s.covers), l.money()
	short := lost > 0
	if !l.complete() {
		money = unaffordable
	}
	proof := in.prove(s.prices, do.sums)
	if money == proof.bound && !short {
		return s
	}
	if covers, ok := in.exhaust(current, lost, money, proof, short, do.exact, w); ok {
		s.covers = covers
	}
	return s
}

// exhaust looks for covers that leave out less value than the best known or, of
// equals, cost less money. Where short is false only covers that are enough count.
func (in *instance) exhaust(current []Placed, lost float64, money int64, proof proof, short bool, budget int, w *work) ([]cover, bool) {
	if len(in.models) > fewModels || budget == 0 {
		return nil, false
	}
	e := exhaustive{
		in: in, current: current, prices: proof.slices, lost: lost, money: money, budget: budget, work: w,
		counts: make([]int, len(in.kinds)), taken: make([]int, len(in.models)), rest: make([]int64, len(in.models)+1),
	}
	for m := range in.models {
		list, ok := e.list(m, short)
		if !ok {
			return nil, false
		}
		e.choices = append(e.choices, list)
		e.order = append(e.order, m)
	}
	slices.SortFunc(e.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(e.choices[a]), len(e.choices[b])), cmp.Compare(a, b))
	})
	for i := len(e.order) - 1; i >= 0; i-- {
		least := slices.MinFunc(e.choices[e.order[i]], func(a, b choice) int { return cmp.Compare(a.price, b.price) })
		e.rest[i] = e.rest[i+1] + least.price
	}
	spare := 0.0
	for k, o := range in.offers {
		spare += float64(o.paid) * float64(in.dearestGeometry(o, e.prices))
		spare += float64(proof.limits[k]) * float64(o.nodes*o.perNode)
		for j := o.first; j < o.end; j++ {
			spare += float64(in.kinds[j].free) * float64(e.prices[j])
		}
	}
	e.spare = int64(min(spare*(1+1e-12)+1, float64(unaffordable)))
	e.walk(0, 0, 0)
	return e.best, e.best != nil
}

// list enumerates the covers of a model of which no slice could be left out, and
// where it may be served short all that are part of one. It gives up where they
// are many.
func (e *exhaustive) list(m int, short bool) ([]choice, bool) {
	l := lister{e: e, d: &e.in.models[m], short: short}
	if !l.from(0, 0, 0) || len(l.out) == 0 {
		return nil, false
	}
	slices.SortStableFunc(l.out, func(a, b choice) int { return cmp.Or(cmp.Compare(a.lost, b.lost), cmp.Compare(a.price, b.price)) })
	return l.out, true
}

type lister struct {
	e     *exhaustive
	d     *demand
	short bool
	c     cover
	out   []choice
}

// from lists what adds slices of item i and those after it; false where that is
// too much.
func (l *lister) from(i, taken int, does int64) bool {
	if money, allowed := l.e.price(); !allowed || !l.short && money >= l.e.money {
		return true // More slices only cost more.
	}
	enough := does >= l.d.need && taken >= l.d.least
	if enough || l.short {
		l.take(does)
	}
	if !l.e.spend(1) || len(l.out) > fewChoices {
		return false
	}
	for j := i; !enough && j < len(l.d.items); j++ {
		it := l.d.items[j]
		if last := len(l.c) - 1; last >= 0 && l.c[last].kind == it.kind {
			l.c[last].n++
		} else {
			l.c = append(l.c, count{it.kind, 1})
		}
		l.e.counts[it.kind]++
		ok := l.from(j, taken+1, does+it.does)
		l.e.counts[it.kind]--
		if !ok {
			return false
		}
		if last := len(l.c) - 1; l.c[last].n > 1 {
			l.c[last].n--
		} else {
			l.c = l.c[:last]
		}
	}
	return true
}

// take adds the present cover to the list.
func (l *lister) take(does int64) {
	x := choice{cover: slices.Clone(l.c), lost: l.d.value * l.d.scale * float64(max(0, l.d.need-does))}
	for _, n := range l.c {
		x.price += int64(n.n) * l.e.prices[n.kind]
	}
	l.out = append(l.out, x)
}

// spend counts work and says whether any is left.
func (e *exhaustive) spend(n int) bool {
	e.budget -= n
	e.work.spend(n)
	return e.budget > 0 && !e.work.done()
}

func (e *exhaustive) walk(i int, lost float64, price int64) {
	if i == len(e.order) {
		e.keep(lost)
		return
	}
	m := e.order[i]
	for c, x := range e.choices[m] {
		if !e.spend(1) {
			return
		}
		if lost+x.lost > e.lost*(1+1e-12)+1e-12 {
			break // The others leave out more.
		}
		if e.better(lost+x.lost, price+x.price+e.rest[i+1]-e.spare) {
			e.shift(x.cover, 1)
			e.taken[m] = c
			if money, allowed := e.price(); allowed && e.better(lost+x.lost, money) {
				e.walk(i+1, lost+x.lost, price+x.price)
			}
			e.shift(x.cover, -1)
		}
	}
}

// better says whether value left out and money of at least so much could still be
// better than the best.
func (e *exhaustive) better(lost float64, money int64) bool {
	return lost < e.lost*(1-1e-9)-1e-12 || money < e.money
}

func (e *exhaustive) shift(c cover, sign int) {
	for _, x := range c {
		e.counts[x.kind] += sign * x.n
	}
}

func (e *exhaustive) price() (money int64, allowed bool) {
	gpus := make([]int, len(e.in.offers))
	for k, o := range e.in.offers {
		gpus[k] = e.in.gpusFor(o, e.counts)
	}
	return e.in.price(gpus)
}

// keep lays the choice out, counts its money and takes it if it is better.
func (e *exhaustive) keep(lost float64) {
	covers := make([]cover, len(e.in.models))
	for m, c := range e.taken {
		covers[m] = e.choices[m][c].cover
	}
	if e.in.nodes > 1 {
		e.spend(mostWays) // As many layouts may be tried.
	}
	l := e.in.arrange(e.current, covers)
	if money := l.money(); l.complete() && e.better(lost, money) {
		e.lost, e.money, e.best = min(lost, e.lost), money, covers
	}
}
