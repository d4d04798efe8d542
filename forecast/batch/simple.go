package batch

import "math"

// lastValue repeats the newest value.
func lastValue(z, out []float64) {
	for j := range out {
		out[j] = z[len(z)-1]
	}
}

// overallMean repeats the mean.
func overallMean(z, out []float64) {
	m := mean(z)
	for j := range out {
		out[j] = m
	}
}

// movingLevel repeats the exponentially weighted mean.
func movingLevel(z, out []float64) {
	const gain = 0.2
	level := z[0]
	for _, v := range z {
		level += gain * (v - level)
	}
	for j := range out {
		out[j] = level
	}
}

// dampedTrend is Holt's method with a trend that fades.
func dampedTrend(z, out []float64) {
	const gain, trendGain, damp = 0.5, 0.1, 0.98
	level, trend := z[0], 0.0
	for _, v := range z[1:] {
		ahead := level + damp*trend
		next := ahead + gain*(v-ahead)
		trend = damp*trend + trendGain*(next-level-damp*trend)
		level = next
	}
	for j := range out {
		trend *= damp
		level += trend
		out[j] = level
	}
}

// anchored repeats the last season and adds what the newest value differs from
// a season ago by, fading by a fifth a step.
func anchored(m int) rule {
	const fade = 0.8
	return func(z, out []float64) {
		n := len(z)
		off := z[n-1] - z[n-1-m]
		for j := range out {
			off *= fade
			out[j] = z[n-m+j%m] + off
		}
	}
}

// meanOfTwo is the mean of the last two seasons at the same place, or the last
// one where the history is shorter.
func meanOfTwo(m int) rule {
	return func(z, out []float64) {
		n := len(z)
		before := 2 * m
		if n < before {
			before = m
		}
		for j := range out {
			out[j] = (z[n-m+j%m] + z[n-before+j%m]) / 2
		}
	}
}

// doubleHoltWinters is additive smoothing with a season within a season, and an
// error that fades as an autoregression of the first order.
func doubleHoltWinters(m, w int) rule {
	const gain, shortGain, longGain, fade = 0.02, 0.02, 0.3, 0.8
	return func(z, out []float64) {
		short, long := make([]float64, m), make([]float64, w)
		count := make([]float64, m)
		level := mean(z[:w])
		for i, v := range z[:w] {
			short[i%m] += v - level
			count[i%m]++
		}
		for i := range short {
			short[i] /= max(1, count[i])
		}
		for i := range long {
			long[i] = z[i] - level - short[i%m]
		}
		off := 0.0
		for i := w; i < len(z); i++ {
			s, l := &short[i%m], &long[i%w]
			off = z[i] - level - *s - *l
			level += gain * off
			*s += shortGain * off
			*l += longGain * off
		}
		off *= 1 - gain - shortGain - longGain
		for j := range out {
			off *= fade
			i := len(z) + j
			out[j] = level + short[i%m] + long[i%w] + off
		}
	}
}

// decay returns the coefficient of regression of each value on the one before
// it, around a centre, within [0, most].
func decay(r []float64, centre, most float64) float64 {
	var xx, xy float64
	for i := 1; i < len(r); i++ {
		xx += (r[i-1] - centre) * (r[i-1] - centre)
		xy += (r[i] - centre) * (r[i-1] - centre)
	}
	if xx == 0 {
		return 0
	}
	return math.Min(math.Max(xy/xx, 0), most)
}
