package packing

import (
	"cmp"
	"slices"
)

// elsewhere is how many times dearer other offers count when a start is asked to
// stay with one of them.
const elsewhere = 1e6

// starts lists choices to search from: what the master program takes most of, the
// cheapest covers at the prices and, unless little work is allowed, the cheapest
// on each offer alone.
func (p *pricing) starts(do plan) [][]cover {
	prices := [][]float64{p.best.kind}
	if do.pool > 8 {
		for k := range p.in.offers {
			alone := slices.Clone(p.best.kind)
			for j, kind := range p.in.kinds {
				if kind.offer != k {
					alone[j] = (alone[j] + 1) * elsewhere
				}
			}
			prices = append(prices, alone)
		}
	}
	var out [][]cover
	for _, at := range prices {
		covers := make([]cover, len(p.in.models))
		for m := range p.in.models {
			c, _, nodes := p.find.cheapest(&p.in.models[m], at)
			p.work.spend(nodes)
			covers[m] = c
		}
		out = append(out, covers)
	}
	mixed := p.chosen()
	for m, c := range mixed {
		if c == nil {
			mixed[m] = out[0][m]
		}
	}
	return append(out, mixed)
}

// widenPools adds covers that cost little more than the cheapest, keeps the best of
// them and every cover of the starts.
func (p *pricing) widenPools(do plan, starts [][]cover) {
	for m := range p.pools {
		d := &p.in.models[m]
		if !p.work.done() {
			_, cost, _ := p.find.cheapest(d, p.best.kind)
			near, nodes := p.find.near(d, p.best.kind, 0.3*cost+float64(p.in.dearest())/100, do.pool)
			p.work.spend(nodes)
			for _, c := range near {
				p.remember(m, c)
			}
		}
		pool := p.pools[m]
		slices.SortFunc(pool, func(a, b cover) int {
			return cmp.Or(cmp.Compare(a.cost(p.best.kind), b.cost(p.best.kind)), a.compare(b))
		})
		p.pools[m] = pool[:min(len(pool), do.pool)]
		for _, covers := range starts {
			if d.coveredBy(covers[m]) {
				p.remember(m, covers[m])
			}
		}
	}
}

// indices finds covers in the pools, -1 for one that is not there.
func (p *pricing) indices(covers []cover) []int {
	out := make([]int, len(covers))
	for m, c := range covers {
		out[m] = slices.IndexFunc(p.pools[m], func(o cover) bool { return c.compare(o) == 0 })
	}
	return out
}

// complete says whether the covers serve every model in full.
func (p *pricing) complete(covers []cover) bool {
	for m, c := range covers {
		if !p.in.models[m].coveredBy(c) {
			return false
		}
	}
	return true
}

// completed adds to covers of today the cheapest slices for what they do not serve,
// and takes away, the smallest first, what is no longer needed.
func (p *pricing) completed(today []cover) []cover {
	out := make([]cover, len(today))
	for m, c := range today {
		if len(c) == 0 {
			continue
		}
		d := p.in.models[m]
		counts := map[int]int{}
		rest, spare := d.need, c.slices()-d.least
		for _, x := range c {
			counts[x.kind] = x.n
			rest -= int64(x.n) * d.does(x.kind)
		}
		if rest > 0 || spare < 0 {
			d.need, d.least = max(1, rest), max(0, -spare)
			more, _, nodes := p.find.cheapest(&d, p.best.kind)
			p.work.spend(nodes)
			for _, x := range more {
				counts[x.kind] += x.n
			}
		}
		bySize := slices.SortedFunc(slices.Values(d.items), func(a, b item) int {
			return cmp.Or(cmp.Compare(a.does, b.does), cmp.Compare(a.kind, b.kind))
		})
		for _, it := range bySize {
			n := min(int64(counts[it.kind]), int64(max(0, spare)), max(0, -rest)/it.does)
			counts[it.kind] -= int(n)
			spare -= int(n)
			rest += n * it.does
		}
		for _, it := range d.items {
			if n := counts[it.kind]; n > 0 {
				out[m] = append(out[m], count{it.kind, n})
			}
		}
	}
	return out
}

// remember adds a cover to a model's pool.
func (p *pricing) remember(m int, c cover) {
	if c != nil && !slices.ContainsFunc(p.pools[m], func(o cover) bool { return c.compare(o) == 0 }) {
		p.pools[m] = append(p.pools[m], c)
	}
}

// chosen answers for each model the cover with the greatest weight in the master.
func (p *pricing) chosen() []cover {
	out := make([]cover, len(p.in.models))
	weight := make([]float64, p.master.rows-p.first)
	value := map[int]float64{}
	for i, j := range p.master.basis {
		value[j] = p.master.x[i]
	}
	blocks := len(weight)
	for _, c := range p.cuts {
		if w := value[c.column]; w > weight[c.block] {
			weight[c.block] = w
			for i, cv := range c.covers {
				out[c.block+i*blocks] = cv
			}
		}
	}
	return out
}
