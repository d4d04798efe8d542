package forecast

import (
	"math"
	"slices"
	"time"
)

const (
	// seasonalSpread and levelSpread are the standard deviation, in log, of the
	// band before errors are known; the level's grows with the root of the lead
	// in hours, up to spreadMost.
	seasonalSpread = 0.3
	levelSpread    = 0.3
	// noneSpread is the same before any observation: the highest quantile is
	// a hundred times the guess or more.
	noneSpread = 2.0
)

// spreadMost bounds the band before errors are known, where no day of the kind is.
var spreadMost = [fromProfile]float64{fromLevel: 1.5, fromStandIn: 0.8}

// bandKey names a band that one path needs, possibly many times.
type bandKey struct {
	ahead, part int
	from        basis
}

// bands computes each band at most once per path.
type bands struct {
	owner *Seasonal
	held  [len(aheads)][dayParts + fromProfile]*band
	carry [len(aheads)]*[features]float64
}

func (b *bands) at(k bandKey) *band {
	part := k.part
	if k.from != fromProfile {
		part = dayParts + int(k.from)
	}
	if b.held[k.ahead][part] == nil {
		a := &b.owner.aheads[k.ahead]
		spread := seasonalSpread
		if k.from != fromProfile {
			hours := float64(a.steps*b.owner.calendar.step) / secondsPerHour
			spread = min(levelSpread*math.Sqrt(1+hours), spreadMost[k.from])
		}
		q := a.band(k.from, k.part, spread)
		b.held[k.ahead][part] = &q
	}
	return b.held[k.ahead][part]
}

func (b *bands) weights(ahead int) *[features]float64 {
	if b.carry[ahead] == nil {
		a := &b.owner.aheads[ahead]
		w := a.carry.solve(a.prior, a.ridge, maxWeight)
		b.carry[ahead] = &w
	}
	return b.carry[ahead]
}

// Forecast answers for the bins that cover now plus each lead. The age of the
// newest known bin counts as lead, so a path made from stale data is wider.
func (s *Seasonal) Forecast(now time.Time, leads []time.Duration) Path {
	if !slices.IsSorted(leads) {
		leads = slices.Sorted(slices.Values(leads))
	}
	path := Path{At: now, Points: make([]Point, 0, len(leads)), Basis: BasisNone}
	room := make([]float64, len(leads)*levelCount)
	b := bands{owner: s}
	seasonal := 0
	for i, lead := range leads {
		if i > 0 && lead == leads[i-1] {
			continue
		}
		pt := Point{Lead: lead, Quantiles: room[:levelCount:levelCount]}
		room = room[levelCount:]
		if s.answer(s.calendar.bin(now.Add(lead)), &b, &pt) {
			seasonal++
		}
		path.Points = append(path.Points, pt)
	}
	switch {
	case !s.present.known:
	case 2*seasonal >= len(path.Points) && seasonal > 0:
		path.Basis = BasisSeasonal
	default:
		path.Basis = BasisLevel
	}
	return path
}

// answer fills one point and says whether it rests on the profile.
func (s *Seasonal) answer(target int64, b *bands, pt *Point) bool {
	if !s.present.known {
		for i, z := range normals {
			pt.Quantiles[i] = s.prior * math.Exp(noneSpread*z)
		}
		pt.Mean = s.prior * math.Exp(noneSpread*noneSpread/2)
		pt.Quantiles[0], pt.Quantiles[1] = 0, 0
		return false
	}
	// 1. Between which scored leads the target lies.
	steps := max(1, target-s.present.bin)
	lo, share := s.between(steps)
	hi := min(lo+1, len(s.aheads)-1)
	// 2. The point, under weights between theirs.
	wlo, whi := b.weights(lo), b.weights(hi)
	var w [features]float64
	for i := range w {
		w[i] = mix(wlo[i], whi[i], share)
	}
	f := s.point(target, &w)
	// 3. The band, between theirs, in standard units around the point.
	part := s.calendar.place(target).part
	qlo, qhi := b.at(bandKey{lo, part, f.basis}), b.at(bandKey{hi, part, f.basis})
	mean := float64(f.point)
	unit := math.Sqrt(s.counting.variance(mean))
	for i := range pt.Quantiles {
		off := mix(qlo.seen[i], qhi.seen[i], share)*unit + mix(qlo.assumed[i], qhi.assumed[i], share)*mean
		pt.Quantiles[i] = max(0, mean+off)
	}
	// 4. Never narrower than counting noise; never crossing, whatever was rounded.
	s.counting.widen(mean, pt.Quantiles)
	for i := 1; i < levelCount; i++ {
		pt.Quantiles[i] = max(pt.Quantiles[i], pt.Quantiles[i-1])
	}
	pt.Mean = mean
	return f.basis != fromLevel
}

// between returns the last scored lead at or below steps, and how far steps lies
// towards the next, in the logarithm.
func (s *Seasonal) between(steps int64) (int, float64) {
	lo := 0
	for lo+1 < len(s.aheads) && s.aheads[lo+1].steps <= steps {
		lo++
	}
	if lo+1 == len(s.aheads) || steps <= s.aheads[lo].steps {
		return lo, 0
	}
	from, to := s.aheads[lo].logSteps, s.aheads[lo+1].logSteps
	return lo, (math.Log(float64(steps)) - from) / (to - from)
}
