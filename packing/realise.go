package packing

import "slices"

// A cutting is one GPU to be cut: the pattern, how many slices of each kind of its
// offer hold a model, and how many are divided into shares of each kind.
type cutting struct {
	pattern int
	used    []int
	shared  []int // Over the kinds of the offer; none where nothing is shared.
}

// realiseBudget is how many GPUs the search for a cutting may try before it is
// content with one GPU more.
const realiseBudget = 20_000

// realise cuts as few GPUs of an offer as it can so that they hold the slices
// (counts by kind of the offer, free slices taken off and shares put together
// already), no more than limit.
// What does not fit is answered in counts.
func (in *instance) realise(o offer, counts []int, limit int) (cuts []cutting, left []int) {
	r := in.newRealiser(o)
	for gpus := r.offer.atLeast(counts); gpus <= limit; gpus++ {
		r.budget = realiseBudget + 2*gpus
		r.cuts = r.cuts[:0]
		if r.fill(counts, gpus) {
			return r.cuts, make([]int, len(counts))
		}
	}
	return r.greedy(counts, limit)
}

// realiseAnew answers another way to cut the fewest GPUs, or in another order: the
// one after so many others.
func (in *instance) realiseAnew(o offer, counts []int, limit, after int) ([]cutting, bool) {
	r := in.newRealiser(o)
	gpus := r.offer.atLeast(counts)
	r.budget, r.after = anewBudget, after
	ok := gpus <= limit && r.fill(counts, gpus)
	return r.cuts, ok
}

func (in *instance) newRealiser(o offer) *realiser {
	r := &realiser{in: in, offer: o, faces: o.verts}
	for p := range o.table.patterns {
		a := make([]int, o.end-o.first)
		for i, k := range in.kinds[o.first:o.end] {
			if k.shares == 1 {
				a[i] = o.table.patterns[p][k.column]
			}
		}
		r.patterns = append(r.patterns, a)
	}
	return r
}

// anewBudget is the same for one further way.
const anewBudget = 500

type realiser struct {
	in       *instance
	offer    offer
	faces    []face
	patterns [][]int
	cuts     []cutting
	budget   int
	after    int // Ways to pass over.
}

// fill cuts GPU by GPU and only so that what remains may still fit in the rest.
func (r *realiser) fill(counts []int, gpus int) bool {
	if !slices.ContainsFunc(counts, func(n int) bool { return n > 0 }) {
		r.after--
		return r.after < 0
	}
	if gpus == 0 {
		return false
	}
	for _, p := range r.byUse(counts) {
		if r.budget--; r.budget < 0 {
			return false
		}
		used, rest := take(r.patterns[p], counts)
		if r.offer.atLeast(rest) > gpus-1 {
			continue
		}
		r.cuts = append(r.cuts, cutting{pattern: p, used: used})
		if r.fill(rest, gpus-1) {
			return true
		}
		r.cuts = r.cuts[:len(r.cuts)-1]
	}
	return false
}

// greedy cuts exactly limit GPUs, each for the most use.
func (r *realiser) greedy(counts []int, limit int) ([]cutting, []int) {
	var cuts []cutting
	for range limit {
		p := r.byUse(counts)
		if len(p) == 0 {
			break
		}
		used, rest := take(r.patterns[p[0]], counts)
		cuts = append(cuts, cutting{pattern: p[0], used: used})
		counts = rest
	}
	return cuts, counts
}

// byUse lists the patterns of any use for the slices, the most used first.
func (r *realiser) byUse(counts []int) []int {
	use := make([]float64, len(r.patterns))
	var order []int
	for p, a := range r.patterns {
		for i, n := range a {
			for _, f := range r.faces {
				use[p] += float64(min(n, counts[i])) * f.share[i]
			}
		}
		if use[p] > 0 {
			order = append(order, p)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case use[a] > use[b]:
			return -1
		case use[a] < use[b]:
			return 1
		}
		return a - b
	})
	return order
}

// take splits the slices into those that a pattern holds and the rest.
func take(pattern, counts []int) (used, rest []int) {
	used, rest = make([]int, len(counts)), make([]int, len(counts))
	for i, n := range counts {
		used[i] = min(n, pattern[i])
		rest[i] = n - used[i]
	}
	return used, rest
}
