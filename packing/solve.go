package packing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Solve answers a layout that meets every demand for little money, with a bound on
// what any layout costs. It never costs more than first-fit decreasing. Where the
// limits leave no room for all, it serves the most value it can find and says what
// is left out and why; that is no error. The only error is a problem that Validate
// does not accept.
func Solve(p Problem, opt Options) (Answer, error) {
	if err := p.Validate(); err != nil {
		return Answer{}, fmt.Errorf("pack: %w", err)
	}
	do := opt.plan()
	w := &work{left: do.steps, stop: opt.Stop, unasked: askEvery}
	in := newInstance(p)
	s := in.solve(p.Current, do, w)
	prices := [][]float64{s.prices}
	a := in.answer(p, in.layout(p.Current, s.covers), prices, do)
	if in.offersProcesses() {
		a = in.together(p, a, prices, do, w)
	}
	a.Truncated = w.stopped
	return a, nil
}

// solve finds covers for everything, or for what is worth most where the limits
// leave no room for all.
func (in *instance) solve(current []Placed, do plan, w *work) solution {
	plain := firstFit(in)
	today := in.today(current)
	s := in.improve(do, w, today, plain)
	if s.allowed {
		return in.perfect(current, in.noWorse(current, s, today, plain), do, w)
	}
	// Not everything can be served: the same question for what can.
	covers := ration(in, [][]cover{today, plain, s.covers}, w)
	less, left := in.reduced(covers)
	s = less.improve(do, w, left, left)
	return in.perfect(current, in.noWorse(current, less.widen(in, s), today, plain), do, w)
}

// noWorse answers the solution or, if that is better once it is laid out, one of
// others. The search reckons with faces, which do not see where models must spread.
func (in *instance) noWorse(current []Placed, s solution, others ...[]cover) solution {
	if in.nodes <= 1 {
		return s
	}
	best, lost := in.arrange(current, s.covers), in.lost(s.covers)
	for _, covers := range others {
		l, left := in.arrange(current, covers), in.lost(covers)
		if left > lost*(1+1e-9) {
			continue
		}
		if left < lost*(1-1e-9) || cmp.Or(cmp.Compare(l.lacking(), best.lacking()), cmp.Compare(l.money(), best.money())) < 0 {
			s.covers, best, lost = covers, l, left
		}
	}
	return s
}

// lost is the value that covers leave out.
func (in *instance) lost(covers []cover) float64 {
	sum := 0.0
	for m, d := range in.models {
		sum += d.value * d.scale * float64(max(0, d.need-d.serves(covers[m])))
	}
	return sum
}

// FirstFitDecreasing answers the layout of the baseline that Solve never does worse
// than, with the bound of a short search.
func FirstFitDecreasing(p Problem) (Answer, error) {
	if err := p.Validate(); err != nil {
		return Answer{}, fmt.Errorf("pack: %w", err)
	}
	do := Options{Effort: Low}.plan()
	in := newInstance(p)
	prices := newPricing(in, &work{left: do.steps})
	prices.run(do.rounds)
	return in.answer(p, in.layout(p.Current, firstFit(in)), [][]float64{prices.best.kind}, do), nil
}

// solution is a cover of each model and the prices found on the way.
type solution struct {
	covers  []cover
	prices  []float64
	allowed bool // The limits allow it.
}

// widen gives back the models that an instance was reduced by, without covers.
func (in *instance) widen(all *instance, s solution) solution {
	covers := make([]cover, len(all.models))
	for m, d := range all.models {
		if i := slices.IndexFunc(in.models, func(o demand) bool { return o.name == d.name }); i >= 0 {
			covers[m] = s.covers[i]
		}
	}
	s.covers = covers
	return s
}

// improve finds covers that need few GPUs, no dearer than today's and those of
// first-fit decreasing if these serve everything within the limits. Of equals it
// prefers today's.
func (in *instance) improve(do plan, w *work, today, plain []cover) solution {
	// 1. Prices, and with them the covers worth having.
	p := newPricing(in, w)
	p.run(do.rounds)
	out := solution{prices: p.best.kind, allowed: true}
	if len(in.models) == 0 {
		return out
	}
	today = p.completed(today)
	starts := append([][]cover{today, plain}, p.starts(do)...)
	p.widenPools(do, starts)
	// 2. From each start downhill.
	s := newSearch(in, p.pools, make([]int, len(in.models)), w)
	best, allowed := s.descendAll(p, starts)
	// 3. If the limits are in the way, look for any choice that keeps to them.
	if !allowed {
		best, allowed = s.obey(4 * do.anneal * len(in.models))
	}
	// 4. Fewer whole nodes, then fewer slices.
	if allowed {
		best = s.squeeze(best, in.prove(p.best.kind, do.sums).bound, do)
		best = s.simplify(best, p.indices(today))
	}
	out.allowed = allowed
	for m, c := range best.chosen {
		out.covers = append(out.covers, p.pools[m][c])
	}
	return out
}

// descendAll goes downhill from each start and answers the best state that the
// limits allow, if there is one. The search is left where it needs least. The
// first two starts, today's covers and those of first-fit decreasing, may be short
// and are then left out; if not, they count as they are, so that the answer is
// never worse.
func (s *search) descendAll(p *pricing, starts [][]cover) (best state, allowed bool) {
	keep := func() {
		if now, ok := s.state(); ok && (!allowed || better(now, best)) {
			best, allowed = now, true
		}
	}
	var lean []int
	leanest := math.Inf(1)
	for i, covers := range starts {
		if i < 2 && !p.complete(covers) {
			continue
		}
		s.restore(p.indices(covers))
		if i < 2 {
			keep()
		}
		s.descend()
		keep()
		if s.energy < leanest {
			lean, leanest = slices.Clone(s.chosen), s.energy
		}
	}
	s.restore(lean)
	return best, allowed
}

// obey looks for any choice that keeps to the limits. Where it finds none the
// state answered is the one it began with.
func (s *search) obey(steps int) (state, bool) {
	lean := slices.Clone(s.chosen)
	for k, o := range s.in.offers {
		s.target[k] = float64(o.limit())
	}
	found := s.anneal(steps)
	clear(s.target)
	if !found {
		s.restore(lean)
	}
	now, allowed := s.state()
	s.settle()
	return now, allowed
}
