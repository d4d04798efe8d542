package packing

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// A proof is a lower bound and the prices it follows from, in nano-units. For any
// prices of slices that are not negative, no layout costs less than
//
//	the sum over models of the cheapest integer cover at those prices, of as many
//	  slices as the model must be on nodes; a slice that a process with several
//	  models may share counts by the part that is taken
//	- the price of every free slice of a fixed GPU
//	- for every GPU that is paid already, the price of the dearest geometry
//	- for every GPU that may still be bought, its limit price: what the dearest
//	  geometry costs more than the GPU
//
// because each cover is paid for out of these. Nor less than the smallest sum of
// prices of whole nodes that is no less and buys as many nodes as there must be. All of it is computed in integers.
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
		p.bound = total.Int64()
	}
	p.bound = in.nextSum(p.bound, sums)
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
	column := make([]int64, len(o.table.profiles)) // What a slice of each is worth, shared or not.
	for j := o.first; j < o.end; j++ {
		k := in.kinds[j]
		column[k.column] = max(column[k.column], int64(k.shares)*prices[j])
	}
	for _, a := range o.table.patterns {
		sum := int64(0)
		for c, n := range a {
			sum += int64(n) * column[c]
		}
		most = max(most, sum)
	}
	return most
}

// nextSum is the smallest sum of prices of whole nodes that is at least the bound
// and buys as many nodes as are lacking for models to spread over, or the bound
// itself where that would take more than limit sums to find.
func (in *instance) nextSum(bound int64, limit int) int64 {
	unit := int64(0)
	lacking := int64(in.nodes)
	var nodes []int64
	for _, o := range in.offers {
		lacking -= int64(o.standing + o.reserved)
		price := o.price * int64(o.perNode)
		switch {
		case o.nodes == 0:
		case price == 0:
			lacking = 0 // Any number of nodes costs nothing.
		default:
			nodes = append(nodes, price)
			unit = gcd(unit, price)
		}
	}
	lacking = max(0, lacking)
	if bound == 0 && lacking == 0 || len(nodes) == 0 {
		return bound
	}
	least := slices.Min(nodes) / unit
	first := (bound + unit - 1) / unit
	last := max(first, lacking*least) + least
	if last > int64(limit) {
		return bound
	}
	// most is the most nodes that a sum can buy, plus one; zero if it buys none.
	most := make([]int32, last+1)
	most[0] = 1
	for _, price := range nodes {
		step := price / unit
		for at := step; at <= last; at++ {
			if before := most[at-step]; before > 0 {
				most[at] = max(most[at], before+1)
			}
		}
	}
	for at := first; at <= last; at++ {
		if int64(most[at]) > lacking {
			return at * unit
		}
	}
	return bound
}
