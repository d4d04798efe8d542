package packing

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// A proof is a lower bound and the prices it follows from, in nano-units. For any
// prices of slices that are not negative, no layout costs less than
//
//	the sum over models of the cheapest integer cover at those prices
//	- the price of every free slice of a fixed GPU
//	- for every GPU that is paid already, the price of the dearest geometry
//	- for every GPU that may still be bought, its limit price: what the dearest
//	  geometry costs more than the GPU
//
// because each cover is paid for out of these. Nor less than the smallest sum of
// prices of whole nodes that is no less. All of it is computed in integers.
type proof struct {
	slices []int64 // Price of each kind.
	limits []int64 // Limit price of each offer.
	bound  int64
}

// prove turns prices found in floating point into a proof.
func (in *instance) prove(prices []float64, sums int) proof {
	p := proof{slices: make([]int64, len(in.kinds)), limits: make([]int64, len(in.offers))}
	for k, price := range prices {
		p.slices[k] = int64(max(0, math.Floor(price)))
	}
	total := new(big.Int)
	add := func(n int, price int64) {
		total.Add(total, new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(price)))
	}
	for k, o := range in.offers {
		dearest := in.lower(o, p.slices)
		p.limits[k] = max(0, dearest-o.price)
		add(-o.paid, dearest)
		add(-o.nodes*o.perNode, p.limits[k])
		for j := o.first; j < o.end; j++ {
			add(-in.kinds[j].free, p.slices[j])
		}
	}
	for m := range in.models {
		add(1, leastCover(&in.models[m], p.slices))
	}
	if total.Sign() > 0 && total.IsInt64() {
		p.bound = in.nextSum(total.Int64(), sums)
	}
	return p
}

// lower reduces the prices of an offer until its dearest geometry costs no more
// than the GPU, unless a limit on the GPUs may make it dearer, and answers what
// that geometry costs then.
func (in *instance) lower(o offer, prices []int64) int64 {
	dearest := in.dearestGeometry(o, prices)
	if dearest <= o.price || o.nodes < maxNodes && dearest-o.price > o.price/1_000_000 {
		return dearest
	}
	for j := o.first; j < o.end; j++ {
		hi, lo := bits.Mul64(uint64(prices[j]), uint64(o.price))
		q, _ := bits.Div64(hi, lo, uint64(dearest))
		prices[j] = int64(q)
	}
	return in.dearestGeometry(o, prices)
}

func (in *instance) dearestGeometry(o offer, prices []int64) int64 {
	most := int64(0)
	for _, a := range o.table.patterns {
		sum := int64(0)
		for j := o.first; j < o.end; j++ {
			sum += int64(a[in.kinds[j].column]) * prices[j]
		}
		most = max(most, sum)
	}
	return most
}

// leastBudget is how many nodes the exact search for a cover may visit before it
// is content with the fractional bound, which is lower.
const leastBudget = 200_000

// leastCover is the price of the cheapest integer cover, or less.
func leastCover(d *demand, prices []int64) int64 {
	if d.needLow <= 0 {
		return 0
	}
	l := leaster{budget: leastBudget, best: math.MaxInt64}
	for i, it := range d.items {
		dominated := slices.ContainsFunc(d.items, func(o item) bool {
			q, p := prices[o.kind], prices[it.kind]
			return o.upper >= it.upper && q <= p && (o.upper > it.upper || q < p || o.kind < d.items[i].kind)
		})
		if !dominated {
			l.items = append(l.items, exactItem{it.upper, prices[it.kind]})
		}
	}
	slices.SortFunc(l.items, func(a, b exactItem) int { return a.compareRate(b) })
	l.walk(0, d.needLow, 0)
	if l.budget > 0 {
		return l.best
	}
	return l.items[0].atRate(d.needLow)
}

type exactItem struct{ does, price int64 }

// compareRate orders by price per work, exactly.
func (a exactItem) compareRate(b exactItem) int {
	ah, al := bits.Mul64(uint64(a.price), uint64(b.does))
	bh, bl := bits.Mul64(uint64(b.price), uint64(a.does))
	return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl), cmp.Compare(b.does, a.does))
}

// atRate is the price of so much work at the item's rate, rounded up, which is
// still a bound because prices are whole.
func (a exactItem) atRate(work int64) int64 {
	hi, lo := bits.Mul64(uint64(work), uint64(a.price))
	if hi >= uint64(a.does) {
		return math.MaxInt64
	}
	q, rest := bits.Div64(hi, lo, uint64(a.does))
	if rest > 0 {
		q++
	}
	if q > math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return int64(q)
}

type leaster struct {
	items  []exactItem
	best   int64
	budget int
}

func (l *leaster) walk(i int, rest, cost int64) {
	it := l.items[i]
	most := (rest + it.does - 1) / it.does
	for n := most; n >= 0 && l.budget > 0; n-- {
		l.budget--
		now := l.best
		if it.price == 0 || n < (l.best-cost)/it.price+1 {
			now = cost + n*it.price // No overflow: hardly more than the best.
		}
		if n == most {
			l.best = min(l.best, now)
			continue
		}
		if i+1 == len(l.items) {
			return
		}
		left := rest - n*it.does
		if now+l.items[i+1].atRate(left) >= l.best {
			return
		}
		l.walk(i+1, left, now)
	}
}

// nextSum is the smallest sum of prices of whole nodes that is at least the bound,
// or the bound itself where that would take more than limit sums to find.
func (in *instance) nextSum(bound int64, limit int) int64 {
	unit := int64(0)
	var nodes []int64
	for _, o := range in.offers {
		if price := o.price * int64(o.perNode); price > 0 && o.nodes > 0 {
			nodes = append(nodes, price)
			unit = gcd(unit, price)
		}
	}
	if bound == 0 || len(nodes) == 0 {
		return bound
	}
	first := (bound + unit - 1) / unit
	last := first + slices.Min(nodes)/unit
	if last > int64(limit) {
		return bound
	}
	reachable := make([]bool, last+1)
	reachable[0] = true
	for _, price := range nodes {
		step := price / unit
		for at := step; at <= last; at++ {
			reachable[at] = reachable[at] || reachable[at-step]
		}
	}
	for at := first; at <= last; at++ {
		if reachable[at] {
			return at * unit
		}
	}
	return bound
}
