package forecast

import (
	"math"
	"slices"
	"time"
)

// levelCount is how many quantiles every forecaster answers.
const levelCount = 11

// levels and normals hold the quantile levels and the standard normal
// quantiles at these levels.
var (
	levels  = [levelCount]float64{0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995}
	normals = [levelCount]float64{
		-1.959963985, -1.644853627, -1.281551566, -0.674489750, 0,
		0.674489750, 1.281551566, 1.644853627, 1.959963985, 2.326347874, 2.575829304,
	}
)

// Levels returns the quantile levels that every forecaster answers, ascending.
// The slice is the caller's own.
func Levels() []float64 { return slices.Clone(levels[:]) }

// What a path rests on.
const (
	BasisSeasonal = "seasonal" // the profile of the day, carried to the present level
	BasisLevel    = "level"    // the recent level only: there is no profile yet
	BasisNone     = "none"     // no observation at all: the band is a guess, and is wide
)

// Point is the forecast for one lead: the mean and the quantiles of the mean
// rate, in units per second, in the bin that covers Path.At plus Lead.
type Point struct {
	Lead      time.Duration
	Mean      float64
	Quantiles []float64 // at Levels, ascending, finite, never negative
}

// Path is a forecast made at one instant.
type Path struct {
	At     time.Time
	Points []Point // ascending lead
	Basis  string  // BasisSeasonal, BasisLevel or BasisNone: what it rests on, for people
	Note   string  `json:",omitempty"` // what else people should know: "not predictable, because ..."; usually empty
}

// Quantile returns the quantile at a level and a lead, in units per second. It
// interpolates linearly in level and between leads, and keeps to the outermost
// level and lead outside of what was forecast. A level that is not a number is
// read as the highest one, the careful side. A path without points answers 0;
// ask for len(Points) where that matters.
func (p Path) Quantile(level float64, lead time.Duration) float64 {
	if len(p.Points) == 0 {
		return 0
	}
	i, after := slices.BinarySearchFunc(p.Points, lead, func(pt Point, l time.Duration) int {
		return int(min(max(pt.Lead-l, -1), 1))
	})
	switch {
	case after || i == 0:
		return p.Points[i].quantile(level)
	case i == len(p.Points):
		return p.Points[i-1].quantile(level)
	}
	lo, hi := p.Points[i-1], p.Points[i]
	share := float64(lead-lo.Lead) / float64(hi.Lead-lo.Lead)
	return mix(lo.quantile(level), hi.quantile(level), share)
}

// Max returns the largest quantile at a level over the leads within [from, to],
// both ends included and interpolated. With from after to, the ends are swapped.
func (p Path) Max(level float64, from, to time.Duration) float64 {
	if from > to {
		from, to = to, from
	}
	// The path is linear between points, so its maximum is at a point or an end.
	best := max(p.Quantile(level, from), p.Quantile(level, to))
	for _, pt := range p.Points {
		if pt.Lead > from && pt.Lead < to {
			best = max(best, pt.quantile(level))
		}
	}
	return best
}

// quantile interpolates one point in level.
func (pt Point) quantile(level float64) float64 {
	q := pt.Quantiles
	if len(q) != levelCount {
		return 0
	}
	if math.IsNaN(level) || level >= levels[levelCount-1] {
		return q[levelCount-1]
	}
	if level <= levels[0] {
		return q[0]
	}
	i, exact := slices.BinarySearch(levels[:], level)
	if exact {
		return q[i]
	}
	return mix(q[i-1], q[i], (level-levels[i-1])/(levels[i]-levels[i-1]))
}

// mix returns the value a share of the way from a to b, never outside of them.
func mix(a, b, share float64) float64 {
	return min(max(a+(b-a)*share, min(a, b)), max(a, b))
}
