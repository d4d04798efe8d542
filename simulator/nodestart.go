package simulator

import (
	"strconv"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// NodeStart is how long the n-th node of an offering, counted from 0, takes from
// the wish for it until it is ready, in the world of a seed.
func NodeStart(seed uint64, o fleet.Offering, n int) time.Duration {
	draws := (&World{seed: seed}).stream("node/" + string(o.Name) + "/" + strconv.Itoa(n))
	return o.Lead.Node.At(draws.NormFloat64()) + o.Lead.Driver.At(draws.NormFloat64()) + o.Lead.Image.At(draws.NormFloat64())
}
