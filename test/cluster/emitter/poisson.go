package emitter

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// poisson draws from the Poisson distribution of a finite mean: the sum of
// independent draws of small mean, each by multiplying uniforms (Knuth).
func poisson(mean float64, random *rand.Rand) int {
	const most = 16 // far from where exp(-mean) loses digits
	n := 0
	for ; mean > 0; mean -= most {
		limit := math.Exp(-min(mean, most))
		for product := random.Float64(); product > limit; product *= random.Float64() {
			n++
		}
	}
	return n
}

// newRandom is the source of one model: it does not depend on which others there are.
func newRandom(seed uint64, model string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(model))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
