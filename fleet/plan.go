package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Candidate is one way to meet a need that was valued, chosen or not.
type Candidate struct {
	Name    string `json:"name"`    // "mixed", "dedicated", "wait", or an offering
	Layout  string `json:"layout"`  // what would be bought, for people
	Price   Rate   `json:"price"`   // of the capacity it adds
	Unmet   string `json:"unmet"`   // what it leaves unserved, empty when nothing
	Chosen  bool   `json:"chosen"`  //
	Verdict string `json:"verdict"` // why it won or lost, with the number
}

// Plan is what a tick decided: ordered steps with reasons, what was held back
// and why, and the candidates that were valued.
type Plan struct {
	ID         PlanID      `json:"id"`
	At         time.Time   `json:"at"`
	Steps      []Step      `json:"-"`
	Held       []Reason    `json:"held,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
}

// MarshalJSON writes each step with its kind beside it.
func (p Plan) MarshalJSON() ([]byte, error) {
	type tagged struct {
		Kind StepKind `json:"kind"`
		Step Step     `json:"step"`
	}
	type plain Plan
	steps := make([]tagged, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = tagged{s.Kind(), s}
	}
	return json.Marshal(struct {
		plain
		Steps []tagged `json:"steps"`
	}{plain(p), steps})
}

// Headline is the plan in one line.
func (p Plan) Headline() string {
	if len(p.Steps) == 0 {
		if len(p.Held) > 0 {
			return p.Held[0].String()
		}
		return "nothing to do"
	}
	text := fmt.Sprintf("%s because %s", p.Steps[0].Describe(), p.Steps[0].Because())
	if more := len(p.Steps) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Describe prints the plan for people: each step with its reason, what was held
// back, and the candidates.
func (p Plan) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s at %s\n", p.ID, p.At.UTC().Format(time.RFC3339))
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "  %s\n    because %s\n", s.Describe(), s.Because())
	}
	for _, r := range p.Held {
		fmt.Fprintf(&b, "  held: %s\n", r)
	}
	for _, c := range p.Candidates {
		mark := " "
		if c.Chosen {
			mark = "*"
		}
		fmt.Fprintf(&b, "  %s %-12s %s: %s, %s\n", mark, c.Name, c.Price.Describe(), c.Layout, c.Verdict)
	}
	return b.String()
}
