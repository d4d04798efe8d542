package evaluate

import "math"

// pinball is the loss of a quantile at a level: that for each unit of too little, the
// rest for each of too much.
func pinball(level, actual, q float64) float64 {
	if actual >= q {
		return level * (actual - q)
	}
	return (1 - level) * (q - actual)
}

// symmetric is one term of sMAPE, on the scale of M4: 0 to 200.
func symmetric(actual, f float64) float64 {
	if sum := math.Abs(actual) + math.Abs(f); sum > 0 {
		return 200 * math.Abs(actual-f) / sum
	}
	return 0
}

// interval is one term of MSIS at 95 %, before it is scaled: the width, and a fine of
// 2/0.05 for what lies outside.
func interval(actual, low, high float64) float64 {
	const fine = 2 / 0.05
	return high - low + fine*max(0, low-actual) + fine*max(0, actual-high)
}

// scaleOf is the mean absolute error of the seasonal naive forecast within the
// past, or of the last value where the past is shorter than two seasons. It is NaN
// where there is no pair, and 0 where nothing changes.
func scaleOf(past []float64, season int) float64 {
	if len(past) < 2*season {
		season = 1
	}
	sum, n := 0.0, 0.0
	for i := season; i < len(past); i++ {
		if d := math.Abs(past[i] - past[i-season]); !math.IsNaN(d) {
			sum, n = sum+d, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}
