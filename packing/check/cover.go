package check

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// offer is a slice kind with its price and what it does.
type offer struct{ does, price *big.Rat }

// less orders offers by price per work.
func (o offer) rate(p offer) int {
	return new(big.Rat).Mul(o.price, p.does).Cmp(new(big.Rat).Mul(p.price, o.does))
}

// coverNodes is how many nodes the search for the cheapest cover may visit before
// the fractional cover, which is cheaper, has to do.
const coverNodes = 2_000_000

// leastCover is the price of the cheapest slices that do for a model what the
// layout does, beyond those that it keeps: whole slices, as many as it needs to be
// on as many nodes, and parts of slices that it may share with others in a process.
func (c *checker) leastCover(m packing.Model, prices map[string]map[fleet.ProfileName]*big.Rat) *big.Rat {
	need, least := c.residual(m)
	if need.Sign() <= 0 && least == 0 {
		return new(big.Rat)
	}
	all, inPart := c.offers(m, prices)
	if len(all) == 0 {
		return new(big.Rat) // What the layout does for it was complained of.
	}
	cheapest := slices.MinFunc(all, func(a, b offer) int { return a.price.Cmp(b.price) }).price
	if need.Sign() <= 0 {
		return new(big.Rat).Mul(cheapest, big.NewRat(int64(least), 1))
	}
	w := toWhole(need, useful(need, all), inPart, cheapest)
	w.least = least
	price, exact := w.search(coverNodes)
	if !exact {
		price = w.fractional()
	}
	return new(big.Rat).SetFrac(price, w.moneyUnit)
}

// residual is what a model needs of slices that were not kept, for what is served,
// and how many slices at least to be on as many nodes as it is or must be.
func (c *checker) residual(m packing.Model) (need *big.Rat, least int) {
	need = new(big.Rat).Set(c.served[m.Name])
	kept := map[int]bool{}
	for _, t := range c.problem.Current {
		if !t.Fixed {
			continue
		}
		for _, s := range t.Geometry {
			if string(s.Model) == m.Name {
				kept[t.Node] = true
				if does, why := use(m, s.Variant, c.gpus[t.Type], s.Profile); why == "" {
					need.Sub(need, does)
				}
			}
			for _, x := range s.Models {
				if string(x.Model) == m.Name {
					kept[t.Node] = true
					if _, why := use(m, x.Variant, c.gpus[t.Type], s.Profile); why == "" {
						need.Sub(need, decimal(x.Serves))
					}
				}
			}
		}
	}
	if m.Spread > 1 {
		least = max(0, min(m.Spread, len(c.on[m.Name]))-len(kept))
	}
	return need, least
}

// offers lists what a model may have, with the variant that does most on each
// slice, and the slice of which a part is the cheapest, if it may have parts.
func (c *checker) offers(m packing.Model, prices map[string]map[fleet.ProfileName]*big.Rat) (all []offer, inPart *offer) {
	variants := m.Variants
	if len(variants) == 0 {
		variants = []packing.Variant{{Throughput: m.Throughput}}
	}
	for _, v := range variants {
		for _, name := range slices.Sorted(maps.Keys(v.Throughput)) {
			g := c.gpus[name]
			for _, profile := range slices.Sorted(maps.Keys(v.Throughput[name])) {
				does, why := use(m, v.Name, g, profile)
				if why != "" {
					continue
				}
				o := offer{does: does, price: prices[name][profile]}
				if o.price == nil {
					o.price = new(big.Rat)
				}
				all = append(all, o)
				if _, shares := split(g, profile); g.Process != nil && shares == 1 && m.Spread <= 1 && c.mayJoin(m, g, profile) {
					if inPart == nil || o.rate(*inPart) < 0 {
						inPart = &o
					}
				}
			}
		}
	}
	return all, inPart
}

// mayJoin says whether any variant of a model may be in a process on a slice.
func (c *checker) mayJoin(m packing.Model, g packing.GPU, profile fleet.ProfileName) bool {
	if len(m.Variants) == 0 {
		return m.MemoryMiB > 0
	}
	return slices.ContainsFunc(m.Variants, func(v packing.Variant) bool {
		_, why := use(m, v.Name, g, profile)
		return why == "" && v.MemoryMiB > 0
	})
}

// useful leaves out slices that do no more than another and cost no less.
func useful(need *big.Rat, all []offer) []offer {
	for i := range all {
		if all[i].does.Cmp(need) > 0 {
			all[i].does = need
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
