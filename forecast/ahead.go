package forecast

import (
	"math"
	"time"
)

// aheads are the leads at which the forecaster keeps score of itself. Between
// them it interpolates, in the logarithm of the lead.
var aheads = [...]time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour,
}

// strides say how many bins lie between two scored forecasts. They share no
// factor with 60, so that every minute of the hour is scored in turn.
var strides = [...]int64{7, 13, 19, 31, 47, 61, 97, 127}

const (
	maxPending    = 64   // scored forecasts under way per lead
	shortHalfLife = 3    // days after which an error at up to an hour counts half
	longHalfLife  = 4    // the same beyond an hour
	leastHalfLife = 150  // errors, for coarse bins
	errorLimit    = 8.0  // standard units beyond which an error teaches no weights
	aheadRidge    = 20.0 // errors that the prior weights are worth
	maxWeight     = 1.2
	// seasonalLimit is the error beyond which the size teaches nothing more.
	seasonalLimit = 30.0
	// The prior weights of the newest bin and of the two ratios fade with the lead.
	lastFade = 2 * time.Minute
	fastFade = 20 * time.Minute
	slowFade = 6 * time.Hour
	// standInFade is how long the plain level outweighs days of another kind.
	standInFade = 90 * time.Minute
	// otherParts is how much an error from another part of the day counts.
	otherParts = 0.25
	// priorErrors is how many independent errors the prior band is worth.
	priorErrors = 10.0
)

// issued is a forecast that waits for its target. It keeps what it was made
// from, so that nothing learnt since leaks into its score.
type issued struct {
	target   int64
	point    float32 // what was forecast
	base     float32 // what the profile alone said
	unit     float32 // a standard error of what the weights explain
	basis    basis
	features [features]float32 // what the weights were applied to
}

// basis says what one point was made from.
type basis uint8

const (
	fromLevel   basis = iota // the recent level alone
	fromStandIn              // a profile that does not fit: of other kinds of day, or disproved by the present
	fromProfile              // days of the target's kind
)

// ahead is what was learnt about one lead.
type ahead struct {
	steps, stride int64
	logSteps      float64
	keep          float64
	ridge         float64
	prior         [features]float64
	carry         regression
	seasonal      [dayParts]residuals
	other         [fromProfile]residuals // of forecasts without the target's kind of day
	pending       []issued               // ring
	head, waiting int
}

// newAheads returns the leads that differ at this step, ascending.
func newAheads(c *calendar) []ahead {
	var all []ahead
	for _, lead := range aheads {
		steps := c.steps(lead)
		if len(all) > 0 && all[len(all)-1].steps == steps {
			continue
		}
		a := ahead{steps: steps, stride: 1, logSteps: math.Log(float64(steps))}
		for _, s := range strides {
			if steps/a.stride < maxPending {
				break
			}
			a.stride = s
		}
		span := time.Duration(steps*c.step) * time.Second
		days := float64(shortHalfLife)
		if span > time.Hour {
			days = longHalfLife
		}
		half := max(days*secondsPerDay/float64(c.step*a.stride), leastHalfLife)
		a.keep = math.Exp2(-1 / half)
		a.ridge = aheadRidge * a.kinship()
		a.prior = priorWeights(span)
		a.pending = make([]issued, steps/a.stride+1)
		all = append(all, a)
	}
	return all
}

// priorWeights say how far the ratios carry before anything was learnt.
func priorWeights(lead time.Duration) [features]float64 {
	return [features]float64{
		math.Exp(-float64(lead) / float64(fastFade)),
		math.Exp(-float64(lead) / float64(slowFade)),
		0,
		0.5 * math.Exp(-float64(lead)/float64(lastFade)),
	}
}

// issue keeps a forecast to score it later.
func (a *ahead) issue(f issued) {
	if a.waiting == len(a.pending) {
		a.head = (a.head + 1) % len(a.pending)
		a.waiting--
	}
	a.pending[(a.head+a.waiting)%len(a.pending)] = f
	a.waiting++
}

// due returns the forecast whose target is the bin, and forgets older ones,
// whose targets were never observed.
func (a *ahead) due(bin int64) (issued, bool) {
	for a.waiting > 0 {
		f := a.pending[a.head]
		if f.target > bin {
			break
		}
		a.head = (a.head + 1) % len(a.pending)
		a.waiting--
		if f.target == bin {
			return f, true
		}
	}
	return issued{}, false
}

// mature learns from a forecast whose target came out as value.
func (a *ahead) mature(f *issued, value float64, part int, c *counting) {
	point := float64(f.point)
	unit := math.Sqrt(c.variance(point))
	u := (value - point) / unit
	if f.basis != fromProfile {
		a.other[f.basis].learn(u, a.keep)
		return
	}
	a.seasonal[part].learn(clip(u, seasonalLimit), a.keep)
	var x [features]float64
	unit = float64(f.unit)
	for i, v := range f.features {
		x[i] = clip(float64(v)/unit, errorLimit)
	}
	a.carry.learn(x, clip((value-float64(f.base))/unit, errorLimit), a.keep)
}

// kinship is how many scored forecasts together say about as much as one that
// shares nothing with the others: at a long lead neighbours err alike.
func (a *ahead) kinship() float64 { return 1 + float64(a.steps)/float64(12*a.stride) }

// band is the quantiles of the errors at one lead, at Levels: in standard units
// as far as errors were seen, and in shares of the rate as far as not.
type band struct{ seen, assumed [levelCount]float64 }

// band returns the band for a basis and part of the day. Few errors draw it to a
// log-normal prior of the given spread.
func (a *ahead) band(from basis, part int, spread float64) band {
	var sum [residualBins]float64
	if from == fromProfile {
		for i := range a.seasonal {
			share := otherParts
			if i == part {
				share = 1
			}
			a.seasonal[i].addTo(&sum, share)
		}
	} else {
		a.other[from].addTo(&sum, 1)
	}
	q, n := quantilesOf(&sum)
	n /= a.kinship()
	var b band
	for i, z := range normals {
		b.seen[i] = q[i] * n / (n + priorErrors)
		b.assumed[i] = (math.Exp(spread*z) - 1) * priorErrors / (n + priorErrors)
	}
	return b
}
