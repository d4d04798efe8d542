package forecast

import (
	"math"
	"time"
)

// How many inputs the regressions of one lead have, and the tilt of the band.
const (
	levelInputs  = 6
	seasonInputs = 16
	burstInput   = seasonInputs - 2 // its place among the inputs of the season
	spreadInputs = 7
	tiltInputs   = 4
)

// intercept is the constant input, in shares of the level's root.
const intercept = 0.025

// levelPrior weighs what the levels say before anything was learnt: the shorter
// the memory, the sooner it fades with the lead.
func levelPrior(lead time.Duration) []float64 {
	fade := func(half time.Duration) float64 { return math.Exp(-float64(lead) / float64(half)) }
	return []float64{0, fade(2*time.Minute) / 2, fade(15 * time.Minute), fade(2 * time.Hour), fade(6 * time.Hour), 0}
}

// seasonPrior is the same for the distances from the profile.
func seasonPrior(lead time.Duration) []float64 {
	fade := func(half time.Duration) float64 { return math.Exp(-float64(lead) / float64(half)) }
	return []float64{
		0, fade(2*time.Minute) / 2, fade(15 * time.Minute), fade(time.Hour), fade(6 * time.Hour), fade(24 * time.Hour),
		0, 0, 0.3, 0, 0, 0, 0, 0, 1, 0,
	}
}

// spreadPrior weighs what the size of an error hangs on.
var spreadPrior = []float64{0, 0.5, 0.5, 0.2, 0, 0, 0}

// levelInput fills what the levels alone say, around the base it returns. The
// last input is the recent error at the lead, which the lead fills.
func (s *Seasonal) levelInput(x *[levelInputs]float64) (base float64) {
	l := &s.trail.level
	*x = [levelInputs]float64{intercept * s.unrest.level, l[0] - l[1], l[1] - l[2], l[2] - l[3], l[3] - l[4]}
	return l[4]
}

// seasonInput fills what past days and the present say of a target, around the
// base it returns. The last input is the lead's, as above.
func (s *Seasonal) seasonInput(target int64, e *expected, x *[seasonInputs]float64) (base float64) {
	t := &s.trail
	burst := s.burst(e.detail)
	*x = [seasonInputs]float64{
		intercept * s.unrest.level,
		// 1. How far the present is from the profile, over shorter and longer memories.
		t.own[0] - t.own[1], t.apart(1) - t.apart(2), t.apart(2) - t.apart(3), t.apart(3) - t.apart(4), t.apart(4),
		// 2. The change that the profile says is to come: learnt away where there is none.
		t.past[1] - e.value, t.past[3] - t.past[1],
		// 3. The minute itself, and all days where the kind of day misleads.
		e.detail - burst, -e.kind,
	}
	x[burstInput] = burst
	// 4. Yesterday and a week ago, then and at the hour that it is now.
	step := s.calendar.step
	then, now := target*step+step/2, t.bin*step+step/2
	for i, days := range [2]int64{1, 7} {
		ago := days * secondsPerDay
		if then > now+ago {
			ago *= (then - now + ago - 1) / ago
		}
		a, b := s.profile.back.at(then-ago), s.profile.back.at(now-ago)
		if !math.IsNaN(a+b) && !s.holidayBetween(then, now, ago) {
			x[10+2*i], x[11+2*i] = a-e.value, b-t.past[2]
		}
	}
	return e.value
}

// burstFrom is from which size on, in usual changes from bin to bin, what a minute of
// the day has over its surroundings is no noise of a few days.
const burstFrom = 4.0

// burst is the part of a minute's own that is no noise: what comes for some minutes
// at the same time of each day. It has a weight of its own, because few minutes have one.
func (s *Seasonal) burst(detail float64) float64 {
	noise := burstFrom * s.unrest.calm
	return detail - clip(detail, noise)
}

// holidayBetween says whether a holiday makes two moments unlike what they were some
// time ago. Then what was then says nothing.
func (s *Seasonal) holidayBetween(then, now, ago int64) bool {
	c := &s.calendar
	return c.free != nil && (c.isFree(then) || c.isFree(then-ago) || c.isFree(now) || c.isFree(now-ago))
}

// spreadInput fills what the size of the error at a lead hangs on, in log: all
// are 0 when nothing is out of the ordinary. Usual is the mean error at the lead.
func (s *Seasonal) spreadInput(a *ahead, usual, point float64, pl place, x *[spreadInputs]float64) {
	const most = 3.0
	u, t := &s.unrest, &s.trail
	*x = [spreadInputs]float64{
		1,
		clip(math.Log((a.errorLate+0.02*usual)/(a.errorMean+0.02*usual)), most),
		math.Log(float64(*u.place(pl)) + 0.05),
		clip(math.Log((u.swing+0.05*usual)/(u.calm+0.05*usual)), most),
		clip(math.Log(max(point, 0.05*u.level, tiny)/max(u.level, tiny)), 2),
		math.Log1p(min(math.Abs(s.turn())/usual, 1e3)),
		math.Log1p(min(math.Abs(t.apart(1))/usual, 1e3)),
	}
}

// turn is how far the last minutes are from the last hour, beyond what past days did at
// that time: a ramp that comes each day makes no one unsure.
func (s *Seasonal) turn() float64 {
	t := &s.trail
	if t.m == 0 {
		return t.level[1] - t.level[3]
	}
	return t.apart(1) - t.apart(3)
}

// tiltInput is what the shape of the errors hangs on: the recent error, the
// trend, the height and the unrest.
func (s *Seasonal) tiltInput(a *ahead, usual float64, x *[spreadInputs]float64) [tiltInputs]float64 {
	t := &s.trail
	return [tiltInputs]float64{
		clip(a.bias/usual, 2), clip((t.level[1]-t.level[3])/usual, 3) / 2, x[4], clip(x[1], 2),
	}
}

// tiny keeps logarithms and divisions off zero.
const tiny = 1e-9
