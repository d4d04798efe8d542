package forecast

import "math"

const (
	// exactBelow is the expected count from which on the Cornish-Fisher
	// expansion replaces the sum of the distribution.
	exactBelow = 8.0
	// poissonMedian is the median of the square of a standard normal, the value
	// around which d^2/(a+b) lies for the difference d of two Poisson counts a, b.
	poissonMedian = 0.4549
	// dispersionStep is how far one pair of counts moves the median, in log.
	dispersionStep = 0.01
	maxDispersion  = 100.0
)

// counting knows how much one event weighs, and so how noisy a bin must be
// even if the rate were known exactly.
type counting struct {
	event      float64 // rate that one event adds to one bin; 0: not a count
	scale      float64 // slow mean of the series, the yardstick where there are no events
	known      float64 // observations so far
	dispersion float64 // running median of d^2/(a+b)
}

// learn takes a value and the one in the bin before it (NaN if unknown).
func (c *counting) learn(v, before, keep float64) {
	c.known++
	c.scale += (v - c.scale) * max(1-keep, 1/c.known)
	if c.event == 0 || math.IsNaN(before) {
		return
	}
	// Pairs of few events say little and only in jumps.
	sum := (v + before) / c.event
	if sum < 10 {
		return
	}
	if c.dispersion == 0 {
		c.dispersion = poissonMedian
	}
	// A running median, not a mean: the jump at the full hour is no noise.
	d := (v - before) / c.event
	if d*d/sum > c.dispersion {
		c.dispersion *= 1 + dispersionStep
	} else {
		c.dispersion /= 1 + dispersionStep
	}
	c.dispersion = min(max(c.dispersion, poissonMedian), maxDispersion*poissonMedian)
}

// overdispersion returns variance over mean of the counts of one bin, at least 1.
func (c *counting) overdispersion() float64 { return max(1, c.dispersion/poissonMedian) }

// widen moves each quantile outwards to where counting noise alone puts it at
// mean rate f. The mean is raised by half an event over everything seen, so
// that a short row of zeros is not yet a promise of zero.
func (c *counting) widen(f float64, q []float64) {
	if c.event == 0 {
		return
	}
	mu := f/c.event + 0.5/(c.known+1)
	// Neighbouring bins differ by more than noise where the rate itself moves, so
	// only small numbers, whose noise drowns that, are taken as clumped.
	phi := 1 + (c.overdispersion()-1)/(1+mu/exactBelow)
	var counts [levelCount]float64
	if mu < exactBelow {
		exactCounts(mu, phi, &counts)
	} else {
		expandedCounts(mu, phi, &counts)
	}
	for i, k := range counts {
		switch {
		case levels[i] > 0.5:
			q[i] = max(q[i], k*c.event)
		case levels[i] < 0.5:
			q[i] = min(q[i], k*c.event)
		}
	}
}

// exactCounts sums the negative binomial with mean mu and variance phi mu (the
// Poisson for phi of 1) up to each level.
func exactCounts(mu, phi float64, counts *[levelCount]float64) {
	const most = 2000 // far beyond the highest level at any mean and dispersion in use
	r, p := math.Inf(1), math.Exp(-mu)
	if phi > 1.001 {
		r = mu / (phi - 1)
		p = math.Exp(-r * math.Log(phi))
	}
	cdf, k := p, 0.0
	for i, level := range levels {
		for cdf < level && k < most {
			if math.IsInf(r, 1) {
				p *= mu / (k + 1)
			} else {
				p *= (k + r) / (k + 1) * (phi - 1) / phi
			}
			k++
			cdf += p
		}
		counts[i] = k
	}
}

// expandedCounts is the Cornish-Fisher expansion of the same distribution to
// the skewness, rounded to the count whose share reaches the level.
func expandedCounts(mu, phi float64, counts *[levelCount]float64) {
	sd := math.Sqrt(mu * phi)
	skew := (2*phi - 1) / sd
	for i, z := range normals {
		x := mu + sd*(z+(z*z-1)*skew/6)
		counts[i] = max(0, math.Ceil(x-0.5))
		if i > 0 {
			counts[i] = max(counts[i], counts[i-1])
		}
	}
}
