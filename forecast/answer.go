package forecast

import (
	"math"
	"slices"
	"time"
)

// noneSpread is the standard deviation, in log, before any observation: the
// highest quantile is a hundred times the guess or more.
const noneSpread = 2.0

// view is what one target looks like from now, whatever the lead.
type view struct {
	place                 place
	seasonal              bool
	levelBase, seasonBase float64
	levelX                [levelInputs]float64
	seasonX               [seasonInputs]float64
}

func (s *Seasonal) view(target int64) view {
	v := view{place: s.calendar.place(target)}
	v.levelBase = s.levelInput(&v.levelX)
	mask(v.levelX[:], s.without.level)
	e := s.profile.at(v.place)
	if v.seasonal = e.known && s.trail.m > 0; v.seasonal {
		v.seasonBase = s.seasonInput(target, &e, &v.seasonX)
		mask(v.seasonX[:], s.without.season)
	}
	return v
}

func mask(x []float64, without uint32) {
	for i := range x {
		if without>>i&1 == 1 {
			x[i] = 0
		}
	}
}

// made is one forecast with what it was made from.
type made struct {
	stand
	level, season, usual float64
	spreadX              [spreadInputs]float64
}

// make forecasts what is in view, as seen at one lead.
func (s *Seasonal) make(v *view, a *ahead, target int64) made {
	v.levelX[levelInputs-1], v.seasonX[seasonInputs-1] = a.bias, a.bias
	mask(v.levelX[:], s.without.level)
	mask(v.seasonX[:], s.without.season)
	m := made{level: v.levelBase + a.level.answer(v.levelX[:])}
	m.point = m.level
	if v.seasonal {
		m.season = v.seasonBase + a.season.answer(v.seasonX[:])
		share := a.share()
		switch s.without.share {
		case 1:
			share = 1
		case -1:
			share = 0
		}
		m.point += share * (m.season - m.level)
		// A burst of each day is no matter of level: it comes whole, or it is learnt away.
		m.point += (1 - share) * float64(a.season.weights[burstInput]) * v.seasonX[burstInput]
	}
	m.usual = a.usual(s.unrest.level)
	s.spreadInput(a, m.usual, m.point, v.place, &m.spreadX)
	mask(m.spreadX[:], s.without.spread)
	m.spread = m.usual * math.Exp(clip(a.spread.answer(m.spreadX[:]), spreadMost))
	// After a jump the errors were many times the spread of then, and the spread is many
	// times what it was: their product is beyond anything that ever happened.
	m.most = max(a.largest, usualMost*m.usual)
	m.last, m.plain = s.trail.level[0], s.plain(a, target)
	if !s.without.tilt {
		m.tilt = s.tiltInput(a, m.usual, &m.spreadX)
	}
	return m
}

// issue keeps a forecast to score it when its target comes.
func (s *Seasonal) issue(target int64, a *ahead) {
	v := s.view(target)
	m := s.make(&v, a, target)
	f := a.queue.push()
	*f = issued{
		target: uint32(target), // #nosec G115 -- it wraps around, as meant
		point:  float32(m.point), spread: float32(m.spread), stretch: short(math.Log(m.spread / m.usual)),
		last: float32(m.last),
	}
	inverse := 1 / m.spread
	f.levelBase, f.level = short((v.levelBase-m.point)*inverse), short((m.level-m.point)*inverse)
	f.seasonBase = levelOnly
	if v.seasonal {
		f.seasonBase, f.season = short((v.seasonBase-m.point)*inverse), short((m.season-m.point)*inverse)
	}
	for i, x := range v.levelX {
		f.levelX[i] = short(x * inverse)
	}
	for i, x := range v.seasonX {
		f.seasonX[i] = short(x * inverse)
	}
	for i, x := range m.spreadX {
		f.spreadX[i] = short(x)
	}
	for i, x := range m.tilt {
		f.tilt[i] = short(x)
	}
	for g, l := range rivalLevels {
		for k := range rivalCount {
			f.said[g][k] = float32(a.say(k, l, &m.stand))
		}
	}
}

