package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Memory is what a decision takes from the one before, beside what it sees. It
// is part of the record.
type Memory struct {
	// Sequence numbers nodes and replicas, so that a name is never used for two
	// things.
	Sequence int `json:"sequence"`
	// Peaks hold each model's need over the scale-down delay.
	Peaks map[fleet.ModelName]policy.Peaks `json:"peaks,omitempty"`
	// Blind tells since when models have been without a signal.
	Blind policy.Blindness `json:"blind"`
	// Ceilings bound what a model may need while a cap sheds, in requests a second.
	Ceilings map[fleet.ModelName]float64 `json:"ceilings,omitempty"`
	// Outlook is the demand that is expected, hour by hour, and Pacings tell how the caps
	// by the day and the month are spent: both only where the policy has such a cap.
	Outlook *Outlook `json:"outlook,omitempty"`
	Pacings []Pacing `json:"pacings,omitempty"`
	// ErrorBudgets tell how models stand with the misses that their targets allow.
	ErrorBudgets map[fleet.ModelName]ErrorBudget `json:"error_budgets,omitempty"`
	// UnitMeters count what the work of groups cost, where a budget is per thousand
	// units.
	UnitMeters map[fleet.GroupName]policy.UnitMeter `json:"unit_meters,omitempty"`
	// Learnt is what was seen of lead times, load times and service times.
	Learnt Learnt `json:"learnt,omitzero"`
	// Losses are what was seen of nodes that were lost.
	Losses Losses `json:"losses,omitzero"`
	// Progress is what was seen of work that ends, and of GPUs on which none does.
	Progress Progress `json:"progress,omitzero"`
	// NextConsolidation is when it is worth looking again for a node to free.
	NextConsolidation time.Time `json:"next_consolidation,omitzero"`
}

// carry copies the memory into a decision, which may change its own. Models that
// left the policy are forgotten. A memory without names goes on where the names
// in the snapshot end: a loop that begins anew meets what the one before it made.
func (m Memory) carry(p policy.Policy, s fleet.Snapshot) Memory {
	peaks, ceilings := m.Peaks, m.Ceilings
	m.Peaks, m.Ceilings = map[fleet.ModelName]policy.Peaks{}, map[fleet.ModelName]float64{}
	for _, model := range p.Models {
		if known, ok := peaks[model.Name]; ok {
			m.Peaks[model.Name] = known
		}
		if known, ok := ceilings[model.Name]; ok {
			m.Ceilings[model.Name] = known
		}
	}
	m.Sequence = max(m.Sequence, s.Sequence)
	if m.Sequence == 0 {
		for _, n := range s.Nodes {
			m.Sequence = max(m.Sequence, numberOf(string(n.ID)))
		}
		for _, r := range s.Replicas {
			m.Sequence = max(m.Sequence, numberOf(string(r.ID)))
		}
	}
	return m
}

// numberOf is the number at the end of a name made here, zero for other names.
func numberOf(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	if err != nil || n < 0 || n >= foreign {
		return 0
	}
	return n
}

// foreign is a number from which on a name was not made here: it bounds what a
// name of somebody else's can do to the sequence.
const foreign = 1_000_000_000

// name makes the next name with a stem.
func (m *Memory) name(stem string) string {
	m.Sequence++
	return fmt.Sprintf("%s-%05d", stem, m.Sequence)
}
