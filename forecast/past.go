package forecast

import "math"

// past remembers the last eight days themselves, in means over twenty minutes.
type past struct {
	slots  []float32 // ring
	width  int64     // seconds per slot
	slot   int64     // under way, counted from the epoch
	sum, n float64   // of the slot under way
}

func newPast(c *calendar) past {
	w := max(backSeconds, c.width)
	return past{slots: unknowns(int(backDays * secondsPerDay / w)), width: w, slot: math.MinInt64}
}

// add takes the value of a bin that covers a second.
func (p *past) add(second int64, root float64) {
	slot := floorDiv(second, p.width)
	if slot != p.slot {
		first := max(p.slot+1, slot-int64(len(p.slots))+1)
		for s := first; s <= slot; s++ {
			p.slots[p.index(s)] = unknown
		}
		p.slot, p.sum, p.n = slot, 0, 0
	}
	p.sum, p.n = p.sum+root, p.n+1
	p.slots[p.index(slot)] = float32(p.sum / p.n)
}

// at returns the value at a second, between the middles of slots; NaN if none.
func (p *past) at(second int64) float64 {
	second -= p.width / 2
	slot := floorDiv(second, p.width)
	a, b := p.held(slot), p.held(slot+1)
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return a + (b-a)*float64(second-slot*p.width)/float64(p.width)
}

func (p *past) held(slot int64) float64 {
	if slot > p.slot || slot <= p.slot-int64(len(p.slots)) {
		return math.NaN()
	}
	return float64(p.slots[p.index(slot)])
}

func (p *past) index(slot int64) int64 {
	n := int64(len(p.slots))
	return slot - floorDiv(slot, n)*n
}

// floorDiv divides rounding down, for times before the epoch too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
