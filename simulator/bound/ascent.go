package bound

import (
	"cmp"
	"slices"
)

// search looks for a point with a high value. It goes by coordinates and by
// subgradients; its work is counted in values, never in time.
type search struct {
	d      *dual
	best   point
	value  float64
	values int // that may still be computed
}

// try keeps a point if it is better.
func (s *search) try(p point) float64 {
	s.values--
	v := s.d.value(p)
	if v > s.value {
		p.capacity = slices.Clone(p.capacity)
		s.best, s.value = p, v
	}
	return v
}

// flat is a price of capacity that is the same in all bins.
func (s *search) flat(price float64) []float64 {
	return slices.Repeat([]float64{price}, s.d.bins)
}

// require tries which claims to need at once: the fewer of a model's requests
// were skipped, the more it is worth to insist on the rest.
func (s *search) require() {
	var at []*claim
	for _, c := range s.d.claims {
		if c.reach == 0 && c.total > 0 && c.excused < c.total {
			at = append(at, c)
		}
	}
	slices.SortStableFunc(at, func(a, b *claim) int { return cmp.Compare(a.excused/a.total, b.excused/b.total) })
	bestSet, last := 0, -1
	for _, share := range []float64{0, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1} {
		n := 0
		for n < len(at) && at[n].excused <= share*at[n].total {
			n++
		}
		if n == last {
			continue
		}
		last = n
		s.d.require(at[:n])
		before := s.value
		for _, level := range []float64{0, 0.5, 0.9, 1} {
			for _, skip := range []float64{1, 4, 16, 64} {
				p := s.best
				p.capacity, p.skip = s.flat(level), skip
				s.try(p)
				if s.d.excused <= 0 {
					break
				}
			}
		}
		if s.value > before {
			bestSet = n
		}
	}
	s.d.require(at[:bestSet])
}

// tuneCharge tries what else to charge for a start.
func (s *search) tuneCharge() {
	for _, charge := range s.d.starts.candidates() {
		p := s.best
		p.capacity = slices.Clone(p.capacity)
		p.charge = charge
		s.d.tame(p)
		s.try(p)
	}
}

// tuneSkip looks for the price of skipping by ever smaller factors.
func (s *search) tuneSkip() {
	if s.d.excused <= 0 || len(s.d.levels) == 0 {
		return
	}
	for _, factor := range []float64{4, 2, 1.4, 1.15, 1.05} {
		for range 12 {
			before := s.value
			for _, f := range []float64{factor, 1 / factor} {
				p := s.best
				p.skip *= f
				s.try(p)
			}
			if s.value <= before {
				break
			}
		}
	}
}

// fitted sets, for each claim, the price above which its work is excused: the one
// above which there is as much of it as may be skipped.
func (s *search) fitted(p point) point {
	d := s.d
	p.excuse = slices.Clone(p.excuse)
	for reach, at := range d.cheapest {
		least(p.capacity, reach, at)
	}
	for n, c := range d.claims {
		if c.excused <= 0 {
			continue
		}
		type part struct{ price, worth float64 }
		var parts []part
		for further, worth := range c.worth {
			at := d.cheapest[c.reach+further]
			for i, x := range worth {
				if x > 0 {
					parts = append(parts, part{p.capacity[at[i]], x})
				}
			}
		}
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(b.price, a.price) })
		p.excuse[n] = 0 // where all may be skipped
		rest := c.excused
		for _, part := range parts {
			if rest -= part.worth; rest <= 0 && c.excused < c.total {
				p.excuse[n] = part.price
				break
			}
		}
	}
	return p
}

// ascend follows subgradients: capacity becomes dearer where more is taken than
// given, and cheaper where less is.
func (s *search) ascend(rounds int) {
	d := s.d
	ahead := 0.02 // how far above the best the goal of a step is set
	p := s.best
	p.capacity = slices.Clone(p.capacity)
	stale := 0
	for round := range rounds {
		if s.values <= 0 || ahead < 1e-4 {
			return
		}
		before := s.value
		now := s.try(p)
		if s.value > before*(1+1e-6) {
			stale = 0
		} else if stale++; stale >= 4 {
			stale, ahead = 0, ahead/2
			p = s.best
			p.capacity = slices.Clone(p.capacity)
			now = s.try(p)
		}
		norm := 0.0
		for i := range p.capacity {
			g := d.taken[i] - d.given[i]
			if g < 0 && p.capacity[i] <= 0 {
				continue
			}
			norm += g * g
		}
		if norm == 0 {
			return
		}
		step := (s.value*(1+ahead) - now) / norm
		for i := range p.capacity {
			p.capacity[i] = max(0, p.capacity[i]+step*(d.taken[i]-d.given[i]))
		}
		d.tame(p)
		if round%8 == 7 {
			p = s.fitted(p)
		}
	}
}
