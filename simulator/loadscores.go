package simulator

import "github.com/tessera-autoscaler/tessera/fleet"

// LoadScores are the standard normal scores of the first n loads of a model's
// weights that begin in the world of a seed, in their order. Which load a replica
// gets depends on when it begins; what it takes is [fleet.Delay.At] of the score, where
// no fault makes it slower. A server that crashed loads anew, and takes the next.
func LoadScores(seed uint64, model fleet.ModelName, n int) []float64 {
	draws := (&World{seed: seed}).stream("model/" + string(model))
	out := make([]float64, n)
	for i := range out {
		out[i] = draws.NormFloat64()
	}
	return out
}
