package explain

import (
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Step is a step of a plan, with its reason and what came of it.
type Step struct {
	Kind    fleet.StepKind `json:"kind"`
	Subject string         `json:"subject"`
	Text    string         `json:"text"`
	Reason  fleet.Reason   `json:"reason"`
	// Result is one of control's results; empty where acting broke off before.
	Result string `json:"result,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// stepOf tells a step of an entry.
func stepOf(e Entry, s fleet.Step) Step {
	out := Step{Kind: s.Kind(), Subject: s.Subject(), Text: s.Describe(), Reason: s.Because()}
	name := string(s.Kind()) + " " + s.Subject()
	for _, o := range e.Outcomes {
		if o.Step == name {
			out.Result, out.Detail = o.Result, o.Detail
		}
	}
	return out
}

// modelOf is the model whose server a step starts or stops, empty for other steps. A
// server that stops is named after its model where the reason does not say it.
func modelOf(s fleet.Step) fleet.ModelName {
	switch s := s.(type) {
	case fleet.StartReplica:
		return s.Model
	case fleet.StopReplica:
		if name, ok := s.Reason.Operand("model"); ok {
			return fleet.ModelName(name)
		}
		stem := string(s.Replica)
		return fleet.ModelName(stem[:max(0, strings.LastIndexByte(stem, '-'))])
	}
	return ""
}

// nodeOf is the node that a step is about, or on which it starts a server; empty for a
// server that stops.
func nodeOf(s fleet.Step) fleet.NodeID {
	switch s := s.(type) {
	case fleet.StartReplica:
		return s.Slice.GPU.Node
	case fleet.Reshape:
		return s.GPU.Node
	case fleet.StopReplica:
		return ""
	}
	return fleet.NodeID(s.Subject())
}

// needOf finds the need of a model.
func needOf(needs []control.Need, model fleet.ModelName) (control.Need, bool) {
	for _, n := range needs {
		if n.Model == model {
			return n, true
		}
	}
	return control.Need{}, false
}

// names tells whether a reason says an id.
func names(r fleet.Reason, id string) bool {
	return slices.ContainsFunc(r.Operands, func(o fleet.Operand) bool {
		return slices.Contains(strings.FieldsFunc(o.Value, func(c rune) bool { return strings.ContainsRune(" (),;/@", c) }), id)
	})
}
