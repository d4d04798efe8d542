package gpu

import (
	"errors"
	"time"
)

// machine is what is true of one node's GPUs, and what its mig-manager is doing. It is
// a function of what it is told; the operator shows it on the node.
type machine struct {
	part    Part
	step    step
	until   time.Time // When the step ends by itself.
	config  string    // The configuration acted upon last.
	state   string    // The label nvidia.com/mig.config.state.
	layout  layout    // How the GPUs are cut.
	target  layout    // How they shall be cut when the change ends.
	present bool      // Whether the device plugin reports them.
}

// step is what a mig-manager waits for.
type step int

const (
	booting  step = iota // The driver and the device plugin.
	serving              // Another value of the label.
	waiting              // The pods that hold GPUs.
	applying             // The driver, which cuts the GPUs.
	hanging              // Nothing any more; only another value of the label helps.
)

// The states of the label.
const (
	StatePending = "pending"
	StateSuccess = "success"
	StateFailed  = "failed"
)

// surroundings is what a machine can see and ask.
type surroundings struct {
	wanted  string // The value of the label nvidia.com/mig.config.
	clients int    // Pods on the node that hold GPUs.

	apply    time.Duration // How long the driver takes to cut GPUs.
	patience time.Duration // How long a change waits for pods that hold them.

	resolve func(config string, part Part, now layout) (layout, error)
	fault   func() Fault // Asked once for each change.
}

// newMachine is a node that is ready now and whose driver runs after a time.
func newMachine(p Part, driver time.Duration, now time.Time) *machine {
	return &machine{part: p, step: booting, until: now.Add(driver), config: AllDisabled, layout: whole(p.Count)}
}

// paused says whether the plugins have been sent away for a change.
func (m *machine) paused() bool {
	return m.step == waiting || m.step == applying || m.step == hanging
}

// reported is the layout that the device plugin reports, empty while it is not there.
func (m *machine) reported() layout {
	if m.step != serving || !m.present {
		return nil
	}
	return m.layout
}

// advance does what is due.
func (m *machine) advance(now time.Time, s surroundings) {
	due := !now.Before(m.until)
	switch {
	case m.step == booting && due:
		m.boot(now, s)
	case (m.step == serving || m.step == hanging) && s.wanted != "" && s.wanted != m.config:
		m.change(now, s)
	case m.step == waiting && s.clients == 0:
		m.step, m.until = applying, now.Add(s.apply)
	case m.step == waiting && due:
		m.step = hanging
	case m.step == applying && due:
		m.finish(s.fault())
	}
}

// boot ends the wait for the driver: a node that is born with a configuration is cut
// before its GPUs are ever reported.
func (m *machine) boot(now time.Time, s surroundings) {
	m.step, m.state, m.present = serving, StateSuccess, true
	if s.wanted != "" && s.wanted != m.config {
		m.change(now, s)
	}
}

// change begins to cut the GPUs as the label asks. While the configurations cannot be
// read it changes nothing, so that it is tried again.
func (m *machine) change(now time.Time, s surroundings) {
	target, err := s.resolve(s.wanted, m.part, m.layout)
	if errors.Is(err, errNotNow) {
		return
	}
	m.config = s.wanted
	switch {
	case err != nil:
		m.step, m.state = serving, StateFailed
	case target.equal(m.layout):
		m.step, m.state = serving, StateSuccess
	default:
		m.target, m.state = target, StatePending
		m.step, m.until = waiting, now.Add(s.patience)
	}
}

// finish ends a change, well or as a fault has it.
func (m *machine) finish(f Fault) {
	if f == Stuck {
		m.step = hanging
		return
	}
	m.step, m.state, m.present = serving, StateSuccess, f != SuccessWithoutDevices
	switch {
	case f == Fails:
		m.state = StateFailed
	case !m.target.legal(m.part.Type):
		m.state, m.layout = StateFailed, m.target.cleared()
	default:
		m.layout = m.target
	}
}
