package control

import (
	"fmt"
	"maps"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Memory is what a decision takes from the one before, beside what it sees. It
// is part of the record.
type Memory struct {
	// Sequence numbers plans, nodes and replicas, so that a name is never used
	// for two things.
	Sequence int `json:"sequence"`
	// Peaks hold each model's need over the scale-down delay.
	Peaks map[fleet.ModelName]policy.Peaks `json:"peaks,omitempty"`
	// Blind tells since when models have been without a signal.
	Blind policy.Blindness `json:"blind"`
	// Ceilings bound what a model may need while a cap sheds, in requests a second.
	Ceilings map[fleet.ModelName]float64 `json:"ceilings,omitempty"`
	// NextConsolidation is when it is worth looking again for a node to free.
	NextConsolidation time.Time `json:"next_consolidation,omitzero"`
}

// clone copies the memory so that a decision can change its own.
func (m Memory) clone() Memory {
	m.Peaks = maps.Clone(m.Peaks)
	if m.Peaks == nil {
		m.Peaks = map[fleet.ModelName]policy.Peaks{}
	}
	m.Ceilings = maps.Clone(m.Ceilings)
	if m.Ceilings == nil {
		m.Ceilings = map[fleet.ModelName]float64{}
	}
	return m
}

// name makes the next name with a stem.
func (m *Memory) name(stem string) string {
	m.Sequence++
	return fmt.Sprintf("%s-%05d", stem, m.Sequence)
}
