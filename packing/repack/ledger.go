package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// A ledger remembers what each step has touched, so that a later one can say what it
// has to come after.
type ledger struct {
	ready map[int][]int              // Steps since which a node takes replicas.
	cut   map[seat]int               // The last cut of a GPU.
	left  map[seat]int               // The last departure from a slice.
	gpu   map[seat][]int             // Everything done on a GPU.
	node  map[int][]int              // Everything done on a node.
	start map[int][]int              // Replicas started on a node.
	model map[packing.Occupant][]int // Replicas started of a model.
	back  map[string][]int           // Nodes given back, by type.
}

func newLedger() ledger {
	return ledger{
		ready: map[int][]int{}, cut: map[seat]int{}, left: map[seat]int{}, gpu: map[seat][]int{}, node: map[int][]int{},
		start: map[int][]int{}, model: map[packing.Occupant][]int{}, back: map[string][]int{},
	}
}

// enter answers what a step has to come after, ascending, and notes what it does.
func (l *ledger) enter(s Step, step int) []int {
	after := l.before(s)
	slices.Sort(after)
	l.note(s, step)
	return slices.Compact(after)
}

// before lists what a step has to come after. A replica goes only after all its
// model's replicas that the plan starts before, because any of them may be what lets
// it go.
func (l *ledger) before(s Step) []int {
	gpu, at := seat{s.Node, s.GPU, -1}, seat{s.Node, s.GPU, s.At}
	switch s.Do {
	case Wait:
		if s.At >= 0 {
			return slices.Concat(l.ready[s.Node], find(l.cut, gpu))
		}
	case Buy:
		return slices.Clone(l.back[s.Type])
	case Start:
		return slices.Concat(l.ready[s.Node], find(l.cut, gpu), find(l.left, at))
	case Drain:
		var after []int
		for _, name := range occupants(s.Slice) {
			after = append(after, l.model[name]...)
		}
		return after
	case Reshape:
		if s.GPU < 0 {
			return slices.Clone(l.node[s.Node])
		}
		return slices.Concat(l.ready[s.Node], l.gpu[gpu])
	case DrainNode:
		return slices.Concat(l.ready[s.Node], l.start[s.Node])
	case GiveBack:
		return slices.Clone(l.node[s.Node])
	}
	return nil
}

func (l *ledger) note(s Step, step int) {
	gpu, at := seat{s.Node, s.GPU, -1}, seat{s.Node, s.GPU, s.At}
	l.node[s.Node] = append(l.node[s.Node], step)
	l.gpu[gpu] = append(l.gpu[gpu], step)
	switch {
	case s.Do == Keep, s.Do == Buy, s.GPU < 0 && (s.Do == Wait || s.Do == Reshape):
		l.ready[s.Node] = append(l.ready[s.Node], step)
	case s.Do == Wait && s.At < 0:
		l.cut[gpu] = step
	case s.Do == Wait && s.Starting:
		l.started(s, step)
	case s.Do == Drain, s.Do == Wait:
		l.left[at] = step
	case s.Do == Start:
		l.started(s, step)
	case s.Do == GiveBack:
		l.back[s.Type] = append(l.back[s.Type], step)
	}
	for _, c := range s.Cuts {
		l.cut[seat{s.Node, c.GPU, -1}] = step
	}
}

func (l *ledger) started(s Step, step int) {
	l.start[s.Node] = append(l.start[s.Node], step)
	for _, name := range occupants(s.Slice) {
		l.model[name] = append(l.model[name], step)
	}
}

func find(m map[seat]int, at seat) []int {
	if i, ok := m[at]; ok {
		return []int{i}
	}
	return nil
}

// tidy leaves out the waits for which no step has to wait.
func tidy(steps []Step) []Step {
	awaited := make([]bool, len(steps))
	for i, s := range slices.Backward(steps) {
		for _, j := range s.After {
			awaited[j] = awaited[j] || s.Do != Wait || awaited[i]
		}
	}
	index := make([]int, len(steps))
	var out []Step
	for i, s := range steps {
		if s.Do == Wait && !awaited[i] {
			continue
		}
		index[i] = len(out)
		for j := range s.After {
			s.After[j] = index[s.After[j]]
		}
		out = append(out, s)
	}
	return out
}
