package forecast

import "math"

// issued is a forecast that waits for its target. It keeps what it was made
// from, so that nothing learnt since leaks into its score. A series holds some
// hundred of them, hence the short integers: see short.
type issued struct {
	target             uint32  // the bin, as far as it fits: two that wait are never so far apart
	point, spread      float32 // what the regressions said, and its expected error
	last               float32 // the newest bin
	levelBase, level   int16   // of the level regression, in expected errors from point
	seasonBase, season int16   // of the season regression; levelOnly where past days took no part
	stretch            int16   // logarithm of spread over the mean error at the lead
	said               [rivalGroups][rivalCount]float32
	levelX             [levelInputs]int16  // in expected errors
	seasonX            [seasonInputs]int16 // in expected errors
	spreadX            [spreadInputs]int16
	tilt               [tiltInputs]int16
}

// levelOnly is a seasonBase that no short is.
const levelOnly = math.MinInt16

// shortUnit is the resolution of a short: one in 1024, up to 32 either way.
const shortUnit = 1024

func short(v float64) int16 {
	v = clip(v*shortUnit, 32767)
	if v < 0 {
		return int16(v - 0.5)
	}
	return int16(v + 0.5)
}

func long(v int16) float64 { return float64(v) / shortUnit }

// queue holds the forecasts of one lead in order of their targets.
type queue struct {
	ring          []issued
	head, waiting int
}

// push returns the place for another forecast; the oldest gives way when full.
func (q *queue) push() *issued {
	if q.waiting == len(q.ring) {
		q.head = (q.head + 1) % len(q.ring)
		q.waiting--
	}
	q.waiting++
	return &q.ring[(q.head+q.waiting-1)%len(q.ring)]
}

// due returns the forecast whose target is the bin, nil if none, and forgets
// older ones, whose targets were never observed.
func (q *queue) due(bin int64) *issued {
	for q.waiting > 0 {
		f := &q.ring[q.head]
		ahead := int32(f.target - uint32(bin)) // #nosec G115 -- it wraps around, as meant
		if ahead > 0 {
			break
		}
		q.head = (q.head + 1) % len(q.ring)
		q.waiting--
		if ahead == 0 {
			return f
		}
	}
	return nil
}
