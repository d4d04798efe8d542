package forecast

import (
	"math"
	"time"
)

// Pinball returns the loss of a quantile q at a level for what came: the cost of
// having too little at level against that of too much at 1 - level.
func Pinball(level, actual, q float64) float64 {
	if actual >= q {
		return level * (actual - q)
	}
	return (1 - level) * (q - actual)
}

const (
	scoredLevel  = 0.9
	scoredIndex  = 6 // of scoredLevel in levels
	medianIndex  = 4
	headroomGrid = 38
)

// headrooms are the factors tried on the last value: 1 to 1.5 by 0.02, then
// coarser up to 4.
var headrooms = func() (grid [headroomGrid]float64) {
	for i := range 26 {
		grid[i] = 1 + 0.02*float64(i)
	}
	copy(grid[26:], []float64{1.6, 1.7, 1.8, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4})
	return grid
}()

// sums adds up the losses of one forecaster.
type sums struct{ pinball, errors float64 }

func (s *sums) add(actual, q90, median float64) {
	s.pinball += Pinball(scoredLevel, actual, q90)
	s.errors += math.Abs(actual - median)
}

// tally adds up one lead of a trial.
type tally struct {
	count                        int
	actuals                      float64
	covered                      [levelCount]int
	forecast, last, boosted, day sums
	headroom                     [headroomGrid]float64 // pinball loss before scoring starts
}

// fit lets the headroom learn from a target before scoring starts.
func (t *tally) fit(actual, last float64) {
	for i, h := range headrooms {
		t.headroom[i] += Pinball(scoredLevel, actual, h*last)
	}
}

func (t *tally) add(actual float64, p Point, last, day float64) {
	t.count++
	t.actuals += actual
	for i, q := range p.Quantiles {
		if actual <= q {
			t.covered[i]++
		}
	}
	t.forecast.add(actual, p.Quantiles[scoredIndex], p.Quantiles[medianIndex])
	t.last.add(actual, last, last)
	best := 0
	for i := range t.headroom {
		if t.headroom[i] < t.headroom[best] {
			best = i
		}
	}
	t.boosted.add(actual, headrooms[best]*last, last)
	t.day.add(actual, day, day)
}

func (t *tally) score(lead time.Duration) Score {
	s := Score{Lead: lead, Count: t.count, Coverage: make([]float64, levelCount)}
	if t.count == 0 {
		return s
	}
	n := float64(t.count)
	s.Mean = t.actuals / n
	for i, c := range t.covered {
		s.Coverage[i] = float64(c) / n
	}
	loss := func(u sums) Loss {
		l := Loss{Pinball90: u.pinball / n}
		if t.actuals > 0 {
			l.WAPE = u.errors / t.actuals
		}
		return l
	}
	s.Forecast, s.Last, s.Headroom, s.Day = loss(t.forecast), loss(t.last), loss(t.boosted), loss(t.day)
	return s
}
