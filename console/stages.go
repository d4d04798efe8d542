package console

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// stages remembers which stages of starts were seen to be over, so that each is
// counted once. What was over when the process first looked is not counted: who
// looked then has counted it.
type stages struct {
	begun bool
	known map[stageKey]bool // of what is still in the fleet
}

// stageKey names a stage of the start of a node or a replica. A stage of the same
// name may come again: a node is cut anew.
type stageKey struct {
	subject string
	stage   string
	ended   time.Time
}

// lead is a stage that is over.
type lead struct {
	offering fleet.OfferingName
	stage    string
	took     time.Duration
}

// ended lists the stages that are over since the last snapshot. A replica's belong
// to the offering of its node.
func (s *stages) ended(snapshot fleet.Snapshot) []lead {
	before, begun := s.known, s.begun
	s.known, s.begun = map[stageKey]bool{}, true
	var out []lead
	see := func(subject string, offering fleet.OfferingName, over []fleet.Stage) {
		for _, stage := range over {
			key := stageKey{subject, stage.Name, stage.Ended}
			s.known[key] = true
			if begun && !before[key] {
				out = append(out, lead{offering, stage.Name, stage.Took()})
			}
		}
	}
	for _, n := range snapshot.Nodes {
		see("node "+string(n.ID), n.Offering, n.Stages)
	}
	for _, r := range snapshot.Replicas {
		if node, ok := snapshot.Node(r.Slice.GPU.Node); ok {
			see("replica "+string(r.ID), node.Offering, r.Stages)
		}
	}
	return out
}
