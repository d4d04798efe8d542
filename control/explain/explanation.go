package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Explanation tells one record in full.
type Explanation struct {
	Line  int          `json:"line,omitempty"` // of the journal, from 1
	Plan  fleet.PlanID `json:"plan"`
	At    time.Time    `json:"at"`
	Pace  control.Pace `json:"pace"`
	Steps []Step       `json:"steps"`
	// Candidates are the ways to meet the need that were valued, as they were recorded.
	Candidates []fleet.Candidate `json:"candidates"`
	Held       []fleet.Reason    `json:"held"`
	Money      Money             `json:"money"`
	// Lead and Keep are the times up to which needs were looked at.
	Lead   time.Time `json:"lead"`
	Keep   time.Time `json:"keep"`
	Models []Model   `json:"models"` // sorted by name
	// Replayed tells whether deciding again gives the recorded plan to the byte, and Now what it
	// gives instead.
	Replayed bool        `json:"replayed"`
	Now      *fleet.Plan `json:"replay,omitempty"`
	// WhatIf are the changes, one at a time, that would have changed the plan as it is decided
	// again, and Unmoved those that were tried and would not have.
	WhatIf  []WhatIf `json:"what_if"`
	Unmoved []string `json:"unmoved"`
}

// Explain tells a record of a journal under the settings that were in force.
func Explain(s control.Settings, record []byte) (Explanation, error) {
	return explained(s, record, focus{})
}

func explained(s control.Settings, record []byte, f focus) (Explanation, error) {
	entry, err := ReadEntry(record)
	if err != nil {
		return Explanation{}, err
	}
	var r struct {
		Inputs control.Inputs `json:"inputs"`
	}
	if err := json.Unmarshal(record, &r); err != nil {
		return Explanation{}, fmt.Errorf("read the inputs of %s: %w", entry.Plan.ID, err)
	}
	in := r.Inputs
	in.Snapshot.Sort()
	w, err := suppose(s, in, f)
	if err != nil {
		return Explanation{}, fmt.Errorf("%s: %w", entry.Plan.ID, err)
	}
	_, lead, keep := control.Horizons(s, w.base.Memory)
	e := Explanation{
		Plan: entry.Plan.ID, At: entry.Plan.At, Pace: in.Pace, Lead: in.Now.Add(lead), Keep: in.Now.Add(keep),
		Steps: []Step{}, Candidates: append([]fleet.Candidate{}, entry.Plan.Candidates...), Held: append([]fleet.Reason{}, entry.Plan.Held...),
		WhatIf: []WhatIf{}, Unmoved: []string{}, Models: []Model{},
	}
	for _, step := range entry.Plan.Steps {
		e.Steps = append(e.Steps, stepOf(entry, step))
	}
	if e.Money, err = moneyOf(s, in.Snapshot, entry.Plan); err != nil {
		return Explanation{}, err
	}
	for _, m := range s.Policy.Models {
		e.Models = append(e.Models, modelAt(s, in, entry, m, lead))
	}

	then, now, err := control.Replay(s, record)
	if err != nil {
		return Explanation{}, fmt.Errorf("%s: %w", entry.Plan.ID, err)
	}
	if e.Replayed = bytes.Equal(then, now); !e.Replayed {
		e.Now = &w.base.Plan
	}
	would, not, err := w.all()
	if err != nil {
		return Explanation{}, fmt.Errorf("%s: %w", entry.Plan.ID, err)
	}
	e.WhatIf, e.Unmoved = append(e.WhatIf, would...), append(e.Unmoved, not...)
	return e, nil
}
