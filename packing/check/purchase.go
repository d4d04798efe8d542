package check

import (
	"math/big"
)

// lackingNodes is how many nodes must be bought because a model must be on more
// nodes than there are or are paid for.
func (c *checker) lackingNodes() int64 {
	most := 0
	for _, m := range c.problem.Models {
		if m.Spread > 1 {
			most = max(most, min(m.Spread, len(c.on[m.Name])))
		}
	}
	have := map[int]bool{}
	for _, t := range c.problem.Current {
		have[t.Node] = true
	}
	lacking := most - len(have)
	for _, g := range c.problem.GPUs {
		lacking -= g.Reserved
	}
	return int64(max(0, lacking))
}

// nextPurchase is the smallest sum of prices of whole nodes that is at least x and
// buys the nodes that are lacking.
func (c *checker) nextPurchase(x *big.Rat) *big.Rat {
	var nodes []*big.Rat
	common := big.NewInt(1)
	lacking := c.lackingNodes()
	for _, g := range c.problem.GPUs {
		if g.MaxNodes != nil && c.mayBuy(g) == 0 {
			continue
		}
		price, _ := new(big.Rat).SetString(g.PricePerHour)
		price.Mul(price, big.NewRat(int64(g.PerNode), 1))
		if price.Sign() == 0 {
			lacking = 0
			continue
		}
		nodes = append(nodes, price)
		common = lcm(common, price.Denom())
	}
	if x.Sign() < 0 {
		x = new(big.Rat)
	}
	if x.Sign() == 0 && lacking == 0 || len(nodes) == 0 {
		return x
	}
	// In units of their greatest common divisor prices are coins.
	unit := new(big.Int)
	whole := make([]*big.Int, len(nodes))
	for i, price := range nodes {
		whole[i] = new(big.Int).Div(new(big.Int).Mul(price.Num(), common), price.Denom())
		unit.GCD(nil, nil, unit, whole[i])
	}
	from := ceil(new(big.Rat).Mul(x, new(big.Rat).SetFrac(common, unit)))
	if !from.IsInt64() || from.Int64() > mostSums {
		return x
	}
	coins := make([]int64, len(whole))
	for i, n := range whole {
		coins[i] = n.Div(n, unit).Int64()
	}
	sum, ok := nextSum(from.Int64(), coins, lacking)
	if !ok {
		return x
	}
	at := big.NewInt(sum)
	return new(big.Rat).SetFrac(at.Mul(at, unit), common)
}

// mostSums is how many sums of prices are looked through for the next one.
const mostSums = 50_000_000

// nextSum is the smallest sum of at least so many coins, each as often as one
// likes, that is at least from.
func nextSum(from int64, coins []int64, least int64) (sum int64, ok bool) {
	cheapest := coins[0]
	for _, coin := range coins {
		cheapest = min(cheapest, coin)
	}
	end := max(from, least*cheapest) + cheapest
	if end > mostSums {
		return 0, false
	}
	most := make([]int32, end+1) // Coins that make the sum, at most; -1 if none do.
	for at := range most {
		if at > 0 {
			most[at] = -1
		}
		for _, coin := range coins {
			if before := int64(at) - coin; before >= 0 && most[before] >= 0 {
				most[at] = max(most[at], most[before]+1)
			}
		}
		if int64(at) >= from && int64(most[at]) >= least {
			return int64(at), true
		}
	}
	return 0, false
}

func lcm(a, b *big.Int) *big.Int {
	g := new(big.Int).GCD(nil, nil, a, b)
	return new(big.Int).Div(new(big.Int).Mul(a, b), g)
}

func ceil(x *big.Rat) *big.Int {
	q, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}
