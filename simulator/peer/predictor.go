package peer

import "math"

// predictor foresees the next of a series of loads, requests in one interval each.
type predictor interface {
	observe(load float64)
	// next is what the next interval brings, false while nothing was observed.
	next() (float64, bool)
}

// constant expects the next interval to be as the last one.
type constant struct {
	last float64
	seen bool
}

func (p *constant) observe(load float64) { p.last, p.seen = load, true }

func (p *constant) next() (float64, bool) { return p.last, p.seen }

// kalman is a local linear trend: level and trend each take a random step, and the
// level is observed with noise. Before it has seen enough it answers the last load.
type kalman struct {
	levelNoise, trendNoise, noise float64 // variances: of the steps, and of an observation
	least                         int     // observations before it predicts

	level, trend float64
	ll, lt, tt   float64 // covariance of level and trend
	last         float64
	seen         int
	useLog1p     bool // works on log(1+load)
}

// startVariance is that of a state of which nothing is known.
const startVariance = 1000

func (p *kalman) observe(load float64) {
	p.last = load
	if p.useLog1p {
		load = math.Log1p(load)
	}
	if p.seen == 0 {
		p.ll, p.tt = startVariance, startVariance
	}
	// Predict: the level moves by the trend.
	p.level += p.trend
	p.ll, p.lt, p.tt = p.ll+2*p.lt+p.tt+p.levelNoise, p.lt+p.tt, p.tt+p.trendNoise
	// Update with what was observed.
	miss := load - p.level
	spread := p.ll + p.noise
	gainLevel, gainTrend := p.ll/spread, p.lt/spread
	p.level += gainLevel * miss
	p.trend += gainTrend * miss
	p.ll, p.lt, p.tt = (1-gainLevel)*p.ll, (1-gainLevel)*p.lt, p.tt-gainTrend*p.lt
	p.seen++
}

func (p *kalman) next() (float64, bool) {
	if p.seen == 0 {
		return 0, false
	}
	if p.seen < p.least {
		return p.last, true
	}
	ahead := p.level + p.trend
	if p.useLog1p {
		ahead = math.Expm1(ahead)
	}
	return math.Max(0, ahead), true
}
