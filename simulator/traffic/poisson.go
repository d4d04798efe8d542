package traffic

import (
	"math"
	"math/rand/v2"
)

// poisson draws from the Poisson distribution of the given mean: by multiplying
// uniforms below 10 (Knuth), above by transformed rejection (algorithm PTRS of
// W. Hoermann, "The transformed rejection method for generating Poisson random
// variables", 1993). Both are exact.
func poisson(mean float64, random *rand.Rand) float64 {
	if mean <= 0 {
		return 0
	}
	if mean < 10 {
		return poissonSmall(mean, random)
	}
	logMean := math.Log(mean)
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	logInvAlpha := math.Log(1.1239 + 1.1328/(b-3.4))
	vr := 0.9277 - 3.6224/(b-2)
	for {
		u := random.Float64() - 0.5
		v := random.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= vr {
			return k
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		lg, _ := math.Lgamma(k + 1)
		if math.Log(v)+logInvAlpha-math.Log(a/(us*us)+b) <= k*logMean-mean-lg {
			return k
		}
	}
}

func poissonSmall(mean float64, random *rand.Rand) float64 {
	limit := math.Exp(-mean)
	product := random.Float64()
	n := 0.0
	for product > limit {
		product *= random.Float64()
		n++
	}
	return n
}
