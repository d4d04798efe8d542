package console

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Board takes what the ticks produced and serves readers. It is safe for
// concurrent use.
type Board struct {
	gatherer prometheus.Gatherer
	build    Build
	counts   *counts
	clock    func() time.Time // wall clock; tests put their own here

	mu       sync.RWMutex
	state    *State // nil before the first tick, and while another process leads
	revision uint64 // changes with everything a reader can see
	pulse    pulse
	checks   []check // of the world, in the order in which they were first set
	stages   stages
	past     history
	log      decisionLog
	spent    meter
}

// pulse is what the probes go by, in wall-clock time.
type pulse struct {
	born      time.Time
	attempted time.Time     // the last tick, good or bad
	beaten    time.Time     // the last sign of life while no tick was due
	succeeded time.Time     // the last good tick
	every     time.Duration // between two ticks; zero while nobody said
	failure   string        // of the last tick, empty when it was good
	withdrawn string        // why the service asks for no more traffic, empty when it does
	leads     bool          // this process decides
	standby   bool          // another process leads
	leader    string        // who, where that is known
}

// NewBoard makes an empty board and registers the metrics with reg. It panics
// when reg already holds metrics of these names, which is a mistake in wiring.
func NewBoard(reg *prometheus.Registry, build Build) *Board {
	b := &Board{gatherer: reg, build: build, counts: newCounts(), clock: time.Now}
	b.pulse.born = b.clock()
	reg.MustRegister(b.counts.decisions, b.counts.durations, b.counts.failures, b.counts.leads, buildInfo(build), gauges{b})
	return b
}

// Publish shows a tick that succeeded.
func (b *Board) Publish(s State) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.state = &s
	b.pulse.attempted, b.pulse.succeeded, b.pulse.failure, b.pulse.leads = now, now, "", true
	b.past.add(s)
	b.log.add(s)
	b.spent.read(s.Record.Inputs.Snapshot)
	b.counts.tick(s)
	for _, lead := range b.stages.ended(s.Record.Inputs.Snapshot) {
		b.counts.leads.WithLabelValues(string(lead.offering), lead.stage).Observe(lead.took.Seconds())
	}
}

// TickFailed shows that a tick gave nothing. What the last good one gave stays,
// beside the error.
func (b *Board) TickFailed(err error) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.pulse.attempted, b.pulse.failure = now, fmt.Sprint(err)
	b.counts.failures.Inc()
}

// SetNotReady makes the service say that it is not ready, and why, whatever its
// ticks do; an empty reason takes that back.
func (b *Board) SetNotReady(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.pulse.withdrawn = reason
}

// glance is what a reader works on after the lock is released. What it refers to
// is not changed by later ticks.
type glance struct {
	now      time.Time
	state    *State
	revision uint64
	pulse    pulse
	checks   []check
	build    Build
	log      decisionLog
	spent    meter
	past     history // only where it was asked for
}

// look copies what readers need, with the history where charts are drawn.
func (b *Board) look(charts bool) glance {
	b.mu.RLock()
	defer b.mu.RUnlock()
	g := glance{
		now: b.clock(), state: b.state, revision: b.revision, pulse: b.pulse, checks: b.checks,
		build: b.build, log: b.log, spent: b.spent,
	}
	if charts {
		g.past = b.past.clone()
	}
	return g
}
