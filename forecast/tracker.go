package forecast

import "math"

const (
	// trackerStep is how far one outcome moves a factor, in mean errors.
	trackerStep = 0.2
	// trackerErrors is the memory of the mean error, in bins.
	trackerErrors = 60.0
	// trackerWidth is the widest band that the factors may speak of, as a standard
	// deviation in log of roots: see trackerMost.
	trackerWidth = 0.4
	// trackerLevel is the memory of the level that is tracked from: 15 minutes.
	trackerLevel = 2
	// trackerReach is the longest lead, in seconds, that is tracked from the level;
	// beyond it yesterday is the better guide.
	trackerReach = secondsPerHour
)

// trackerMost bounds each factor, in log, and with the largest of them the error that one
// outcome counts as. The level has followed a jump long before the factors of a lead hear of
// it, a lead late: unbounded they would put the whole jump on top of itself, and cost more in
// that hour than they save in a month.
var trackerMost = func() (most [levelCount]float64) {
	for l, z := range normals {
		most[l] = trackerWidth * max(1, math.Abs(z))
	}
	return most
}()

// tracker follows the quantiles of the ratio between what comes and a plain point
// forecast, fast: each bin moves each factor by a fifth of the mean error towards
// where its share of outcomes lies. It forgets within the hour, and so is hard to beat
// while a series does what it never did before.
type tracker struct {
	factor [levelCount]float32 // in log
	size   float64             // mean error, in log
	n      float64
}

// learn takes what came, and what had been said.
func (t *tracker) learn(root, point float64) {
	over := clip(math.Log(root/point), trackerMost[levelCount-1])
	t.n++
	t.size += max(1/trackerErrors, 1/t.n) * (math.Abs(over) - t.size)
	for l, level := range levels {
		miss := level
		if over <= float64(t.factor[l]) {
			miss--
		}
		t.factor[l] = float32(clip(float64(t.factor[l])+trackerStep*t.size*miss, trackerMost[l]))
	}
}

// at is a quantile around a point.
func (t *tracker) at(l int, point float64) float64 { return point * math.Exp(float64(t.factor[l])) }

// newRecall remembers the plain forecast made at each of the last bins, NaN where no bin
// was known.
func newRecall(c *calendar) ring { return newRing(int(max(trackerReach/c.step, 1) + 1)) }

// plain is the plain forecast of a bin at a lead: the level, and for longer leads the
// last day that is known at that time of day. It is NaN where a holiday makes that day
// unlike the one to come.
func (s *Seasonal) plain(a *ahead, target int64) float64 {
	if !a.near {
		step := s.calendar.step
		then, now := target*step+step/2, s.trail.bin*step+step/2
		ago := int64(secondsPerDay)
		if then > now+ago {
			ago *= (then - now + ago - 1) / ago
		}
		if s.holidayBetween(then, then, ago) {
			return math.NaN()
		}
		if v := s.profile.back.at(then - ago); !math.IsNaN(v) {
			return s.positive(v)
		}
	}
	return s.positive(s.trail.level[trackerLevel])
}

// track teaches the tracker of a lead the newest bin.
func (s *Seasonal) track(a *ahead, bin int64, root float64) {
	was := s.recall.at(bin - a.steps)
	if now := bin*s.calendar.step + s.calendar.step/2; !a.near {
		was = s.profile.back.at(now - secondsPerDay)
		if s.holidayBetween(now, now, secondsPerDay) {
			return
		}
	}
	if was > s.quiet() { // not NaN either; a factor of next to nothing says nothing
		a.tracker.learn(s.positive(root), was)
	}
}

// quiet is the root up to which a bin is one of the series' quiet ones.
func (s *Seasonal) quiet() float64 { return quietShare * s.unrest.level }

// positive keeps what is tracked in ratios off zero.
func (s *Seasonal) positive(root float64) float64 { return max(root, s.quiet(), tiny) }
