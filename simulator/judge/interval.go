package judge

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the share of intervals that are to hold the true mean.
const confidence = 0.95

// Estimate is a mean over runs that differ by their seed alone.
type Estimate struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	// Half is half the width of the 95 % confidence interval of the mean after
	// Student, absent where there is one run only.
	Half *float64 `json:"half,omitempty"`
}

// EstimateOf estimates from values; there is none of no values.
func EstimateOf(values []float64) *Estimate {
	n := float64(len(values))
	if n == 0 {
		return nil
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	e := &Estimate{N: len(values), Mean: sum / n}
	if len(values) < 2 {
		return e
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - e.Mean) * (v - e.Mean)
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile((1 + confidence) / 2)
	e.Half = new(t * math.Sqrt(squares/(n-1)/n))
	return e
}
