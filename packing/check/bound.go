package check

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// bound checks that the lower bound follows from the certificate. For prices of
// slices pi >= 0 and limit prices mu >= 0 with which no geometry of a GPU costs
// more than the GPU plus mu, the models' cheapest integer covers cost at most what
// the GPUs cost, plus mu for every GPU that may be bought, plus the dearest
// geometry for every GPU that is paid, plus the price of every free slice.
func (c *checker) bound() {
	claim := amount(c.answer.LowerBound)
	if claim.Sign() < 0 {
		c.say("lower_bound_per_hour is negative")
		return
	}
	if claim.Sign() == 0 {
		return // Nothing costs less than nothing.
	}
	prices := c.prices()
	if prices == nil {
		return
	}
	total := new(big.Rat)
	for _, m := range c.problem.Models {
		total.Add(total, leastCover(c.residual(m), m.Throughput, prices))
	}
	for _, g := range c.problem.GPUs {
		total.Sub(total, c.allowance(g, prices[g.Name]))
	}
	if total.Cmp(claim) < 0 {
		total = c.nextPurchase(total)
	}
	if total.Cmp(claim) < 0 {
		c.say("lower_bound_per_hour is %s, the certificate proves %s", c.answer.LowerBound, total.FloatString(9))
	}
	if claim.Cmp(c.cost) > 0 {
		c.say("lower_bound_per_hour is %s, above the cost of %s", c.answer.LowerBound, c.cost.FloatString(9))
	}
}

// prices reads the slice prices.
func (c *checker) prices() map[string]map[fleet.ProfileName]*big.Rat {
	out := map[string]map[fleet.ProfileName]*big.Rat{}
	for _, g := range c.problem.GPUs {
		out[g.Name] = map[fleet.ProfileName]*big.Rat{}
	}
	for _, name := range slices.Sorted(maps.Keys(c.answer.Certificate.SlicePrices)) {
		for profile, text := range c.answer.Certificate.SlicePrices[name] {
			x, ok := new(big.Rat).SetString(text)
			if !ok || x.Sign() < 0 || out[name] == nil {
				c.say("certificate: price %q of %s/%s is of no use", text, name, profile)
				return nil
			}
			out[name][profile] = x
		}
	}
	return out
}

// residual is what a model needs of slices that were not kept, for what is served.
func (c *checker) residual(m packing.Model) *big.Rat {
	need := new(big.Rat).Set(c.served[m.Name])
	for _, t := range c.problem.Current {
		for _, s := range t.Geometry {
			if x, ok := m.Throughput[t.Type][s.Profile]; ok && t.Fixed && string(s.Model) == m.Name {
				need.Sub(need, decimal(x))
			}
		}
	}
	return need
}

// allowance is what the GPUs of a kind give beside their price. It complains where
// a geometry costs more than the certificate allows.
func (c *checker) allowance(g packing.GPU, prices map[fleet.ProfileName]*big.Rat) *big.Rat {
	limit := new(big.Rat)
	if text, ok := c.answer.Certificate.LimitPrices[g.Name]; ok {
		if _, ok := limit.SetString(text); !ok || limit.Sign() < 0 {
			c.say("certificate: limit price %q of %s is of no use", text, g.Name)
			limit = new(big.Rat)
		}
	}
	price, _ := new(big.Rat).SetString(g.PricePerHour)
	dearest := dearestGeometry(part(g), prices)
	if allowed := new(big.Rat).Add(price, limit); dearest.Cmp(allowed) > 0 {
		c.say("certificate: a geometry of %s costs %s, more than its price and limit price %s",
			g.Name, dearest.FloatString(9), allowed.FloatString(9))
	}
	paid := g.Reserved * g.PerNode
	sum := new(big.Rat)
	for _, t := range c.problem.Current {
		if t.Type != g.Name {
			continue
		}
		if !t.Fixed {
			paid++
			continue
		}
		for _, s := range t.Geometry {
			if x := prices[s.Profile]; s.Model == "" && x != nil {
				sum.Add(sum, x)
			}
		}
	}
	sum.Add(sum, dearest.Mul(dearest, big.NewRat(int64(paid), 1)))
	if limit.Sign() > 0 {
		if g.MaxNodes == nil {
			c.say("certificate: limit price of %s, which has no limit", g.Name)
			return sum
		}
		sum.Add(sum, limit.Mul(limit, big.NewRat(int64(c.mayBuy(g)*g.PerNode), 1)))
	}
	return sum
}

