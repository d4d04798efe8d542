package main

import "math"

// naive2 is the yardstick of the competition: the last value of the series without
// its season, where a test at 90 % finds one, and then with the season again. The
// season is multiplicative, from a centred moving average.
func naive2(x []float64) []m4Point {
	index := make([]float64, m4Season)
	for i := range index {
		index[i] = 1
	}
	if seasonal(x) {
		index = indices(x)
	}
	last := x[len(x)-1] / index[(len(x)-1)%m4Season]
	out := make([]m4Point, m4Horizon)
	for h := range out {
		v := last * index[(len(x)+h)%m4Season]
		out[h] = m4Point{v, v, v}
	}
	return out
}

// seasonal tests the autocorrelation at a season against its limit.
func seasonal(x []float64) bool {
	if len(x) < 3*m4Season {
		return false
	}
	limit := 1.0
	for k := 1; k < m4Season; k++ {
		r := autocorrelation(x, k)
		limit += 2 * r * r
	}
	return math.Abs(autocorrelation(x, m4Season)) > 1.645*math.Sqrt(limit/float64(len(x)))
}

func autocorrelation(x []float64, lag int) float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	both, own := 0.0, 0.0
	for i, v := range x {
		own += (v - mean) * (v - mean)
		if i >= lag {
			both += (v - mean) * (x[i-lag] - mean)
		}
	}
	if own == 0 {
		return 0
	}
	return both / own
}

// indices are the factors of the hours of the season, with a mean of one.
func indices(x []float64) []float64 {
	const half = m4Season / 2
	sums, counts := make([]float64, m4Season), make([]float64, m4Season)
	for i := half; i+half < len(x); i++ {
		trend := (x[i-half] + x[i+half]) / 2
		for j := i - half + 1; j < i+half; j++ {
			trend += x[j]
		}
		if trend /= m4Season; trend != 0 {
			sums[i%m4Season] += x[i] / trend
			counts[i%m4Season]++
		}
	}
	mean := 0.0
	for i := range sums {
		sums[i] /= max(counts[i], 1)
		mean += sums[i] / m4Season
	}
	for i := range sums {
		if sums[i] /= mean; sums[i] == 0 {
			sums[i] = 1 // nothing can be divided by it
		}
	}
	return sums
}
