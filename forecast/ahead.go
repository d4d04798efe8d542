package forecast

import (
	"math"
	"time"
)

// scored are the leads at which the forecaster keeps score of itself. Between
// them it interpolates, in the logarithm of the lead.
var scored = [...]time.Duration{
	time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour,
}

// strides say how many bins lie between two scored forecasts. They share no
// factor with 60, so that every minute of the hour is scored in turn.
var strides = [...]int64{7, 11, 13, 19, 31, 47, 61, 97, 127}

const (
	maxPending    = 12   // scored forecasts under way per lead
	shortHalfLife = 6    // days after which an error at up to an hour counts half
	longHalfLife  = 8    // the same beyond an hour
	leastHalfLife = 150  // errors, for coarse bins
	errorLimit    = 24.0 // expected errors beyond which an error teaches no weights
	sizeLimit     = 6.0  // expected errors beyond which one teaches no spread
	lateLimit     = 20.0 // usual errors that one counts as at most among the late ones
	meanLimit     = 8.0  // the same at large
	quietShare    = 0.2  // of the level's root, up to which a forecast says that next to nothing comes
	errorCommon   = 0.05 // a usual error, in shares of the level, that no one wonders at
	usualMost     = 5.0  // usual errors that the band may always reach from the point
	pointRidge    = 40.0 // independent errors that the prior weights are worth
	spreadRidge   = 30.0
	kinSteps      = 4.0 // bins of lead, in strides, that make an error half a copy
	lateSeconds   = 1800
	biasSeconds   = 900
	// solveSeconds is how old weights may be: they move slowly, and solving for
	// them is the dearest part of an observation.
	solveSeconds = 300
	// firstSpread is the mean error assumed before any was seen, in shares of the
	// level's root, at a lead of 0; it grows with the root of the lead in hours.
	firstSpread = 0.125
	spreadWorth = 5.0  // independent errors that it is worth
	spreadMost  = 4.0  // in log, how far the situation may move the expected error
	choiceDays  = 1.0  // half-life of the losses that weigh the two regressions
	choicePower = 12.0 // how sharply the better of them is preferred
	choiceWorth = 20.0 // mean errors that their equality is worth
)

// ahead is what was learnt about one lead.
type ahead struct {
	steps, stride int64
	logSteps      float64
	keep, kin     float64 // fading per error, and errors that say as much as an independent one
	level, season regression
	spread        regression
	residuals     residuals
	rivals        rivals
	tracker       tracker
	alone, near   bool // without rivals; tracked from the level

	errorLate, errorMean           float64 // mean absolute error, of late and at large
	bias                           float64 // mean error of late
	largest                        float64 // error of late, fading
	seen                           float64 // errors behind them
	assumed                        float64 // mean error before any was seen, in shares of the level
	lossLevel, lossSeason          float64
	lateGain, biasGain, choiceKeep float64
	queue                          queue
	issues, solveEvery             int64
}

// newAheads returns the leads that differ at this step, ascending.
func newAheads(c *calendar) []ahead {
	all := make([]ahead, 0, len(scored))
	for _, lead := range scored {
		steps := c.steps(lead)
		if len(all) > 0 && all[len(all)-1].steps == steps {
			continue
		}
		a := ahead{steps: steps, stride: 1, logSteps: math.Log(float64(steps)), residuals: newResiduals()}
		for _, s := range strides {
			if steps/a.stride < maxPending {
				break
			}
			a.stride = s
		}
		seconds := float64(steps * c.step)
		span := time.Duration(steps*c.step) * time.Second
		days := float64(shortHalfLife)
		if span > time.Hour {
			days = longHalfLife
		}
		perDay := secondsPerDay / float64(c.step*a.stride)
		between := float64(a.stride * c.step)
		a.keep = math.Exp2(-1 / max(days*perDay, leastHalfLife))
		a.kin = 1 + float64(steps)/(kinSteps*float64(a.stride))
		a.level, a.season, a.spread = newRegression(levelPrior(span)), newRegression(seasonPrior(span)), newRegression(spreadPrior)
		a.solveEvery = max(1, solveSeconds/(a.stride*c.step))
		a.assumed = firstSpread * math.Sqrt(1+seconds/secondsPerHour)
		a.lateGain = 1 - math.Exp2(-between/max(lateSeconds, seconds))
		a.biasGain = 1 - math.Exp2(-between/max(biasSeconds, seconds/2))
		a.choiceKeep = math.Exp2(-1 / max(choiceDays*perDay, 50))
		a.rivals, a.alone, a.near = newRivals(seconds, perDay), seconds > rivalReach, seconds <= trackerReach
		a.queue.ring = make([]issued, steps/a.stride+1)
		all = append(all, a)
	}
	return all
}