// mayBuy is how many nodes of a kind with a limit may still be bought.
func (c *checker) mayBuy(g packing.GPU) int {
	nodes := map[int]bool{}
	for _, t := range c.problem.Current {
		if t.Type == g.Name {
			nodes[t.Node] = true
		}
	}
	return max(0, *g.MaxNodes-g.Reserved-len(nodes))
}

// dearestGeometry is the most that slices which fit on one GPU together can cost,
// by trying placements from the first memory slice to the last. Trying by memory
// alone could only make it larger, so the compute slices are counted as well.
func dearestGeometry(s fleet.GPUSpec, prices map[fleet.ProfileName]*big.Rat) *big.Rat {
	best := new(big.Rat)
	if x := prices[fleet.WholeGPU]; x != nil {
		best.Set(x)
	}
	var walk func(at, compute int, media bool, used map[fleet.ProfileName]int, cost *big.Rat)
	walk = func(at, compute int, media bool, used map[fleet.ProfileName]int, cost *big.Rat) {
		if cost.Cmp(best) > 0 {
			best = cost
		}
		if at >= s.MemorySlices {
			return
		}
		walk(at+1, compute, media, used, cost)
		for _, p := range s.Profiles {
			x := prices[p.Name]
			if x == nil || x.Sign() == 0 || !slices.Contains(p.Starts, at) || compute+p.Compute > s.ComputeSlices ||
				used[p.Name] == p.Max || p.MediaEngines && media {
				continue
			}
			used[p.Name]++
			walk(at+p.Size, compute+p.Compute, media || p.MediaEngines, used, new(big.Rat).Add(cost, x))
			used[p.Name]--
		}
	}
	walk(0, 0, false, map[fleet.ProfileName]int{}, new(big.Rat))
	return best
}

// offer is a slice kind with its price and what it does.
type offer struct{ does, price *big.Rat }

// coverNodes is how many nodes the search for the cheapest cover may visit before
// the fractional cover, which is cheaper, has to do.
const coverNodes = 2_000_000

// leastCover is the price of the cheapest whole number of slices that does need.
func leastCover(need *big.Rat, throughput map[string]map[fleet.ProfileName]float64, prices map[string]map[fleet.ProfileName]*big.Rat) *big.Rat {
	if need.Sign() <= 0 {
		return new(big.Rat)
	}
	items := offers(need, throughput, prices)
	whole := toWhole(need, items)
	least, exact := whole.search(coverNodes)
	if !exact {
		least = whole.fractional()
	}
	return new(big.Rat).SetFrac(least, whole.moneyUnit)
}

// offers lists the slices that fit, without those that do no more than another and
// cost no less.
func offers(need *big.Rat, throughput map[string]map[fleet.ProfileName]float64, prices map[string]map[fleet.ProfileName]*big.Rat) []offer {
	var all []offer
	for _, name := range slices.Sorted(maps.Keys(throughput)) {
		for _, profile := range slices.Sorted(maps.Keys(throughput[name])) {
			o := offer{does: decimal(throughput[name][profile]), price: prices[name][profile]}
			if o.price == nil {
				o.price = new(big.Rat)
			}
			if o.does.Cmp(need) > 0 {
				o.does = need
			}
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b offer) int { return cmp.Or(a.price.Cmp(b.price), b.does.Cmp(a.does)) })
	var out []offer
	for _, o := range all {
		if len(out) == 0 || o.does.Cmp(out[len(out)-1].does) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// nextPurchase is the smallest sum of prices of whole nodes that is at least x.
func (c *checker) nextPurchase(x *big.Rat) *big.Rat {
	var nodes []*big.Rat
	common := big.NewInt(1)
	for _, g := range c.problem.GPUs {
		if g.MaxNodes != nil && c.mayBuy(g) == 0 {
			continue
		}
		price, _ := new(big.Rat).SetString(g.PricePerHour)
		price.Mul(price, big.NewRat(int64(g.PerNode), 1))
		if price.Sign() > 0 {
			nodes = append(nodes, price)
			common = lcm(common, price.Denom())
		}
	}
	if x.Sign() <= 0 || len(nodes) == 0 {
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
	at := big.NewInt(nextSum(from.Int64(), coins))
	return new(big.Rat).SetFrac(at.Mul(at, unit), common)
}

// mostSums is how many sums of prices are looked through for the next one.
const mostSums = 50_000_000

// nextSum is the smallest sum of coins, each as often as one likes, that is at
// least from.
func nextSum(from int64, coins []int64) int64 {
	can := make([]bool, from+slices.Min(coins)+1)
	can[0] = true
	for at := range int64(len(can)) {
		can[at] = can[at] || slices.ContainsFunc(coins, func(coin int64) bool { return at >= coin && can[at-coin] })
		if at >= from && can[at] {
			return at
		}
	}
	return from
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
