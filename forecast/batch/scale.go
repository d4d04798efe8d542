package batch

import "math"

// zeroShare is what is added before the logarithm where a history touches zero,
// as a share of its mean: ratios of very small numbers are noise.
const zeroShare = 0.1

// scale is the one in which a history is modelled: logarithms of what is
// positive, the values themselves otherwise. The zero value is the latter.
type scale struct {
	ratio bool
	shift float64 // added before the logarithm
}

// scaleOf chooses the scale of a history.
func scaleOf(h *history) scale {
	if h.min < 0 || h.max <= 0 {
		return scale{}
	}
	m := mean(h.x)
	if h.min > zeroShare/100*m {
		return scale{ratio: true}
	}
	return scale{ratio: true, shift: zeroShare * m}
}

// to returns the value on the scale. It is finite for every value of the
// history and for forecasts, which are held above the shift.
func (s scale) to(v float64) float64 {
	if !s.ratio {
		return v
	}
	return math.Log(max(v+s.shift, math.SmallestNonzeroFloat64))
}

// back is the inverse of to.
func (s scale) back(v float64) float64 {
	if !s.ratio {
		return v
	}
	return math.Exp(v) - s.shift
}

// all returns a whole history on the scale.
func (s scale) all(x []float64) []float64 {
	if !s.ratio {
		return x
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = s.to(v)
	}
	return out
}

func mean(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
