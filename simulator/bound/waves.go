package bound

// waves is a price of capacity that rises where there is more to do than in so
// many bins around, and falls where there is less: over a crest a second of it
// earns one start in all, over a trough it loses that again, and where there is
// nothing to do it is worth nothing. So no run of bins earns more than one start.
// Without a width everything that is to do is a crest.
func (s *search) waves(width int, charge float64) []float64 {
	d := s.d
	work := d.cumulative()
	before := func(i int) float64 {
		if i <= 0 {
			return 0
		}
		return work[min(i, d.bins)-1]
	}
	const nothing, trough, crest = 0, 1, 2
	state := func(i int) int {
		own := before(i+1) - before(i)
		if own <= 1e-12*work[d.bins] {
			return nothing
		}
		if width == 0 {
			return crest
		}
		from, to := max(0, i-width), min(d.bins, i+width+1)
		if own*float64(to-from) > (before(to)-before(from))*(1+1e-9) {
			return crest
		}
		return trough
	}
	out := s.flat(1)
	earned := 0.0
	for from := 0; from < d.bins; {
		to, seconds, is := from, 0.0, state(from)
		for ; to < d.bins && state(to) == is; to++ {
			seconds += d.pather.length[to]
		}
		change := -seconds
		switch is {
		case crest:
			change = charge - earned
		case trough:
			change = -min(earned, seconds)
		}
		for i := from; i < to; i++ {
			out[i] = max(0, 1+change/seconds)
		}
		earned = max(0, earned+change)
		from = to
	}
	return out
}

// cumulative is the sum, up to the end of each bin, of all work spread evenly over
// the bins in which it may be done, beyond what can be done for nothing.
func (d *dual) cumulative() []float64 {
	work := make([]float64, d.bins+1)
	for _, c := range d.claims {
		for further, worth := range c.worth {
			reach := c.reach + further
			for i, x := range worth {
				until := min(i+reach, d.bins-1)
				each := x / float64(until-i+1)
				work[i] += each
				work[until+1] -= each
			}
		}
	}
	rate, sum := 0.0, 0.0
	for i := range work {
		rate += work[i]
		if i < d.bins {
			sum += max(0, rate-d.free*d.pather.length[i])
		}
		work[i] = sum
	}
	return work
}

// tuneWaves tries waves of several widths, from half an hour to two days.
func (s *search) tuneWaves() {
	for _, width := range []int{0, 30, 60, 120, 240, 480, 960, 1440, 2880} {
		p := s.best
		p.capacity = s.waves(width, p.charge)
		s.d.tame(p)
		s.try(s.fitted(p))
	}
	s.try(s.fitted(s.best))
}
