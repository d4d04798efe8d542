package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// act is a kind of thing that a plan does, without the names that it makes up: a node of an
// offering that is bought, a node that goes or stays, a model whose server starts or
// stops.
type act struct {
	kind fleet.StepKind
	what string
}

// acts count what a plan does.
type acts map[act]int

// focus is what somebody looks at in a plan: one kind of step, of one model where it is
// about servers. Without a kind it is what the plan is mostly about.
type focus struct {
	kind  fleet.StepKind
	model fleet.ModelName
}

// onNodes tells whether a kind of step is about a node.
func onNodes(k fleet.StepKind) bool {
	switch k {
	case fleet.KindBuyNode, fleet.KindDrainNode, fleet.KindKeepNode, fleet.KindReturnNode:
		return true
	}
	return false
}

// looks returns which acts are looked at: those on nodes where the plan has one or does
// nothing at all, else those on servers. A fast tick never touches a node.
func (f focus) looks(p fleet.Plan, pace control.Pace) func(act) bool {
	nodes := slices.ContainsFunc(p.Steps, func(s fleet.Step) bool { return onNodes(s.Kind()) })
	switch {
	case f.model != "" && (f.kind == fleet.KindStartReplica || f.kind == fleet.KindStopReplica):
		return func(a act) bool { return a.kind == f.kind && a.what == string(f.model) }
	case nodes, len(p.Steps) == 0 && pace == control.Planning:
		return func(a act) bool { return onNodes(a.kind) }
	}
	return func(a act) bool { return !onNodes(a.kind) }
}

// actsOf counts the acts of a plan that are looked at.
func actsOf(p fleet.Plan, s fleet.Snapshot, look func(act) bool) acts {
	out := acts{}
	for _, step := range p.Steps {
		a := act{step.Kind(), step.Subject()}
		switch step := step.(type) {
		case fleet.BuyNode:
			a.what = string(step.Offering)
		case fleet.StartReplica:
			a.what = string(step.Model)
		case fleet.StopReplica:
			a.what = string(modelOf(step))
			if r, ok := s.Replica(step.Replica); ok {
				a.what = string(r.Model)
			}
		}
		if look(a) {
			out[a]++
		}
	}
	return out
}

// of counts the acts of a kind.
func (a acts) of(kind fleet.StepKind) int {
	n := 0
	for what, count := range a {
		if what.kind == kind {
			n += count
		}
	}
	return n
}

// apart says in words what would have been done in place of a, empty where nothing
// differs.
func (a acts) apart(other acts) string {
	var keys []act
	for k := range a {
		keys = append(keys, k)
	}
	for k := range other {
		if _, there := a[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y act) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.what, y.what))
	})
	var texts []string
	if a.of(fleet.KindBuyNode) > 0 && other.of(fleet.KindBuyNode) == 0 {
		texts = append(texts, "nothing would have been bought")
		keys = slices.DeleteFunc(keys, func(k act) bool { return k.kind == fleet.KindBuyNode })
	}
	for _, k := range keys {
		if a[k] != other[k] {
			texts = append(texts, k.instead(a[k], other[k]))
		}
	}
	return strings.Join(texts, ", ")
}

// instead says that an act would have been done other times.
func (k act) instead(times, other int) string {
	switch k.kind {
	case fleet.KindBuyNode:
		return counted(other, times, "× "+k.what, "bought")
	case fleet.KindStartReplica:
		return counted(other, times, serversOf(other, k.what), "started")
	case fleet.KindStopReplica:
		return counted(other, times, serversOf(other, k.what), "stopped")
	}
	verb := map[fleet.StepKind]string{
		fleet.KindDrainNode: "drained", fleet.KindReturnNode: "given back",
		fleet.KindKeepNode: "taken back from its drain", fleet.KindReshape: "cut anew",
	}[k.kind]
	if other == 0 {
		return fmt.Sprintf("%s would not have been %s", k.what, verb)
	}
	return fmt.Sprintf("%s would have been %s", k.what, verb)
}

func serversOf(n int, model string) string {
	if n > 1 {
		return "servers of " + model
	}
	return "server of " + model
}

func counted(n, instead int, what, verb string) string {
	text := fmt.Sprintf("%d %s would have been %s", n, what, verb)
	if n == 0 {
		text = fmt.Sprintf("no %s would have been %s", strings.TrimPrefix(what, "× "), verb)
	}
	if n > 0 && instead > 0 {
		text += fmt.Sprintf(" instead of %d", instead)
	}
	return text
}
