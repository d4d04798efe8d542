package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Entry is a record without the inputs, which are nine tenths of it.
type Entry struct {
	Needs    []control.Need
	Plan     fleet.Plan
	Outcomes []control.Outcome
}

// line is one line of a journal: settings that come into force, or a record.
type line struct {
	settings *control.Settings
	entry    Entry
}

// ReadEntry decodes a record as a journal holds it, but for its inputs.
func ReadEntry(record []byte) (Entry, error) {
	l, err := readLine(record)
	if err == nil && l.settings != nil {
		err = errors.New("these are settings and no record")
	}
	return l.entry, err
}

// behindInputs is what follows the inputs of a record. No value within them is a list
// under this key, and quotes within a string are escaped, so that it stands there once.
var behindInputs = []byte(`},"needs":[`)

// readLine decodes a line. The inputs are passed over unread where the line has the shape in
// which it is written, which makes a long journal several times as quick to search.
func readLine(text []byte) (line, error) {
	if i := bytes.Index(text, behindInputs); i > 0 && bytes.HasPrefix(text, []byte(`{"inputs":{`)) {
		text = append([]byte{'{'}, text[i+2:]...)
	}
	var l struct {
		Settings *control.Settings `json:"settings"`
		Needs    []control.Need    `json:"needs"`
		Plan     *recordedPlan     `json:"plan"`
		Outcomes []control.Outcome `json:"outcomes"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return line{}, fmt.Errorf("this is no line of a record: %w", err)
	}
	switch {
	case l.Settings != nil:
		return line{settings: l.Settings}, nil
	case l.Plan == nil:
		return line{}, errors.New("this is no line of a record: it holds neither settings nor a plan; give a file that --record wrote")
	}
	plan, err := l.Plan.read()
	return line{entry: Entry{Needs: l.Needs, Plan: plan, Outcomes: l.Outcomes}}, err
}

// recordedPlan is a plan as it is written: each step beside its kind.
type recordedPlan struct {
	ID         fleet.PlanID      `json:"id"`
	At         time.Time         `json:"at"`
	Held       []fleet.Reason    `json:"held"`
	Candidates []fleet.Candidate `json:"candidates"`
	Steps      []struct {
		Kind fleet.StepKind  `json:"kind"`
		Step json.RawMessage `json:"step"`
	} `json:"steps"`
}

func (r recordedPlan) read() (fleet.Plan, error) {
	plan := fleet.Plan{ID: r.ID, At: r.At, Held: r.Held, Candidates: r.Candidates}
	for _, s := range r.Steps {
		read, known := readers[s.Kind]
		if !known {
			return fleet.Plan{}, fmt.Errorf("%s has a step of kind %q, which this version does not know: explain it with the version that wrote it", r.ID, s.Kind)
		}
		step, err := read(s.Step)
		if err != nil {
			return fleet.Plan{}, fmt.Errorf("%s: read a %s: %w", r.ID, s.Kind, err)
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan, nil
}

// readers decode the kinds of step.
var readers = map[fleet.StepKind]func([]byte) (fleet.Step, error){
	fleet.KindBuyNode:      read[fleet.BuyNode],
	fleet.KindReshape:      read[fleet.Reshape],
	fleet.KindStartReplica: read[fleet.StartReplica],
	fleet.KindStopReplica:  read[fleet.StopReplica],
	fleet.KindDrainNode:    read[fleet.DrainNode],
	fleet.KindKeepNode:     read[fleet.KeepNode],
	fleet.KindReturnNode:   read[fleet.ReturnNode],
}

func read[S fleet.Step](data []byte) (fleet.Step, error) {
	var s S
	err := json.Unmarshal(data, &s)
	return s, err
}
