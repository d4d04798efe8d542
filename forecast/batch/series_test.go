package batch

import (
	"math"
	"math/rand/v2"
)

// wave returns a positive series with two seasons and noise.
func wave(n, short, long int) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, n)
	for i := range x {
		a := 2 * math.Pi * float64(i) / float64(short)
		b := 2 * math.Pi * float64(i) / float64(long)
		x[i] = 100 * math.Exp(0.8*math.Sin(a)+0.3*math.Sin(b)+0.05*rng.NormFloat64())
	}
	return x
}
