package console

import (
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// logLength is how many decisions are kept.
const logLength = 200

// entry is a decision of the log: a plan with its reasons, or several plans in a
// row that held the same things back for the same reasons.
type entry struct {
	Plan       fleet.PlanID      `json:"plan"`
	At         time.Time         `json:"at"`
	Until      time.Time         `json:"until"` // of the last plan; At when there was only one
	Times      int               `json:"times"`
	Mode       string            `json:"mode"`
	Headline   string            `json:"headline"`
	Steps      []loggedStep      `json:"steps,omitempty"`
	Held       []loggedReason    `json:"held,omitempty"`
	Candidates []fleet.Candidate `json:"candidates,omitempty"`
}

// loggedStep is a step of a plan with its reason and what became of it.
type loggedStep struct {
	Kind   fleet.StepKind   `json:"kind"`
	What   string           `json:"what"`
	Code   fleet.ReasonCode `json:"reason"`
	Why    string           `json:"because"`
	Result string           `json:"result,omitempty"` // done, dropped, refused or withheld; empty when it was not tried
	Detail string           `json:"detail,omitempty"`
}

// loggedReason is something that was held back.
type loggedReason struct {
	Code fleet.ReasonCode `json:"reason"`
	Text string           `json:"text"`
}

// decisionLog keeps the last plans that did something or held something back,
// oldest first. An entry that was added is never written to again: the list grows
// behind it or is copied, so a copy of the log may be read while it grows.
type decisionLog struct {
	entries []entry
	topic   string // of the newest entry when it only held things back
}

// add logs a plan unless it had nothing to say.
func (l *decisionLog) add(s State) {
	plan := s.Record.Plan
	if len(plan.Steps) == 0 && len(plan.Held) == 0 {
		return
	}
	e := logged(s)
	topic := topicOf(plan)
	if n := len(l.entries); n > 0 && topic != "" && topic == l.topic {
		last := l.entries[n-1]
		e.Plan, e.At, e.Times = last.Plan, last.At, last.Times+1
		l.entries = append(slices.Clone(l.entries[:n-1]), e)
		return
	}
	l.topic = topic
	l.entries = append(l.entries, e)
	if extra := len(l.entries) - logLength; extra > 0 {
		l.entries = slices.Clone(l.entries[extra:])
	}
}

// newest lists the last entries, at most so many, newest first.
func (l decisionLog) newest(most int) []entry {
	out := slices.Clone(l.entries[max(0, len(l.entries)-most):])
	slices.Reverse(out)
	return out
}

// logged is the entry of one plan.
func logged(s State) entry {
	plan := s.Record.Plan
	e := entry{
		Plan: plan.ID, At: plan.At, Until: plan.At, Times: 1, Mode: s.Mode,
		Headline: plan.Headline(), Candidates: plan.Candidates,
	}
	if e.At.IsZero() {
		e.At, e.Until = s.Record.Inputs.Now, s.Record.Inputs.Now
	}
	outcomes := map[string]control.Outcome{}
	for _, o := range s.Record.Outcomes {
		outcomes[o.Step] = o
	}
	for _, step := range plan.Steps {
		o := outcomes[string(step.Kind())+" "+step.Subject()]
		because := step.Because()
		e.Steps = append(e.Steps, loggedStep{
			Kind: step.Kind(), What: step.Describe(), Code: because.Code, Why: because.String(),
			Result: o.Result, Detail: o.Detail,
		})
	}
	for _, r := range plan.Held {
		e.Held = append(e.Held, loggedReason{Code: r.Code, Text: r.String()})
	}
	return e
}

// topicOf names what a plan without steps held back: its rules and what they are
// about, without the times and amounts that change from tick to tick. It is empty
// for a plan with steps, which always has an entry of its own.
func topicOf(p fleet.Plan) string {
	if len(p.Steps) > 0 {
		return ""
	}
	var parts []string
	for _, r := range p.Held {
		parts = append(parts, string(r.Code))
		for _, o := range r.Operands {
			switch o.Name {
			case "subject", "model", "node", "signal":
				parts = append(parts, o.Name, o.Value)
			}
		}
	}
	return strings.Join(parts, "\x00")
}
