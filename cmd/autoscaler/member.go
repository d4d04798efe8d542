package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/console"
	"github.com/tessera-autoscaler/tessera/control"
)

// member is one process of the service in a cluster. It keeps looking at the cluster
// whatever state that is in, and runs a loop while it leads: always in shadow mode,
// and while it has the lease in active mode.
type member struct {
	config    *clusterConfig
	mode      string
	board     *console.Board
	watch     *watch
	journal   control.Journal
	log       *slog.Logger
	troubles  *troubles
	signals   *signals
	identity  string
	foresee   func(*slog.Logger) (control.Forecasters, error) // what foresees demand for a new loop
	surround  func(*clients, *member) surroundings            // what the loop meets; tests put their own here
	retry     time.Duration                                   // between two attempts to reach for the cluster
	lookEvery time.Duration                                   // between two looks at the state of the world

	cancel context.CancelFunc
	done   chan struct{}

	measuring atomic.Bool // the newest tick tells whether the metrics can be read

	mu       sync.Mutex
	settings control.Settings
	version  int // of the settings
	runner   *control.Runner
	clients  *clients // nil while there is no way into the cluster
	around   surroundings
	tell     actuator.Teller // of what is done
	again    chan struct{}   // asks for a new loop in the same term
	election *election
}

// surroundings are the cluster as the loop meets it.
type surroundings interface {
	// start begins to look; what was begun ends with ctx.
	start(ctx context.Context)
	// synced says why the caches do not show the cluster yet, nil when they do.
	synced() error
	// ports makes the ports of a new loop, with the settings in force. They remember
	// nothing of an earlier loop.
	ports() control.Ports
	// use takes settings into force.
	use(s control.Settings)
}

func newMember(s service, c *clusterConfig, b *console.Board, w *watch, j *journal, log *slog.Logger) *member {
	m := &member{
		config: c, mode: s.mode, board: b, watch: w, journal: j, log: log, troubles: newTroubles(b, log), signals: newSignals(c), foresee: s.forecasters,
		identity: newIdentity(), settings: c.settings, again: make(chan struct{}, 1),
		surround: newSurroundings, retry: 5 * time.Second, lookEvery: 5 * time.Second,
	}
	w.use = m.use
	return m
}

// start begins, and returns at once: the world may come later.
func (m *member) start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel, m.done = cancel, make(chan struct{})
	go m.run(ctx)
}

// stop ends the loop, gives the lease away, and waits for both, no longer than ctx.
func (m *member) stop(ctx context.Context) error {
	m.board.SetNotReady("the service is stopping")
	m.cancel()
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the loop and the lease: %w", ctx.Err())
	}
}

// may tells whether a write of the actuator may begin.
func (m *member) may() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.election == nil {
		return errNotLeading
	}
	return m.election.may()
}

// run reaches for the cluster until it is there, and stays in it.
func (m *member) run(ctx context.Context) {
	defer close(m.done)
	var looking sync.WaitGroup
	defer looking.Wait()
	looking.Go(func() { m.look(ctx) })
	c := m.reach(ctx)
	if c == nil {
		return
	}
	around := m.surround(c, m)
	tell, stop := actuator.NewTeller(c.own, "tessera", m.mode == console.ModeActive, m.log)
	defer stop()
	m.mu.Lock()
	m.clients, m.around, m.tell = c, around, tell
	settings := m.settings
	m.mu.Unlock()
	around.use(settings)
	around.start(ctx)
	if m.mode == console.ModeShadow {
		m.log.Info("shadow mode: steps are recorded and not carried out; no lease is taken and no Event is written")
		m.lead(ctx)
		return
	}
	m.tellTroubles(tell)
	defer m.troubles.tellBy(nil)
	e := newElection(c.own, m.config, m.identity, m.log)
	m.mu.Lock()
	m.election = e
	m.mu.Unlock()
	m.board.StandBy("")
	if err := e.run(ctx, m.board.StandBy, m.lead); err != nil {
		m.troubles.check("election", "ElectionImpossible", err.Error())
		<-ctx.Done()
	}
}

// reach makes clients, again and again while the way into the cluster is not there;
// nil when ctx ended first.
func (m *member) reach(ctx context.Context) *clients {
	for {
		c, err := newClients(m.config, m.mode, m.may)
		if err == nil {
			return c
		}
		m.troubles.check("cluster", "ClusterUnreachable", err.Error())
		if !wait(ctx, m.retry) {
			return nil
		}
	}
}

// tellTroubles makes troubles Events about the ledger.
func (m *member) tellTroubles(tell actuator.Teller) {
	about := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: m.config.Ledger.Namespace, Name: m.config.Ledger.Name}
	m.troubles.tellBy(func(reason, sentence string) { tell.Tell(about, actuator.Warning, reason, sentence, "") })
}

// use takes settings that were loaded anew into force.
func (m *member) use(s control.Settings) {
	m.signals.use(s.Policy)
	m.mu.Lock()
	paceChanged := s.Policy.Ticks.Fast != m.settings.Policy.Ticks.Fast
	m.settings = s
	m.version++
	around, runner := m.around, m.runner
	m.mu.Unlock()
	if around != nil {
		around.use(s)
	}
	if runner != nil {
		runner.Use(s)
	}
	if paceChanged {
		m.renew()
	}
}

// renew asks for a new loop in the same term.
func (m *member) renew() {
	select {
	case m.again <- struct{}{}:
	default: // asked for already
	}
}

// wait waits, and tells whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
