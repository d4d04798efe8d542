package bound

import (
	"cmp"
	"math"
	"slices"
)

// mostCover is how many sessions at once are covered by whole slices; more of them
// count at the price of divisible ones.
const mostCover = 1 << 16

// cover is what whole slices cost at least that hold 0, 1, 2, ... sessions at once,
// in nano an hour, and what each further session costs beyond the list.
type cover struct {
	costs []float64
	each  float64
}

// cover is that of a model's sessions, for as many of them as run at once.
func (d *demand) cover(slicePrices []int64) cover {
	c := cover{costs: make([]float64, 1+min(d.live.highest, mostCover)), each: math.Inf(1)}
	for k, streams := range d.streams {
		if streams > 0 {
			c.each = min(c.each, float64(slicePrices[k])/float64(streams)*(1-1e-12))
		}
	}
	if math.IsInf(c.each, 1) {
		c.each = 0
		return c
	}
	for n := 1; n < len(c.costs); n++ {
		least := math.Inf(1)
		for k, streams := range d.streams {
			if streams > 0 {
				least = min(least, float64(slicePrices[k])+c.costs[max(0, n-streams)])
			}
		}
		c.costs[n] = least
	}
	return c
}

// excusing is the cover where any session may be left out for a price.
func (c cover) excusing(price float64) cover {
	out := cover{costs: slices.Clone(c.costs), each: min(c.each, price)}
	for n := 1; n < len(out.costs); n++ {
		out.costs[n] = min(out.costs[n], out.costs[n-1]+price)
	}
	return out
}

// of is what n sessions cost.
func (c cover) of(n int) float64 {
	last := len(c.costs) - 1
	if n <= last {
		return c.costs[n]
	}
	return max(c.costs[last], float64(n)*c.each)
}

// steepest is the most that one session more costs.
func (c cover) steepest() float64 {
	most := c.each
	for n := 1; n < len(c.costs); n++ {
		most = max(most, c.costs[n]-c.costs[n-1])
	}
	return most
}

// attend makes the claim of a model's sessions: as work that is divisible and may be
// done a little later, or as sessions that run for sure and need whole slices,
// whichever is worth more without what may be missed.
func (d *demand) attend(slicePrices []int64) *claim {
	fluid := d.claim(d.prices(slicePrices))
	whole := d.cover(slicePrices)
	fluid.excused = d.live.missed * whole.each * (1 + 1e-9)
	choices := []*claim{fluid}
	if steepest := whole.steepest(); steepest > 0 {
		at, best := 0.0, math.Inf(-1)
		times := d.live.times()
		for price := steepest; price > whole.each/2; price /= 1.1 {
			c, worth := whole.excusing(price), -price*d.live.missed
			for n, seconds := range times {
				worth += c.of(n) * seconds
			}
			if worth > best {
				at, best = price, worth
			}
		}
		choices = append(choices, d.covered(whole.excusing(at), at))
	}
	best := slices.MaxFunc(choices, func(a, b *claim) int { return cmp.Compare(a.total-a.excused, b.total-b.excused) })
	best.excused = min(best.excused, best.total)
	return best
}

// covered is the claim of the sessions that run for sure, of which any may be left
// out for a price.
func (d *demand) covered(c cover, price float64) *claim {
	out := &claim{must: make([]float64, d.bins), excused: d.live.missed * price * (1 + 1e-9)}
	for _, s := range d.live.spells {
		out.must[s.bin] += s.seconds * c.of(s.running)
	}
	out.worth = [2][]float64{out.must, make([]float64, d.bins)}
	for _, x := range out.must {
		out.total += x
	}
	return out
}

// times is for how long how many sessions run for sure, in seconds by their number.
func (s *sessions) times() []float64 {
	out := make([]float64, 1+s.highest)
	for _, x := range s.spells {
		out[x.running] += x.seconds
	}
	return out
}
