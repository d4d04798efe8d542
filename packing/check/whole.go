package check

import (
	"math/big"
	"slices"
)

// wholeCover is a covering problem in whole numbers: items sorted by price per
// work, the cheapest work first.
type wholeCover struct {
	need        *big.Int
	does, price []*big.Int
	part        *[2]*big.Int // What the slice that may be had in parts does and costs; nil if there is none.
	least       int          // Slices there must be.
	cheapest    *big.Int     // Price of the slice that fills up their number.
	moneyUnit   *big.Int     // Prices are in units of one over this.
	nodes       int
}

// nano is the unit to which prices of parts are rounded down.
var nano = big.NewInt(1_000_000_000)

// toWhole multiplies everything by common denominators.
func toWhole(need *big.Rat, items []offer, inPart *offer, cheapest *big.Rat) *wholeCover {
	work, coin := new(big.Int).Set(need.Denom()), new(big.Int).Set(cheapest.Denom())
	for _, it := range items {
		work = lcm(work, it.does.Denom())
		coin = lcm(coin, it.price.Denom())
	}
	if inPart != nil {
		work = lcm(work, inPart.does.Denom())
		coin = lcm(lcm(coin, inPart.price.Denom()), nano)
	}
	whole := func(x *big.Rat, unit *big.Int) *big.Int {
		n := new(big.Int).Mul(x.Num(), unit)
		return n.Quo(n, x.Denom())
	}
	w := &wholeCover{need: whole(need, work), cheapest: whole(cheapest, coin), moneyUnit: coin}
	slices.SortStableFunc(items, offer.rate)
	for _, it := range items {
		if inPart != nil && it.rate(*inPart) >= 0 {
			break // A part of the slice to be had in parts does as much for less.
		}
		w.does = append(w.does, whole(it.does, work))
		w.price = append(w.price, whole(it.price, coin))
	}
	if inPart != nil {
		w.part = &[2]*big.Int{whole(inPart.does, work), whole(inPart.price, coin)}
	}
	return w
}

// fractional is the price of the work at the cheapest rate, rounded down where it
// is had in parts, and up to whole units of money otherwise, of which every cover
// has a whole number.
func (w *wholeCover) fractional() *big.Int {
	switch {
	case len(w.does) == 0 && w.part == nil:
		return new(big.Int)
	case len(w.does) == 0:
		return w.inPart(w.need)
	case w.part != nil:
		n := new(big.Int).Mul(w.need, w.price[0])
		return n.Quo(n, w.does[0])
	}
	return w.rest(0, w.need)
}

// inPart is the price of work in parts of a slice, rounded down.
func (w *wholeCover) inPart(work *big.Int) *big.Int {
	n := new(big.Int).Mul(work, w.part[1])
	return n.Quo(n, w.part[0])
}

// rest is a lower bound on what work costs with item i and those after it, up to
// whole units of money.
func (w *wholeCover) rest(i int, work *big.Int) *big.Int {
	n := new(big.Int).Mul(work, w.price[i])
	if w.part != nil {
		return n.Quo(n, w.does[i])
	}
	q, r := n.QuoRem(n, w.does[i], new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// search is the price of the cheapest cover; exact is false if it would take too
// many nodes.
func (w *wholeCover) search(nodes int) (best *big.Int, exact bool) {
	w.nodes = nodes
	if len(w.does) == 0 {
		return new(big.Int), false
	}
	w.walk(0, w.need, new(big.Int), 0, &best)
	return best, w.nodes > 0
}

func (w *wholeCover) walk(i int, need, cost *big.Int, taken int64, best **big.Int) {
	one := big.NewInt(1)
	n := new(big.Int).Sub(new(big.Int).Add(need, w.does[i]), one)
	n.Quo(n, w.does[i])
	take := func(price *big.Int) {
		if *best == nil || price.Cmp(*best) < 0 {
			*best = price
		}
	}
	for closing := true; n.Sign() >= 0 && w.nodes > 0; n.Sub(n, one) {
		w.nodes--
		now := new(big.Int).Add(cost, new(big.Int).Mul(n, w.price[i]))
		count := taken + n.Int64()
		if closing {
			closing = false
			if missing := int64(w.least) - count; missing > 0 {
				now.Add(now, new(big.Int).Mul(w.cheapest, big.NewInt(missing)))
			}
			take(now)
			continue
		}
		left := new(big.Int).Sub(need, new(big.Int).Mul(n, w.does[i]))
		if i+1 == len(w.does) {
			if w.part != nil {
				take(now.Add(now, w.inPart(left)))
			}
			return
		}
		if new(big.Int).Add(now, w.rest(i+1, left)).Cmp(*best) >= 0 {
			return
		}
		w.walk(i+1, left, now, count, best)
	}
}
