package bound

import (
	"cmp"
	"slices"
)

// claim is what one model's work takes of the fluid of slice time, at chosen
// prices of slices.
type claim struct {
	reach   int
	worth   [2][]float64 // by bin of arrival, in nano times seconds an hour; second: reaching one bin further
	total   float64
	must    []float64 // by bin, what must be done in it at once: not in addition
	excused float64   // the most that the requests which were not served can take off
}

// price makes the claim of a demand. Where skipped requests could share batches
// with the rest, so many of these count as if batches had no limit. What of this
// is not worth its excuses is left out: the limits of batches, the time for which
// slices are held, or both.
func (d *demand) price(slicePrices []int64) *claim {
	if d.live != nil {
		return d.attend(slicePrices)
	}
	limited := d.prices(slicePrices)
	loose := make([]float64, len(limited))
	spared := make([]float64, len(limited))
	for c := range limited {
		loose[c] = limited[len(limited)-1]
		spared[c] = limited[c] - loose[c]
	}
	a := d.claim(limited)
	choices := []*claim{a}
	if d.skipped > 0 {
		a.excused += d.dearest(d.skipped*int64(max(0, d.largest-1)), spared)
		choices = append(choices, d.claim(loose))
	}
	if d.held != nil {
		for _, c := range choices {
			choices = append(choices, d.hold(c, d.cheapestSlice(slicePrices)))
		}
	}
	best := slices.MaxFunc(choices, func(a, b *claim) int { return cmp.Compare(a.total-a.excused, b.total-b.excused) })
	best.excused = min(best.excused, best.total)
	return best
}

func (d *demand) claim(prices []float64) *claim {
	c := &claim{reach: d.reach}
	for further, rows := range d.work {
		worth := make([]float64, d.bins)
		for crowd, row := range rows {
			for i, work := range row {
				worth[i] += work * prices[crowd]
			}
		}
		for _, x := range worth {
			c.total += x
		}
		c.worth[further] = worth
	}
	c.excused = d.dearest(d.skipped, prices)
	c.must = c.worth[0]
	return c
}

// hold makes a claim of another and of slices that are held at a price: in bins
// where that is more, the work that comes in them or may be done in them is left
// out.
func (d *demand) hold(work *claim, price float64) *claim {
	c := &claim{reach: d.reach, must: slices.Clone(work.must), excused: work.excused + price*d.held.excused(d.skipped)}
	c.worth[0], c.worth[1] = slices.Clone(work.worth[0]), slices.Clone(work.worth[1])
	for i, seconds := range d.held.seconds {
		worth := seconds * price
		c.must[i] = max(c.must[i], worth)
		before := 0.0
		if i > 0 {
			before = c.worth[1][i-1]
		}
		if worth > work.worth[0][i]+work.worth[1][i]+before {
			c.worth[0][i], c.worth[1][i] = worth, 0
			if i > 0 {
				c.worth[1][i-1] = 0
			}
		}
	}
	for _, worth := range c.worth {
		for _, x := range worth {
			c.total += x
		}
	}
	return c
}

// least finds for every bin the cheapest of it and the reach bins behind it.
func least(prices []float64, reach int, at []int32) {
	var line queue[int32]
	n := len(prices)
	for i := n - 1; i >= 0; i-- {
		for line.n > 0 && prices[*line.last()] >= prices[i] {
			line.n--
		}
		line.push(int32(i))
		if int(*line.first()) > i+reach {
			line.pop()
		}
		at[i] = *line.first()
	}
}

// charge answers what the claim pays at least at prices of capacity by bin, and
// adds what it takes of each bin to taken. Cheapest is, by how far work reaches,
// the bin in which each bin's work is done; excuse is the price at which work is
// excused: none pays more, and what may be excused is taken off at that price.
func (c *claim) charge(capacity []float64, excuse float64, cheapest map[int][]int32, taken []float64) float64 {
	sum := -excuse * c.excused
	for further, worth := range c.worth {
		at := cheapest[c.reach+further]
		for i, x := range worth {
			if x == 0 {
				continue
			}
			price := capacity[at[i]]
			if c.excused > 0 && price > excuse {
				sum += x * excuse
				continue
			}
			sum += x * price
			taken[at[i]] += x
		}
	}
	return sum
}

// merge adds claims up that nothing is excused of and that reach equally far:
// they are one. The parts keep what they are.
func merge(claims []*claim) []*claim {
	var out []*claim
	sums := map[int]*claim{}
	for _, c := range claims {
		if c.excused > 0 {
			out = append(out, c)
			continue
		}
		sum := sums[c.reach]
		if sum == nil {
			sum = &claim{reach: c.reach, must: make([]float64, len(c.must))}
			sum.worth[0], sum.worth[1] = make([]float64, len(c.must)), make([]float64, len(c.must))
			sums[c.reach] = sum
			out = append(out, sum)
		}
		sum.total += c.total
		for i := range c.must {
			sum.must[i] += c.must[i]
			sum.worth[0][i] += c.worth[0][i]
			sum.worth[1][i] += c.worth[1][i]
		}
	}
	return out
}
