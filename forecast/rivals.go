package forecast

import "math"

const (
	rivalCount = 3
	// rivalPower is how sharply the better of the first two is preferred.
	rivalPower = 15.0
	// rivalLeads and rivalLeast are the half-life of their losses: in leads, which is
	// about the number of independent outcomes, and at least so many forecasts.
	rivalLeads = 36.0
	rivalLeast = 50.0
	// rivalReach is the longest lead, in seconds, that has rivals: who was better on
	// the days before says little about the day after.
	rivalReach = secondsPerDay / 2
	// The tracker is fast, so its luck of one day does not count: trackerDays is the
	// half-life of the losses it is measured by, trackerPower how sharply it is dropped
	// where it is worse, and trackerWorth how many outcomes their equality is worth.
	trackerDays, trackerPower, trackerWorth = 10.0, 60.0, 50.0
	// timesStep and timesErrors are the step and memory of the factors.
	timesStep, timesErrors = 0.02, 1000.0
)

// rivals are three ways to the quantiles, for series and days on which one of them
// is simply better: the regressions with the distribution of their errors, the
// last value times a factor that follows the outcomes slowly, and a plain forecast
// times a factor that follows them fast, the tracker. Three levels choose for their
// neighbours by the losses of what was issued.
type rivals struct {
	times          [levelCount]float32 // factors less 1
	timesError     float64             // mean size of what they cover
	timesSeen      float64             // outcomes behind them
	late, long     [rivalGroups][rivalCount]float32
	n              float64 // outcomes behind long
	weight         [rivalGroups][rivalCount]float32
	keep, keepLong float32 // fading per outcome
}

const rivalGroups = 3

// rivalLevels are the levels that choose, and rivalGroup who follows whom.
var (
	rivalLevels = [rivalGroups]int{2, 4, 6}
	rivalGroup  = [levelCount]int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2}
)

// newRivals returns the rivals at a lead of so many seconds, scored perDay times.
func newRivals(seconds, perDay float64) rivals {
	half := func(outcomes float64) float32 { return float32(math.Exp2(-1 / max(outcomes, rivalLeast))) }
	r := rivals{keep: half(rivalLeads * seconds / secondsPerDay * perDay), keepLong: half(trackerDays * perDay)}
	for g := range r.weight {
		r.weight[g][0] = 1
	}
	return r
}

// stand is what the rivals speak from at one moment.
type stand struct {
	point, spread float64 // of the regressions
	most          float64 // how far their quantiles may lie from the point
	last          float64 // the newest bin
	plain         float64 // what the tracker's factors are for, NaN if it has no say
	tilt          [tiltInputs]float64
}

// say returns one rival's quantile.
func (a *ahead) say(k, l int, s *stand) float64 {
	switch k {
	case 1:
		return s.last * (1 + float64(a.rivals.times[l]))
	case 2:
		if !math.IsNaN(s.plain) {
			return a.tracker.at(l, s.plain)
		}
	}
	return s.point + clip(s.spread*a.residuals.at(l, &s.tilt), s.most)
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

// learn takes an outcome, the quantiles that were said for it at rivalLevels and the
// value that was the last one then, of which a factor says something only above quiet.
// Rivals in without, as bits, have no say.
func (r *rivals) learn(root float64, said *[rivalGroups][rivalCount]float64, last, quiet float64, without uint32) {
	r.n = r.n*float64(r.keepLong) + 1
	for g, l := range rivalLevels {
		for k, q := range said[g] {
			// The loss is that of rates: a root makes too little of a wild outcome.
			loss := float32(Pinball(levels[l], square(max(0, root)), square(max(0, q))))
			r.late[g][k] = r.late[g][k]*r.keep + loss
			r.long[g][k] = r.long[g][k]*r.keepLong + loss
		}
		r.weigh(g, without)
	}
	if last <= quiet {
		return
	}
	r.timesSeen++
	times := root/max(last, tiny) - 1
	r.timesError += max(1/timesErrors, 1/r.timesSeen) * (min(math.Abs(times), 1) - r.timesError)
	for l, level := range levels {
		miss := level
		if times <= float64(r.times[l]) {
			miss--
		}
		r.times[l] += float32(timesStep * r.timesError * miss)
	}
}

// weigh sets the weights of one group by the losses.
func (r *rivals) weigh(g int, without uint32) {
	late, long := &r.late[g], &r.long[g]
	better := float64(min(late[0], late[1])) + tiny
	even := trackerWorth/r.n*float64(long[0]) + tiny
	w := [rivalCount]float64{
		math.Pow(better/(float64(late[0])+tiny), rivalPower),
		math.Pow(better/(float64(late[1])+tiny), rivalPower),
		math.Pow(min(1, (float64(min(long[0], long[1]))+even)/(float64(long[2])+even)), trackerPower),
	}
	sum := 0.0
	for k := range w {
		if w[k] < 1e-3 || without>>k&1 == 1 {
			w[k] = 0
		}
		sum += w[k]
	}
	for k := range w {
		if sum > 0 {
			r.weight[g][k] = float32(w[k] / sum)
		}
	}
}
