package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// A sequencer finds steps from today's fleet to a target. It goes round: whatever
// can be bought, started, drained, cut and given back is, and where nothing can be,
// a replica is started elsewhere for a time, so that another can go.
type sequencer struct {
	*world

	want   map[int]*goal  // By number of node.
	cut    map[int][]bool // GPUs still to be cut, by number of node.
	spare  map[seat]bool  // Slices with a replica that is there only for a time.
	rented map[int]bool   // Nodes bought only for a time.
	detour int            // How many more there may be.
	next   int            // Number of the next node to be bought for a time.
	money  packing.Amount // What the steps may still cost.
	steps  []Step
	done   ledger
}

// seat is a slice of a node.
type seat struct{ node, gpu, at int }

// sequence answers the steps, or false if it finds none for less than the money.
// Slices on which a replica could wait for others are left free in a second attempt,
// as long as that helps.
func sequence(b *book, nodes []Node, t target, money packing.Amount) ([]Step, bool) {
	for _, patient := range []bool{false, true} {
		if steps, ok := newSequencer(b, nodes, t, money).run(nodes, t, patient); ok {
			return steps, true
		}
	}
	return nil, false
}

func newSequencer(b *book, nodes []Node, t target, money packing.Amount) *sequencer {
	s := &sequencer{world: newWorld(b, nodes), want: map[int]*goal{}, cut: map[int][]bool{}, spare: map[seat]bool{}, rented: map[int]bool{}, money: money, done: newLedger()}
	for i := range t {
		g := &t[i]
		s.want[g.number] = g
		s.next = max(s.next, g.number+1)
		s.cut[g.number] = make([]bool, len(g.gpus))
		if g.old >= 0 {
			for j := range g.gpus {
				s.cut[g.number][j] = !sameCut(slotsOf(nodes[g.old].GPUs[j]), g.gpus[j])
			}
		}
	}
	for _, m := range s.nodes {
		s.next = max(s.next, m.number+1)
		for _, slots := range m.gpus {
			s.detour += len(slots)
		}
	}
	return s
}

// run goes round until the target is reached, or nothing can be done any more. The
// patient start what takes over from others first, and the rest at the end.
func (s *sequencer) run(nodes []Node, t target, patient bool) ([]Step, bool) {
	s.await(nodes)
	for {
		before := len(s.steps)
		s.keepAndBuy(t)
		s.start(patient)
		s.drain()
		s.reshape()
		s.giveBack()
		switch {
		case s.money < 0:
			return nil, false
		case len(s.steps) > before:
		case patient && (s.finished() || !s.makeRoom()):
			patient = false
		case patient:
		case s.finished():
			return tidy(s.steps), true
		case !s.makeRoom():
			return nil, false
		}
	}
}

// await enters what is under way as the first steps.
func (s *sequencer) await(nodes []Node) {
	for _, n := range nodes {
		wait := func(gpu, at int, slot Slice) {
			s.add(Step{Do: Wait, Node: n.Number, Type: n.Type, GPU: gpu, At: at, Slice: slot.Slice, Starting: slot.State == Starting, Why: UnderWay})
		}
		if n.State == Starting {
			wait(-1, -1, Slice{})
		}
		for g, gpu := range n.GPUs {
			if gpu.Reshaping {
				wait(g, -1, Slice{})
			}
			for at, slot := range gpu.Slices {
				if slot.State != "" {
					wait(g, at, slot)
				}
			}
		}
	}
}

func (s *sequencer) add(step Step) {
	step.After = s.done.enter(step, len(s.steps))
	s.steps = append(s.steps, step)
	s.money -= step.Price
}

// blocked says whether a GPU has to be empty first, because it or its node is to be
// cut.
func (s *sequencer) blocked(m *machine, gpu int) bool {
	cut := s.cut[m.number]
	return cut != nil && (cut[gpu] || m.kind.wholeNode() && slices.Contains(cut, true))
}

