package packing

import (
	"cmp"
	"math"
	"slices"
)

// A cover is enough slices for one model, by kind, with none that could be left
// out: enough for its work, and as many as it must have. Kinds ascend.
type cover []count

type count struct {
	kind int
	n    int
}

func (c cover) cost(prices []float64) float64 {
	sum := 0.0
	for _, x := range c {
		sum += float64(x.n) * prices[x.kind]
	}
	return sum
}

// slices is how many slices there are.
func (c cover) slices() int {
	n := 0
	for _, x := range c {
		n += x.n
	}
	return n
}

func (c cover) compare(o cover) int {
	return slices.CompareFunc(c, o, func(a, b count) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.n, b.n))
	})
}

// serves answers how much of the need a cover serves.
func (d *demand) serves(c cover) int64 {
	sum := int64(0)
	for _, x := range c {
		sum += int64(x.n) * d.does(x.kind)
		if sum >= d.need {
			return d.need
		}
	}
	return sum
}

// coveredBy says whether a cover is enough.
func (d *demand) coveredBy(c cover) bool {
	return d.serves(c) >= d.need && c.slices() >= d.least
}

func (d *demand) does(kind int) int64 {
	for _, it := range d.items {
		if it.kind == kind {
			return it.does
		}
	}
	return 0
}

// coverer finds cheap covers of one model at given slice prices: a covering
// knapsack of few items, by depth-first search in the order of price per work,
// pruned with the price of the rest at the next item's rate.
type coverer struct {
	items  []pricedItem
	counts []int
	least  int     // Slices there must be.
	filler int     // Item that fills up their number: the cheapest.
	best   float64 // Cost of the cheapest cover so far.
	slack  float64 // How far above the best a cover may lie to be kept.
	budget int     // Nodes left.
	found  func(cost float64, counts []int)
}

type pricedItem struct {
	kind  int
	does  float64
	whole int64
	price float64
	rate  float64 // Price of one unit of work.
}

// coverBudget is how many nodes one search may visit; what it has found by then is
// still a cover.
const coverBudget = 4000

// cheapest answers the cheapest cover found at the prices, its cost, and the nodes
// visited. A model without items has none.
func (c *coverer) cheapest(d *demand, prices []float64) (cover, float64, int) {
	var best []int
	nodes := c.search(d, prices, 0, coverBudget, func(_ float64, counts []int) {
		best = append(best[:0], counts...)
	})
	if best == nil {
		return nil, math.Inf(1), nodes
	}
	return c.cover(best), c.best, nodes
}

// near answers up to most covers whose cost is within slack of the cheapest, the
// cheapest first.
func (c *coverer) near(d *demand, prices []float64, slack float64, most int) ([]cover, int) {
	type priced struct {
		cost  float64
		cover cover
	}
	var all []priced
	nodes := c.search(d, prices, slack, 4*coverBudget, func(cost float64, counts []int) {
		all = append(all, priced{cost, c.cover(counts)})
	})
	slices.SortFunc(all, func(a, b priced) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), a.cover.compare(b.cover))
	})
	var out []cover
	for _, p := range all {
		if len(out) == most || p.cost > c.best+slack {
			break
		}
		out = append(out, p.cover)
	}
	return out, nodes
}

func (c *coverer) search(d *demand, prices []float64, slack float64, budget int, found func(float64, []int)) int {
	c.order(d, prices, slack > 0)
	c.best, c.slack, c.budget, c.found = math.Inf(1), slack, budget, found
	if len(c.items) > 0 {
		c.walk(0, d.need, 0, 0)
	}
	return budget - c.budget
}

// order sorts the model's items by rate and, unless all covers near the best are
// wanted, drops those that cost no less than one that does as much.
func (c *coverer) order(d *demand, prices []float64, all bool) {
	c.items = c.items[:0]
	for i, it := range d.items {
		p := prices[it.kind]
		dominated := !all && slices.ContainsFunc(d.items, func(o item) bool {
			q := prices[o.kind]
			return o.does >= it.does && q <= p && (o.does > it.does || q < p || o.kind < d.items[i].kind)
		})
		if !dominated {
			c.items = append(c.items, pricedItem{it.kind, float64(it.does), it.does, p, p / float64(it.does)})
		}
	}
	slices.SortFunc(c.items, func(a, b pricedItem) int {
		return cmp.Or(cmp.Compare(a.rate, b.rate), cmp.Compare(b.whole, a.whole), cmp.Compare(a.kind, b.kind))
	})
	c.counts = append(c.counts[:0], make([]int, len(c.items))...)
	c.least, c.filler = d.least, 0
	for i, it := range c.items {
		if it.price < c.items[c.filler].price {
			c.filler = i
		}
	}
}

// walk decides how many of item i to take, the most first: with fewer of the best
// rate the bound only rises, so the first that fails ends the loop.
func (c *coverer) walk(i int, rest int64, cost float64, taken int) {
	it := c.items[i]
	most := int((rest + it.whole - 1) / it.whole)
	for n := most; n >= 0; n-- {
		if c.budget <= 0 && !math.IsInf(c.best, 1) {
			break
		}
		c.budget--
		c.counts[i] = n
		now := cost + float64(n)*it.price
		if n == most {
			c.offer(now, taken+n)
			continue
		}
		if i+1 == len(c.items) {
			break
		}
		left := rest - int64(n)*it.whole
		if now+float64(left)*c.items[i+1].rate >= c.best+c.slack-1e-12*c.best {
			break
		}
		c.walk(i+1, left, now, taken+n)
	}
	c.counts[i] = 0
}

// offer reports enough slices for the work, filled up to their number.
func (c *coverer) offer(cost float64, taken int) {
	more := max(0, c.least-taken)
	cost += float64(more) * c.items[c.filler].price
	if cost < c.best || c.slack > 0 && cost <= c.best+c.slack {
		c.counts[c.filler] += more
		c.best = min(c.best, cost)
		c.found(cost, c.counts)
		c.counts[c.filler] -= more
	}
}

// cover turns counts by item into a cover.
func (c *coverer) cover(counts []int) cover {
	out := make(cover, 0, 4)
	for i, n := range counts {
		if n > 0 {
			out = append(out, count{c.items[i].kind, n})
		}
	}
	slices.SortFunc(out, func(a, b count) int { return cmp.Compare(a.kind, b.kind) })
	return out
}
