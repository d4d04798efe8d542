package explain

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Kind is what a question is about, or what its answer turned out to be about.
type Kind string

// The kinds.
const (
	Plans   Kind = "plans" // all that did something
	APlan   Kind = "plan"
	ATime   Kind = "time"
	ANode   Kind = "node"
	AServer Kind = "replica"
	AModel  Kind = "model"
	aName   Kind = "name" // of a node, a replica or a model: the record tells which
)

// Question is what somebody wants to know of a journal.
type Question struct {
	ID   string
	Last int // so many decisions of a list are told, the newest; at least 1
	kind Kind
	at   time.Time
}

// planName is how a plan is called; its digits are its time in UTC.
var planName = regexp.MustCompile(`^plan-\d{8}T\d{6}Z$`)

// Ask makes a question of an id: none for all plans that did something, the id of a plan, a time
// in RFC 3339, or the name of a node, a replica or a model.
func Ask(id string, last int) Question {
	q := Question{ID: id, Last: max(1, last), kind: aName}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(id)); err == nil {
		q.kind, q.at = ATime, at
	}
	switch {
	case id == "":
		q.kind = Plans
	case planName.MatchString(id):
		q.kind = APlan
	}
	return q
}

// Event is a decision in short.
type Event struct {
	Line int            `json:"line"` // of the journal, from 1
	Plan fleet.PlanID   `json:"plan"`
	At   time.Time      `json:"at"`
	All  int            `json:"steps_of_plan"`
	Text string         `json:"text,omitempty"` // the plan in one line, where all plans were asked for
	Need *float64       `json:"need,omitempty"` // of a model, until new capacity could serve, a second
	Have *float64       `json:"have,omitempty"`
	Done []Step         `json:"steps,omitempty"` // that are about what was asked for
	Held []fleet.Reason `json:"held,omitempty"`  // likewise; once while it is the same
}

// Answer is what a journal tells of a question.
type Answer struct {
	Kind   Kind    `json:"kind"`
	ID     string  `json:"id,omitempty"`
	Note   string  `json:"note,omitempty"`
	Total  int     `json:"decisions"`        // that are about it, of which the newest are in Events
	Events []Event `json:"events,omitempty"` // in order of time
	// Explanation is of the plan that was asked for: the one with that id, the one in force at
	// that time, the one that bought that node, or the last that touched that replica.
	Explanation *Explanation `json:"explanation,omitempty"`
}

// UnknownError says that a journal knows nothing of an id.
type UnknownError struct {
	ID    string
	Near  []string // plans around the one that was asked for
	Known []string // names that the journal knows, sorted
	Cause string   // what it holds instead
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("the record knows no %q; %s", e.ID, e.Cause)
}
