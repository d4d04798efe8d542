package policy

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// waits is the probability that a request waits longer than t when every server
// is busy with a batch of the given mean time and squared variation: for the rest
// of a batch in service and for so many full batches ahead, while the given
// number of servers take from its queue.
//
// Two laws are exact at their ends: batches that take constant time, which end
// evenly spread over it, and exponential ones, whose completions make an Erlang
// law. In between the variation mixes them, as the Allen-Cunneen approximation
// does for the mean; above one the exponential law is stretched.
func waits(t, mean, vary, servers float64, ahead float64) float64 {
	if t < 0 {
		return 1
	}
	mix := math.Min(1, vary)
	wait := 0.0
	if mix < 1 {
		wait += (1 - mix) * waitsConstant(t, mean, servers, ahead)
	}
	if mix > 0 {
		wait += mix * erlangAbove(ahead+1, t*servers/(mean*math.Max(1, (1+vary)/2)))
	}
	return wait
}

// waitsConstant is the law for batches of constant time: the first of the servers
// to complete does so after the least of as many uniform times.
func waitsConstant(t, mean, servers float64, ahead float64) float64 {
	rest := t/mean - ahead/servers
	switch {
	case rest < 0:
		return 1
	case rest >= 1:
		return 0
	}
	return math.Pow(1-rest, servers)
}

// erlangAbove is the probability that the sum of n exponential times of mean one
// exceeds x,
// and its continuation to fractions. Eight standard deviations off the mean it is certain either way.
func erlangAbove(n, x float64) float64 {
	spread := 8 * math.Sqrt(n)
	switch {
	case n == 1:
		return math.Exp(-x)
	case x < n-spread:
		return 1
	case x > n+spread+40:
		return 0
	}
	return mathext.GammaIncRegComp(n, x)
}

// decay is the ratio by which the probabilities of ever longer queues fall at a
// load below one: the inverse of the root above one of z = S(ρ(1-z)), where S is
// the transform of the gamma law of service (exact for one server, and for
// several in the limit; Neuts, and Takahashi 1981). Exponential service gives the
// load itself, constant service much less.
func decay(load, cv2 float64) float64 {
	if load <= 0 {
		return 0
	}
	// With y = z-1, f(y) = -ln(1-ρc²y)/c² - ln(1+y) is convex, zero at zero and at
	// the root, and least at the valley; Newton's steps from the right stay there.
	slope := load * cv2
	f := func(y float64) (value, derivative float64) {
		if cv2 == 0 {
			return load*y - math.Log1p(y), load - 1/(1+y)
		}
		return -math.Log1p(-slope*y)/cv2 - math.Log1p(y), load/(1-slope*y) - 1/(1+y)
	}
	valley := (1 - load) / (load * (1 + cv2))
	end := math.Inf(1)
	if slope > 0 {
		end = 1 / slope
	}
	y := 2 * valley
	if y >= end {
		y = (valley + end) / 2
	}
	for range 60 {
		value, derivative := f(y)
		next := y - value/derivative
		if next >= end {
			next = (y + end) / 2
		}
		if next <= valley || math.Abs(next-y) <= 1e-13*y {
			break
		}
		y = next
	}
	return 1 / (1 + y)
}
