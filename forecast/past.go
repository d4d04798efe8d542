package forecast

import "math"

// past remembers the last eight days themselves, in means over twenty minutes.
type past struct {
	slots  ring    // counted from the epoch
	width  int64   // seconds per slot
	sum, n float64 // of the slot under way
}

func newPast(c *calendar) past {
	w := max(backSeconds, c.width)
	return past{slots: newRing(int(backDays * secondsPerDay / w)), width: w}
}

// add takes the value of a bin that covers a second.
func (p *past) add(second int64, root float64) {
	slot := floorDiv(second, p.width)
	if slot != p.slots.newest {
		p.sum, p.n = 0, 0
	}
	p.sum, p.n = p.sum+root, p.n+1
	p.slots.set(slot, p.sum/p.n)
}

// at returns the value at a second, between the middles of slots; NaN if none.
func (p *past) at(second int64) float64 {
	second -= p.width / 2
	slot := floorDiv(second, p.width)
	a, b := p.slots.at(slot), p.slots.at(slot+1)
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return a + (b-a)*float64(second-slot*p.width)/float64(p.width)
}
