package bound

import (
	"math"
	"slices"
)

// dual is a run as the bound sees it. Whatever point it is asked for, value
// answers money that nobody could have spent less than.
type dual struct {
	calendar
	shop   *shop
	starts *starts
	claims []*claim
	free   float64 // rate of what is there for nothing: nano an hour

	// What some claims need in their own bins at once, and the levels it reaches.
	need    []float64 // nano an hour, by bin
	excused float64   // the most that skipping takes off it in all
	levels  []level
	beyond  float64 // rate of what may be had above the levels

	pather   pather
	penalty  []float64
	cheapest map[int][]int32 // by reach: the bin in which each bin's work is done, at the last value
	taken    []float64       // by bin, of the last value: what the claims take
	given    []float64       // likewise: what the nodes give
}

// point is a choice of multipliers.
type point struct {
	capacity []float64 // price of ready slice time, by bin, as a share of its own price
	skip     float64   // price of leaving undone what is needed at once, likewise
	charge   float64   // seconds, for each start of a node
	excuse   []float64 // price of capacity, by claim, above which work is excused
}

func newDual(c calendar, s *shop, free float64, claims []*claim) *dual {
	d := &dual{
		calendar: c, shop: s, free: free, claims: merge(claims), cheapest: map[int][]int32{}, need: make([]float64, c.bins), penalty: make([]float64, c.bins),
		taken: make([]float64, c.bins), given: make([]float64, c.bins),
		pather: pather{length: make([]float64, c.bins), charge: make([]float64, c.bins), moves: make([]uint8, c.bins), up: make([]float64, c.bins)},
	}
	for i := range c.bins {
		d.pather.length[i] = c.length(i)
	}
	for _, claim := range d.claims {
		for further := range claim.worth {
			d.cheapest[claim.reach+further] = make([]int32, c.bins)
		}
	}
	d.require(nil)
	return d
}

// require makes the work of some claims needed at once: what comes and must be
// done within one bin.
func (d *dual) require(claims []*claim) {
	clear(d.need)
	d.excused = 0
	for _, c := range claims {
		d.excused += c.excused
		for i, x := range c.must {
			d.need[i] += x
		}
	}
	highest := 0.0
	for i := range d.need {
		d.need[i] = max(0, d.need[i]*(1-1e-9)/d.pather.length[i]-d.free)
		highest = max(highest, d.need[i])
	}
	d.levels, d.beyond = d.shop.levelsUpTo(highest)
}

// The shares by which sums of floating-point numbers are lowered so that no
// rounding, one part in 10^16 for each of at most 10^7 requests or 10^6 bins,
// can have lifted them.
const (
	roundingOfSums  = 3e-9
	roundingOfPaths = 1e-9
)

// value is the bound at a point, in nano times seconds an hour.
func (d *dual) value(p point) float64 {
	end := d.duration.Seconds()
	for i := range d.pather.charge {
		d.pather.charge[i] = p.charge
		if (float64(i)*d.step.Seconds() + d.pather.length[i]) > end-d.starts.tail {
			d.pather.charge[i] = 0
		}
	}
	clear(d.taken)
	clear(d.given)
	sum, gross := -d.starts.discount(p.charge), 0.0
	for _, l := range d.levels {
		d.penalise(l, p.skip)
		sum += l.width * d.pather.cheapest(p.capacity, d.penalty)
		gross += l.width
		d.give(l.width)
	}
	if gain := d.pather.cheapest(p.capacity, nil); gain < 0 {
		sum += d.beyond * gain
		gross += d.beyond
		d.give(d.beyond)
	}
	if d.excused > 0 && len(d.levels) > 0 {
		sum -= p.skip * d.excused
	}
	for i, length := range d.pather.length {
		sum -= d.free * p.capacity[i] * length * (1 + 1e-9)
		d.given[i] += d.free * length
	}
	sum -= gross * roundingOfPaths * end * (1 + slices.Max(p.capacity))
	for reach, at := range d.cheapest {
		least(p.capacity, reach, at)
	}
	for i, c := range d.claims {
		paid := c.charge(p.capacity, p.excuse[i], d.cheapest, d.taken)
		sum += paid - roundingOfSums*c.total*(1+slices.Max(p.capacity))
	}
	if p.charge > 0 {
		sum = min(sum, d.starts.guard)
	}
	return sum
}

// penalise fills in what it costs not to touch a level in each bin.
func (d *dual) penalise(l level, skip float64) {
	for i, need := range d.need {
		switch {
		case need <= l.floor:
			d.penalty[i] = 0
		case d.excused <= 0:
			d.penalty[i] = math.Inf(1)
		default:
			d.penalty[i] = skip * l.share(need) * d.pather.length[i]
		}
	}
}

// give adds the time that a level is up.
func (d *dual) give(width float64) {
	for i, up := range d.pather.up {
		d.given[i] += width * up
	}
}

// fluid is the bound of divisible nodes that start for nothing, beside those that are
// there for nothing.
func (d *dual) fluid() float64 {
	sum := 0.0
	for _, c := range d.claims {
		sum += max(0, c.total*(1-roundingOfSums)-c.excused)
	}
	return max(0, sum-d.free*d.duration.Seconds()*(1+1e-9))
}

// tame lowers prices of capacity until no run of bins pays for a start, so that
// nobody gains from nodes that no one needs.
func (d *dual) tame(p point) {
	for i := range d.pather.charge {
		d.pather.charge[i] = p.charge
	}
	for round := range 40 {
		if d.pather.cheapest(p.capacity, nil) >= -1e-9 {
			return
		}
		for from := 0; from < d.bins; from++ {
			if d.pather.up[from] == 0 {
				continue
			}
			to, profit, above := from, -p.charge, 0.0
			for ; to < d.bins && d.pather.up[to] > 0; to++ {
				gain := d.pather.length[to] * (p.capacity[to] - 1)
				profit += gain
				above += max(0, gain)
			}
			if profit > 0 {
				keep := max(0, 1-profit/above*(1+1e-9))
				if round > 30 {
					keep = 0
				}
				for i := from; i < to; i++ {
					if p.capacity[i] > 1 {
						p.capacity[i] = 1 + (p.capacity[i]-1)*keep
					}
				}
			}
			from = to
		}
	}
}
