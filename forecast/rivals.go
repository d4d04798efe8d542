package forecast

import "math"

const (
	rivalCount = 2
	// rivalPower is how sharply the better rival is preferred.
	rivalPower = 30.0
	// rivalHalfDays and rivalLeast are the memory of their losses: in days, and at
	// least so many forecasts.
	rivalHalfDays = 0.25
	rivalLeast    = 50.0
	// timesStep and timesErrors are the step and memory of the factors.
	timesStep, timesErrors = 0.02, 1000.0
)

// rivals are two ways to the quantiles, for series and days on which one of them
// is simply better: the regressions with the distribution of their errors, and
// the last value times a factor that follows the outcomes slowly. Three levels
// choose for their neighbours by the losses of what was issued.
type rivals struct {
	times        [levelCount]float32 // factors less 1
	timesError   float64             // mean size of what they cover
	loss, weight [rivalGroups][rivalCount]float32
}

const rivalGroups = 3

// rivalLevels are the levels that choose, and rivalGroup who follows whom.
var (
	rivalLevels = [rivalGroups]int{2, 4, 6}
	rivalGroup  = [levelCount]int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2}
)

func newRivals() rivals {
	var r rivals
	for g := range r.weight {
		r.weight[g][0] = 1
	}
	return r
}

// stand is what the rivals speak from at one moment.
type stand struct {
	point, spread float64 // of the regressions
	last          float64 // the newest bin
	tilt          [tiltInputs]float64
}

// say returns one rival's quantile.
func (a *ahead) say(k, l int, s *stand) float64 {
	if k == 1 {
		return s.last * (1 + float64(a.rivals.times[l]))
	}
	return s.point + s.spread*a.residuals.at(l, &s.tilt)
}

// quantile combines the rivals.
func (a *ahead) quantile(l int, s *stand) float64 {
	w := &a.rivals.weight[rivalGroup[l]]
	q := 0.0
	for k, share := range w {
		if share > 0 {
			q += float64(share) * a.say(k, l, s)
		}
	}
	return q
}

// learn takes an outcome, the quantiles that were said for it at rivalLevels, and
// how much it counts; n is how many outcomes there were.
func (r *rivals) learn(root float64, said *[rivalGroups][rivalCount]float64, s *stand, keep, weight, n float64, without uint32) {
	for g, l := range rivalLevels {
		best := math.Inf(1)
		for k := range rivalCount {
			loss := Pinball(levels[l], root, said[g][k])
			r.loss[g][k] = r.loss[g][k]*float32(keep) + float32(weight*loss)
			if without>>k&1 == 0 {
				best = min(best, float64(r.loss[g][k]))
			}
		}
		sum := float32(0)
		for k := range rivalCount {
			w := math.Pow((best+tiny)/(float64(r.loss[g][k])+tiny), rivalPower)
			if w < 1e-3 || without>>k&1 == 1 {
				w = 0
			}
			r.weight[g][k] = float32(w)
			sum += float32(w)
		}
		for k := range rivalCount {
			r.weight[g][k] /= sum
		}
	}
	times := root/max(s.last, tiny) - 1
	r.timesError += max(1/timesErrors, 1/n) * (min(math.Abs(times), 1) - r.timesError)
	for l, level := range levels {
		miss := level
		if times <= float64(r.times[l]) {
			miss--
		}
		r.times[l] += float32(timesStep * r.timesError * miss)
	}
}
