package packing

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// leastBudget is how many nodes the exact search for a cover may visit before it
// is content with the fractional bound, which is lower.
const leastBudget = 200_000

// leastCover is the price of the cheapest cover, or less: of whole slices, as many
// as the model must have, and of parts of those that processes may share.
func leastCover(d *demand, prices []int64) int64 {
	l := leaster{budget: leastBudget, best: math.MaxInt64, least: d.least}
	if d.needLow <= 0 && d.least == 0 {
		return 0
	}
	l.list(d, prices)
	if d.needLow <= 0 {
		return int64(l.least) * l.cheapest
	}
	if len(l.items) == 0 {
		return max(0, l.part.atRate(d.needLow)-1)
	}
	l.walk(0, d.needLow, 0, 0)
	if l.budget <= 0 {
		l.best = l.items[0].atRate(d.needLow)
	}
	if l.part.does > 0 {
		return max(0, l.best-1) // Parts need not cost a whole number, and were rounded up.
	}
	return l.best
}

// list sets the best rate at which parts can be had, the least price of any slice,
// and the slices that are of use beside: none does less for more.
func (l *leaster) list(d *demand, prices []int64) {
	l.cheapest = math.MaxInt64
	for _, it := range d.items {
		l.cheapest = min(l.cheapest, prices[it.kind])
		if part := (exactItem{it.whole, prices[it.kind]}); it.fluid && (l.part.does == 0 || part.compareRate(l.part) < 0) {
			l.part = part
		}
	}
	for i, it := range d.items {
		one := exactItem{it.upper, prices[it.kind]}
		dominated := l.part.does > 0 && one.compareRate(l.part) >= 0 || slices.ContainsFunc(d.items, func(o item) bool {
			q, p := prices[o.kind], prices[it.kind]
			return o.upper >= it.upper && q <= p && (o.upper > it.upper || q < p || o.kind < d.items[i].kind)
		})
		if !dominated {
			l.items = append(l.items, one)
		}
	}
	slices.SortFunc(l.items, func(a, b exactItem) int { return a.compareRate(b) })
}

// cheapestPart is the slice of which the model would take parts, and their price.
func (d *demand) cheapestPart(prices []float64) (item, float64) {
	best, at := math.Inf(1), item{}
	for _, it := range d.items {
		if price := prices[it.kind] * float64(d.need) / float64(it.whole); it.fluid && price < best {
			best, at = price, it
		}
	}
	return at, best
}

type exactItem struct{ does, price int64 }

// compareRate orders by price per work, exactly.
func (a exactItem) compareRate(b exactItem) int {
	ah, al := bits.Mul64(uint64(a.price), uint64(b.does))
	bh, bl := bits.Mul64(uint64(b.price), uint64(a.does))
	return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl), cmp.Compare(b.does, a.does))
}

// atRate is the price of so much work at the item's rate, rounded up, which is
// still a bound for whole slices because prices are whole.
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
	items    []exactItem // Slices by rate; all cheaper than parts.
	part     exactItem   // The slice of which parts are cheapest; does nothing where there is none.
	least    int         // Slices there must be.
	cheapest int64       // Price of the slice that fills up their number.
	best     int64
	budget   int
}

func (l *leaster) walk(i int, rest, cost int64, taken int) {
	it := l.items[i]
	most := (rest + it.does - 1) / it.does
	for n := most; n >= 0 && l.budget > 0; n-- {
		l.budget--
		now := l.best
		if it.price == 0 || n < (l.best-cost)/it.price+1 {
			now = cost + n*it.price // No overflow: hardly more than the best.
		}
		if n == most {
			l.close(now, taken+int(n))
			continue
		}
		left := rest - n*it.does
		if i+1 == len(l.items) {
			if l.part.does > 0 && now < l.best {
				l.best = min(l.best, now+l.part.atRate(left))
			}
			return
		}
		if now+l.items[i+1].atRate(left) >= l.best {
			return
		}
		l.walk(i+1, left, now, taken+int(n))
	}
}

// close takes note of enough slices for the work, filled up to their number.
func (l *leaster) close(cost int64, taken int) {
	if cost >= l.best {
		return
	}
	for n := taken; n < l.least && cost < l.best; n++ {
		cost += l.cheapest
	}
	l.best = min(l.best, cost)
}
