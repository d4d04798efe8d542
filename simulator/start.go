package simulator

import (
	"strconv"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// NodeStart is how long the n-th node of an offering that is bought in the world of
// a seed, counted from zero, takes from being asked for to being ready: all stages,
// where no fault makes them slower.
func NodeStart(seed uint64, o fleet.Offering, n int) time.Duration {
	var sum time.Duration
	for _, stage := range nodeStages(seed, o, n) {
		sum += stage.takes
	}
	return sum
}

// stage is a part of a start with the time that it takes.
type stage struct {
	name  string
	takes time.Duration
}

// nodeStages draws the stages of the n-th node of an offering.
func nodeStages(seed uint64, o fleet.Offering, n int) [3]stage {
	draws := stream(seed, "node/"+ordinal(o.Name, n))
	return [3]stage{
		{"node", o.Lead.Node.At(draws.NormFloat64())},
		{"driver", o.Lead.Driver.At(draws.NormFloat64())},
		{"image", o.Lead.Image.At(draws.NormFloat64())},
	}
}

// ordinal names the n-th node of an offering, for what is drawn for it.
func ordinal(o fleet.OfferingName, n int) string { return string(o) + "/" + strconv.Itoa(n) }

// begun lists the stages of a start that begins at an instant, one after the other.
// A stage that takes no time is none.
func begun(at time.Time, stages ...stage) []fleet.Stage {
	out := make([]fleet.Stage, 0, len(stages))
	for _, s := range stages {
		if s.takes > 0 {
			out = append(out, fleet.Stage{Name: s.name, Began: at, Ended: at.Add(s.takes)})
		}
		at = at.Add(s.takes)
	}
	return out
}

// over copies the stages that have ended by now; nobody sees one before.
func over(stages []fleet.Stage, now time.Time) []fleet.Stage {
	var out []fleet.Stage
	for _, s := range stages {
		if !s.Ended.After(now) {
			out = append(out, s)
		}
	}
	return out
}
