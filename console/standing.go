package console

import (
	"slices"
	"strings"
	"time"
)

// StandBy shows that another process leads, and who, where that is known. No tick
// is due here until Lead: what an earlier term showed is taken away, because it is
// no longer kept up, and the service is ready when its world is.
func (b *Board) StandBy(leader string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pulse.standby && b.pulse.leader == leader {
		return
	}
	b.revision++
	b.pulse.leads, b.pulse.standby, b.pulse.leader, b.pulse.failure = false, true, leader, ""
	b.state, b.stages = nil, stages{}
}

// Lead shows that this process decides, from its next tick on.
func (b *Board) Lead() {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.pulse.leads, b.pulse.standby, b.pulse.leader, b.pulse.beaten = true, false, "", now
}

// Expect says how often a tick is due, in wall-clock time: what the probes allow is
// never less than three of them, because a slow pace is no standstill.
func (b *Board) Expect(every time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pulse.every = every
}

// Beat shows that the service is alive while no tick is due: in standby, or before
// the world can be reached.
func (b *Board) Beat() {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pulse.beaten = now
}

// SetCheck shows whether a condition of the world holds, under a name such as
// "cluster": it does without troubles, and otherwise each is a sentence that says
// what is wrong, where, and how to mend it. The service is ready while all hold.
func (b *Board) SetCheck(name string, troubles ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := check{Name: name, OK: len(troubles) == 0, Detail: strings.Join(troubles, "; "), World: true}
	if len(troubles) > 1 {
		c.Items = slices.Clone(troubles)
	}
	i := slices.IndexFunc(b.checks, func(x check) bool { return x.Name == name })
	if i >= 0 && b.checks[i].OK == c.OK && b.checks[i].Detail == c.Detail {
		return
	}
	b.revision++
	b.checks = slices.Clone(b.checks) // readers hold the old one
	if i < 0 {
		b.checks = append(b.checks, c)
		return
	}
	b.checks[i] = c
}
