package judge

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// The controllers that are no peers.
const (
	Tessera     = "tessera"
	Clairvoyant = "clairvoyant"
)

// Controllers lists the names that a Job takes: Tessera, the clairvoyant, and the
// peers by name.
func Controllers() []string { return append([]string{Tessera, Clairvoyant}, peer.Names()...) }

// Trial is one world, a scenario with a seed, in which controllers are judged. It
// is safe for concurrent use: every run has a world of its own.
type Trial struct {
	Scenario *scenario.Scenario
	Seed     uint64
	truth    func() (*Truth, error)
	foreseen sync.Map // *foreseen by duration
}

// NewTrial makes a trial. The traffic is read when the first controller asks what
// will come.
func NewTrial(s *scenario.Scenario, seed uint64) *Trial {
	return &Trial{Scenario: s, Seed: seed, truth: sync.OnceValues(func() (*Truth, error) { return readTruth(s, seed) })}
}

// Job is one run of one controller in a trial.
type Job struct {
	Controller string
	Setup      *peer.Setup     // of a peer; nil is DefaultSetup, on what its limits let it buy for the peak
	Duration   time.Duration   // zero is the scenario's own; a shorter one ends the world early
	Bound      bool            // also compute the bound of what was served
	Journal    control.Journal // of every decision; may be nil
	Progress   func(share float64)
}

// Run runs a controller and says what came out. Its error names a controller that
// is not there, or says what is wrong with its setup.
func (t *Trial) Run(ctx context.Context, job Job) (simulator.Result, error) {
	s := t.Scenario
	world, err := s.World(t.Seed)
	if err != nil {
		return simulator.Result{}, err
	}
	if job.Journal == nil {
		job.Journal = nowhere{}
	}
	c, every, notes, err := t.controller(ctx, job, world)
	if err != nil {
		return simulator.Result{}, err
	}
	run := simulator.Run{World: world, Duration: t.lasts(job), Every: every, Policy: s.Settings.Policy, Progress: job.Progress}
	result, err := run.Drive(ctx, c)
	if err != nil {
		return simulator.Result{}, err
	}
	result.Scenario, result.Controller, result.Seed = s.Name, job.Controller, t.Seed
	result.TrafficScale, result.IgnoredRows, result.Notes = maps.Clone(s.Scales), maps.Clone(s.Ignored), slices.Concat(s.Notes, notes)
	if err := result.Seal(); err != nil {
		return simulator.Result{}, err
	}
	if job.Bound {
		err = t.Bound(ctx, &result)
	}
	return result, err
}

// lasts is how long the world of a job does.
func (t *Trial) lasts(job Job) time.Duration {
	if job.Duration > 0 {
		return min(t.Scenario.Duration, job.Duration)
	}
	return t.Scenario.Duration
}

// controller makes the controller of a job, and says how often it ticks and what a
// reader of its result must know.
func (t *Trial) controller(ctx context.Context, job Job, world *simulator.World) (simulator.Controller, time.Duration, []string, error) {
	settings := t.Scenario.Settings
	ports := control.Ports{Observer: world, Actuator: world, Journal: job.Journal, Historian: world}
	switch {
	case job.Controller == Tessera:
		loop, err := primed(ctx, ports, settings, t.Scenario.Start)
		return loop, settings.Policy.Ticks.Fast, nil, err
	case job.Controller == Clairvoyant:
		c, notes, err := t.clairvoyant(ctx, job, world)
		return c, settings.Policy.Ticks.Fast, notes, err
	case slices.Contains(peer.Names(), job.Controller):
		c, every, err := t.peer(job, world)
		return c, every, nil, err
	}
	return nil, 0, nil, fmt.Errorf("there is no controller %q: use one of %v", job.Controller, Controllers())
}

// primed is a loop that was taught what was before.
func primed(ctx context.Context, ports control.Ports, settings control.Settings, start time.Time) (*control.Loop, error) {
	loop := control.NewLoop(ports, settings, slog.New(slog.DiscardHandler))
	if err := loop.Prime(ctx, start); err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return loop, nil
}

// peer makes a cluster with a peer in it.
func (t *Trial) peer(job Job, world *simulator.World) (simulator.Controller, time.Duration, error) {
	truth, err := t.truth()
	if err != nil {
		return nil, 0, err
	}
	settings := t.Scenario.Settings
	setup := defaultSetup(settings, truth.Known())
	if job.Setup != nil {
		setup = *job.Setup
	}
	scaler, err := peer.NewScaler(job.Controller, settings, setup, truth.Known())
	if err != nil {
		return nil, 0, fmt.Errorf("controller %s: %w", job.Controller, err)
	}
	cluster, err := peer.NewCluster(world, world, settings, setup, scaler)
	if err != nil {
		return nil, 0, fmt.Errorf("controller %s: %w", job.Controller, err)
	}
	return &recorded{Controller: cluster, journal: job.Journal, settings: settings}, cluster.Every(), nil
}

// recorded writes what a controller did into a journal, as control.Loop does.
type recorded struct {
	simulator.Controller
	journal  control.Journal
	settings control.Settings
	begun    bool
}

// Tick lets the controller tick and keeps its record.
func (r *recorded) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	if !r.begun {
		if err := r.journal.Begin(ctx, r.settings); err != nil {
			return control.Record{}, fmt.Errorf("begin the journal: %w", err)
		}
		r.begun = true
	}
	record, err := r.Controller.Tick(ctx, now)
	if err != nil {
		return record, err
	}
	if err := r.journal.Append(ctx, record); err != nil {
		return record, fmt.Errorf("record: %w", err)
	}
	return record, nil
}

// nowhere is the journal that forgets.
type nowhere struct{}

func (nowhere) Begin(context.Context, control.Settings) error { return nil }
func (nowhere) Append(context.Context, control.Record) error  { return nil }
