package traffic

import (
	"math"
	"time"
)

// level is the slow random movement of a model's traffic: some days and hours
// are busier than the calendar says. Its logarithm is the sum of two stationary
// AR(1) sequences, one with a knot a day and one with a knot an hour, each joined
// by straight lines:
//
//	x[i] = phi x[i-1] + e[i]
//
// It is a function of the absolute time and the seed alone, so that history and
// future of a scenario join without a jump wherever the scenario starts: x[i] is
// computed as the sum of phi^k e[i-k] over the last terms that matter, and e[i]
// by hashing i.
type level struct {
	days, hours wander
}

// The sizes of the movement: standard deviations of about 3 % between days and
// 2 % between hours.
func newLevel(k streamKey) *level {
	day, hour := k, k
	day.purpose, hour.purpose = "level of the day", "level of the hour"
	return &level{
		days:  newWander(day, 24*time.Hour, 0.6, 0.03),
		hours: newWander(hour, time.Hour, 0.85, 0.02),
	}
}

// at returns the factor at an instant, given in seconds since 1970. Its mean
// over seeds is 1 up to the interpolation, which is worth less than 0.1 %.
func (l *level) at(unix int64) float64 { return math.Exp(l.days.at(unix) + l.hours.at(unix)) }

// wander is one of the two sequences.
type wander struct {
	key     [2]uint64
	every   int64 // seconds between knots
	weights []float64
	drift   float64 // makes the mean of the exponential 1
	// The two knots around the last instant that was asked for.
	knot        int64
	left, right float64
	known       bool
}

func newWander(k streamKey, every time.Duration, phi, deviation float64) wander {
	w := wander{every: int64(every / time.Second), drift: -deviation * deviation / 2}
	w.key[0], w.key[1] = k.words()
	squares := 0.0
	for term := 1.0; term > 1e-3; term *= phi {
		w.weights = append(w.weights, term)
		squares += term * term
	}
	for i := range w.weights {
		w.weights[i] *= deviation / math.Sqrt(squares)
	}
	return w
}

func (w *wander) at(unix int64) float64 {
	knot := floorDiv(unix, w.every)
	if !w.known || knot != w.knot {
		w.knot, w.left, w.right, w.known = knot, w.value(knot), w.value(knot+1), true
	}
	share := float64(unix-knot*w.every) / float64(w.every)
	return w.left + share*(w.right-w.left)
}

// value is the sequence at a knot.
func (w *wander) value(knot int64) float64 {
	x := w.drift
	for k, weight := range w.weights {
		x += weight * w.innovation(knot-int64(k))
	}
	return x
}

// innovation is a standard normal number that depends on the knot alone.
func (w *wander) innovation(knot int64) float64 {
	bits := mix(w.key[0] ^ mix(w.key[1]+uint64(knot)))
	uniform := (float64(bits>>11) + 0.5) / (1 << 53) // strictly between 0 and 1
	return math.Sqrt2 * math.Erfinv(2*uniform-1)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// floorDiv divides and rounds down, below zero too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
