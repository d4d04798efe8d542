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
	moneyUnit   *big.Int // Prices are in units of one over this.
	nodes       int
}

// toWhole multiplies everything by common denominators.
func toWhole(need *big.Rat, items []offer) *wholeCover {
	work, coin := new(big.Int).Set(need.Denom()), big.NewInt(1)
	for _, it := range items {
		work = lcm(work, it.does.Denom())
		coin = lcm(coin, it.price.Denom())
	}
	whole := func(x *big.Rat, unit *big.Int) *big.Int {
		n := new(big.Int).Mul(x.Num(), unit)
		return n.Quo(n, x.Denom())
	}
	w := &wholeCover{need: whole(need, work), moneyUnit: coin}
	slices.SortStableFunc(items, func(a, b offer) int {
		return new(big.Rat).Mul(a.price, b.does).Cmp(new(big.Rat).Mul(b.price, a.does))
	})
	for _, it := range items {
		w.does = append(w.does, whole(it.does, work))
		w.price = append(w.price, whole(it.price, coin))
	}
	return w
}

// fractional is the price of the work at the cheapest rate, rounded up to whole
// units of money, of which every cover has a whole number.
func (w *wholeCover) fractional() *big.Int {
	if len(w.does) == 0 {
		return new(big.Int)
	}
	return w.rest(0, w.need)
}

// rest is a lower bound on what work costs with item i and those after it.
func (w *wholeCover) rest(i int, work *big.Int) *big.Int {
	n := new(big.Int).Mul(work, w.price[i])
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
	w.walk(0, w.need, new(big.Int), &best)
	return best, w.nodes > 0
}

func (w *wholeCover) walk(i int, need, cost *big.Int, best **big.Int) {
	one := big.NewInt(1)
	n := new(big.Int).Sub(new(big.Int).Add(need, w.does[i]), one)
	n.Quo(n, w.does[i])
	for closing := true; n.Sign() >= 0 && w.nodes > 0; n.Sub(n, one) {
		w.nodes--
		now := new(big.Int).Add(cost, new(big.Int).Mul(n, w.price[i]))
		if closing {
			closing = false
			if *best == nil || now.Cmp(*best) < 0 {
				*best = now
			}
			continue
		}
		if i+1 == len(w.does) {
			return
		}
		left := new(big.Int).Sub(need, new(big.Int).Mul(n, w.does[i]))
		if new(big.Int).Add(now, w.rest(i+1, left)).Cmp(*best) >= 0 {
			return
		}
		w.walk(i+1, left, now, best)
	}
}