// solve sets the weights anew, when it is time to.
func (a *ahead) solve(seasonal bool) {
	a.issues++
	if a.issues%a.solveEvery != 0 {
		return
	}
	a.level.solve(pointRidge * a.kin)
	if seasonal {
		a.season.solve(pointRidge * a.kin)
	}
	a.spread.solve(spreadRidge * a.kin)
}

// usual is the mean error at the lead around a level, drawn to what is assumed.
func (a *ahead) usual(level float64) float64 {
	floor := 1e-4*level + tiny
	n := a.seen / a.kin
	seen, assumed := max(a.errorMean, floor), max(a.assumed*level, floor)
	return assumed * math.Pow(seen/assumed, n/(n+spreadWorth))
}

// share is how much the season regression counts against the level one.
func (a *ahead) share() float64 {
	prior := choiceWorth*a.errorMean + tiny
	r := (a.lossSeason + prior) / (a.lossLevel + prior)
	return 1 / (1 + math.Pow(r, choicePower))
}

// mature learns from a forecast whose target came out as root, in a series whose
// roots are about level; it returns the error.
func (a *ahead) mature(f *issued, root, level float64, without *ablation) float64 {
	spread := float64(f.spread)
	r := root - float64(f.point)
	u := r / spread
	keep := float32(a.keep)
	var x [maxInputs]float32
	// 1. The weights of the two points, in expected errors.
	teach := func(g *regression, in []int16, base int16) {
		for i, v := range in {
			x[i] = float32(clip(long(v), errorLimit))
		}
		g.learn(x[:], float32(clip(u-long(base), errorLimit)), keep)
	}
	teach(&a.level, f.levelX[:], f.levelBase)
	if f.seasonBase != levelOnly {
		teach(&a.season, f.seasonX[:], f.seasonBase)
		const most = 5
		a.lossLevel = a.lossLevel*a.choiceKeep + spread*min(math.Abs(u-long(f.level)), most)
		a.lossSeason = a.lossSeason*a.choiceKeep + spread*min(math.Abs(u-long(f.season)), most)
	}
	// 2. The expected error: a step of Fisher scoring for the scale of a Laplace
	// distribution, whose log is linear in the inputs.
	for i, v := range f.spreadX {
		x[i] = float32(long(v))
	}
	a.spread.learn(x[:], float32(long(f.stretch)+min(math.Abs(u), sizeLimit)-1), keep)
	// 3. The quantiles and their rivals.
	s := stand{point: float64(f.point), spread: spread, last: float64(f.last)}
	for i, v := range f.tilt {
		s.tilt[i] = long(v)
	}
	var said [rivalGroups][rivalCount]float64
	for g := range said {
		for k, v := range f.said[g] {
			said[g][k] = float64(v)
		}
	}
	quiet := quietShare * level
	if !a.alone {
		a.rivals.learn(root, &said, s.last, quiet, without.rivals)
	}
	size := math.Abs(r)
	a.largest = max(a.largest*a.keep, size)
	if s.point <= quiet { // hours that are quiet each day promise nothing about the others
		a.bias -= a.biasGain * a.bias
		late := math.Sqrt(a.errorLate)
		late += a.lateGain * (math.Sqrt(a.errorMean) - late)
		a.errorLate = late * late
		return r
	}
	a.seen++
	if without.shift {
		a.residuals.shift = [levelCount]float32{}
	}
	a.residuals.learn(u, &s.tilt, a.keep, a.kin)
	// 4. The mean errors.
	if a.seen == 1 {
		a.errorLate, a.errorMean, a.bias = size, size, r
		return r
	}
	// A series that was quiet when it began has known no errors: the bounds on one error
	// are no narrower than what is common around its level.
	most := max(a.errorMean, errorCommon*level, tiny)
	a.bias += max(a.biasGain, 1/a.seen) * (clip(r, meanLimit*most) - a.bias)
	// The late errors are averaged as roots: one wild error says little about the next.
	late := math.Sqrt(a.errorLate)
	late += max(a.lateGain, 1/a.seen) * (math.Sqrt(min(size, lateLimit*most)) - late)
	a.errorLate = late * late
	a.errorMean += max(1-a.keep, 1/a.seen) * (min(size, meanLimit*most) - a.errorMean)
	return r
}