// wanted is what is to be on a slice as it is cut now.
func (s *sequencer) wanted(m *machine, gpu, at int) packing.Slice {
	if g := s.want[m.number]; g != nil && !s.blocked(m, gpu) {
		return g.gpus[gpu][at]
	}
	return vacant(m.gpus[gpu][at])
}

// start starts what is wanted on slices that are free; where only moves are asked for,
// only of models with a replica that is to go.
func (s *sequencer) start(moves bool) {
	leaves := map[packing.Occupant]bool{}
	if moves {
		s.unwanted(func(_ *machine, _ seat, slot packing.Slice) {
			for _, name := range occupants(slot) {
				leaves[name] = true
			}
		})
	}
	for _, m := range s.nodes {
		for g, slots := range m.gpus {
			for at, slot := range slots {
				want := s.wanted(m, g, at)
				if slot.Empty() && !want.Empty() && (!moves || anyOf(occupants(want), leaves)) {
					s.place(m, seat{m.number, g, at}, want, s.whyStart(want))
				}
			}
		}
	}
}

func (s *sequencer) whyStart(want packing.Slice) Why {
	for _, name := range occupants(want) {
		if m, ok := s.b.models[name]; ok && s.served[name] < m.units {
			return ForNeed
		}
	}
	return ForMove
}

func (s *sequencer) place(m *machine, at seat, slot packing.Slice, why Why) {
	m.gpus[at.gpu][at.at] = slot
	s.count(m, slot, 1)
	s.add(Step{Do: Start, Node: at.node, Type: m.kind.Name, GPU: at.gpu, At: at.at, Slice: slot, Price: s.b.startPrice(m.kind.Name, slot), Why: why})
}

// drain lets replicas go that are not wanted where they are: first where something
// waits for their slice or GPU, last those that are there only for a time.
func (s *sequencer) drain() {
	rank := func(why Why) int {
		switch why {
		case ForReturn:
			return 1
		case ForDetour:
			return 2
		}
		return 0
	}
	for turn := range 3 {
		s.unwanted(func(m *machine, at seat, slot packing.Slice) {
			if why := s.whyDrain(m, at); rank(why) == turn {
				if ok, _, _ := s.maySpare(m, slot); ok {
					s.release(m, at, slot, why)
				}
			}
		})
	}
}

// release drains a replica.
func (s *sequencer) release(m *machine, at seat, slot packing.Slice, why Why) {
	m.gpus[at.gpu][at.at] = vacant(slot)
	s.count(m, slot, -1)
	delete(s.spare, at)
	s.add(Step{Do: Drain, Node: at.node, Type: m.kind.Name, GPU: at.gpu, At: at.at, Slice: slot, Price: s.b.drainPrice(m.kind.Name, slot), Why: why})
}

// unwanted calls with every replica that is not wanted where it is.
func (s *sequencer) unwanted(call func(m *machine, at seat, slot packing.Slice)) {
	for _, m := range s.nodes {
		for g, slots := range m.gpus {
			for at, slot := range slots {
				if !slot.Empty() && !same(slot, s.wanted(m, g, at)) {
					call(m, seat{m.number, g, at}, slot)
				}
			}
		}
	}
}

func (s *sequencer) whyDrain(m *machine, at seat) Why {
	switch {
	case s.spare[at]:
		return ForDetour
	case s.want[m.number] == nil:
		return ForReturn
	case s.blocked(m, at.gpu):
		return ForReshape
	}
	return ForRoom
}

// finished says whether the target is reached. Whatever could be started has been.
func (s *sequencer) finished() bool {
	left := len(s.want) != len(s.nodes)
	for _, m := range s.nodes {
		left = left || s.want[m.number] == nil || slices.Contains(s.cut[m.number], true)
	}
	s.unwanted(func(*machine, seat, packing.Slice) { left = true })
	return !left
}
