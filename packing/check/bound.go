package check

import (
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
		total.Add(total, c.leastCover(m, prices))
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
	dearest := dearestGeometry(part(g), worth(g, prices))
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
			if x := prices[s.Profile]; s.Model == "" && len(s.Models) == 0 && x != nil {
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

// worth is the most that each slice can be sold for, in one piece or in shares.
func worth(g packing.GPU, prices map[fleet.ProfileName]*big.Rat) map[fleet.ProfileName]*big.Rat {
	out := maps.Clone(prices)
	for _, share := range g.Shared {
		x := prices[share]
		if x == nil {
			continue
		}
		name, shares := split(g, share)
		all := new(big.Rat).Mul(x, big.NewRat(int64(shares), 1))
		if out[name] == nil || out[name].Cmp(all) < 0 {
			out[name] = all
		}
	}
	return out
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