// Forecast answers for the bins that cover now plus each lead. The age of the
// newest known bin counts as lead, so a path made from stale data is wider.
func (s *Seasonal) Forecast(now time.Time, leads []time.Duration) Path {
	if !slices.IsSorted(leads) {
		leads = slices.Sorted(slices.Values(leads))
	}
	path := Path{At: now, Points: make([]Point, 0, len(leads))}
	room := make([]float64, len(leads)*levelCount)
	seasonal := 0
	for i, lead := range leads {
		if i > 0 && lead == leads[i-1] {
			continue
		}
		pt := Point{Lead: lead, Quantiles: room[:levelCount:levelCount]}
		room = room[levelCount:]
		if s.answer(s.calendar.bin(now.Add(lead)), &pt) {
			seasonal++
		}
		path.Points = append(path.Points, pt)
	}
	path.Basis, path.Note = s.basis(2*seasonal >= len(path.Points) && seasonal > 0)
	return path
}

// basis says what a path rests on.
func (s *Seasonal) basis(seasonal bool) (basis, note string) {
	switch a := &s.aheads[s.teacher]; {
	case s.trail.n == 0:
		return BasisNone, "nothing was observed yet: the band is a guess"
	case !seasonal:
		return BasisLevel, "past days say nothing about these hours yet: the recent level alone, with a wide band"
	case a.seen*float64(a.stride*s.calendar.step) > 2*secondsPerDay && a.share() < 0.2:
		return BasisSeasonal, "not predictable from past days, because they forecast worse than the recent level alone: it leads"
	}
	return BasisSeasonal, ""
}

// answer fills one point and says whether past days took part.
func (s *Seasonal) answer(target int64, pt *Point) bool {
	if s.trail.n == 0 {
		for i, z := range normals {
			pt.Quantiles[i] = s.prior * math.Exp(noneSpread*z)
		}
		pt.Mean = s.prior * math.Exp(noneSpread*noneSpread/2)
		pt.Quantiles[0], pt.Quantiles[1] = 0, 0
		return false
	}
	// 1. The quantiles at the scored leads around the target, mixed.
	lo, share := s.between(max(1, target-s.trail.bin))
	v := s.view(target)
	var q [levelCount]float64
	for k, part := range [2]float64{1 - share, share} {
		if part == 0 {
			continue
		}
		a := &s.aheads[lo+k]
		m := s.make(&v, a, target)
		for l := range q {
			q[l] += part * a.quantile(l, &m.stand)
		}
	}
	// 2. Back to rates, with the minute of the hour.
	pulse := s.pulse.at(v.place.pulse)
	for l, root := range q {
		pt.Quantiles[l] = square(clip(max(0, root+pulse), rootMost))
	}
	// 3. Never narrower than counting noise; never crossing.
	slices.Sort(pt.Quantiles)
	s.counting.widen(pt.Quantiles[medianIndex], pt.Quantiles)
	for i := 1; i < levelCount; i++ {
		pt.Quantiles[i] = max(pt.Quantiles[i], pt.Quantiles[i-1])
	}
	pt.Mean = meanOf(pt.Quantiles)
	return v.seasonal
}

// rootMost keeps squares of forecasts finite.
var rootMost = 100 * math.Sqrt(maxRate)

// meanWeights integrate over quantiles at levels: half of the levels to either
// side belong to each, the tails to the outermost.
var meanWeights = func() (w [levelCount]float64) {
	for i := range levels {
		lo, hi := 0.0, 1.0
		if i > 0 {
			lo = (levels[i-1] + levels[i]) / 2
		}
		if i < levelCount-1 {
			hi = (levels[i] + levels[i+1]) / 2
		}
		w[i] = hi - lo
	}
	return w
}()

// meanOf is the mean of the distribution with these quantiles.
func meanOf(q []float64) float64 {
	mean := 0.0
	for i, w := range meanWeights {
		mean += w * q[i]
	}
	return mean
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
