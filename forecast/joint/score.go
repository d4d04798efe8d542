package joint

import (
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// levels and normals are the quantile levels of every forecast and the standard
// normal quantiles at these levels.
var (
	levels  = forecast.Levels()
	normals = func() []float64 {
		z := make([]float64, len(levels))
		for i, p := range levels {
			z[i] = math.Sqrt2 * math.Erfinv(2*p-1)
		}
		return z
	}()
)

// beyond is the score of what lies outside of all quantiles: about the mean of a
// standard normal that is known to exceed the outermost level.
const beyond = 2.9

// score returns the normal score of an outcome among the quantiles of its
// forecast: 0 at the median, 1.28 at the 0.9 quantile. Where several quantiles are
// equal to the outcome, as with counts near zero, it is their mean, so that ties
// say nothing of a dependence.
func score(quantiles []float64, outcome float64) float64 {
	lo, exact := slices.BinarySearch(quantiles, outcome)
	if exact {
		hi := lo
		for hi+1 < len(quantiles) && quantiles[hi+1] == outcome {
			hi++
		}
		return (normals[lo] + normals[hi]) / 2
	}
	switch lo {
	case 0:
		return -beyond
	case len(quantiles):
		return beyond
	}
	share := (outcome - quantiles[lo-1]) / (quantiles[lo] - quantiles[lo-1])
	return normals[lo-1] + share*(normals[lo]-normals[lo-1])
}

// valueAt returns the quantile at a level, linear between the forecast's levels and
// never outside of them.
func valueAt(quantiles []float64, level float64) float64 {
	i, exact := slices.BinarySearch(levels, level)
	switch {
	case exact:
		return quantiles[i]
	case i == 0:
		return quantiles[0]
	case i == len(levels):
		return quantiles[i-1]
	}
	lo, hi := quantiles[i-1], quantiles[i]
	return min(max(lo+(hi-lo)*(level-levels[i-1])/(levels[i]-levels[i-1]), lo), hi)
}
