package judge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/clairvoyant"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// The clairvoyant is the better of two that know the future: a schedule, which is
// planned as a whole and rehearsed in its world, and Tessera's loop with the truth for
// a forecast. Better is who keeps the targets, then who pays less.

// rehearsals is how many schedules are played before the cheapest of them that keeps
// every target is taken; after idle of them that are no better, no more are made.
const (
	rehearsals = 8
	idle       = 3
)

// foreseen is the best schedule for a length of a trial, with what comes of it. The
// schedule is nil where none kept the targets or the planner is not for this fleet.
type foreseen struct {
	sync.Once
	schedule *clairvoyant.Schedule
	cost     fleet.Money
	err      error
}

// clairvoyant makes the better of the two for a job.
func (t *Trial) clairvoyant(ctx context.Context, job Job, world *simulator.World) (simulator.Controller, error) {
	duration := t.lasts(job)
	f, err := t.foresee(ctx, duration)
	if err != nil {
		return nil, err
	}
	if f.schedule == nil {
		return t.knowing(ctx, job, world)
	}
	settings := t.Scenario.Settings
	rehearsed, err := t.Scenario.World(t.Seed)
	if err != nil {
		return nil, err
	}
	loop, err := t.knowing(ctx, Job{Setup: job.Setup, Journal: nowhere{}}, rehearsed)
	if err != nil {
		return nil, err
	}
	result, err := simulator.Run{World: rehearsed, Duration: duration, Every: settings.Policy.Ticks.Fast, Policy: settings.Policy}.Drive(ctx, loop)
	if err != nil {
		return nil, fmt.Errorf("rehearse the loop that knows: %w", err)
	}
	if t.keeps(result) && result.Cost.Compare(f.cost) < 0 {
		return t.knowing(ctx, job, world)
	}
	player := f.schedule.Player(world, world, t.Scenario.Start, settings.Policy.Ticks.Fast)
	return &recorded{Controller: player, journal: job.Journal, settings: settings}, nil
}

// knowing is Tessera's loop with the truth for a forecast.
func (t *Trial) knowing(ctx context.Context, job Job, world *simulator.World) (simulator.Controller, error) {
	truth, err := t.truth()
	if err != nil {
		return nil, err
	}
	sight := foresightOf(job.Setup)
	own := sight.settings(t.Scenario.Settings)
	oracles := sight.oracles(truth, own)
	ports := control.Ports{Observer: seer{world, oracles}, Actuator: world, Journal: job.Journal}
	ports.Forecasters = func(m fleet.Model) forecast.Forecaster { return oracles[m.Name] }
	return primed(ctx, ports, own, t.Scenario.Start)
}

// foresee plans with all that will be, once for each length of the trial.
func (t *Trial) foresee(ctx context.Context, duration time.Duration) (*foreseen, error) {
	kept, _ := t.foreseen.LoadOrStore(duration, &foreseen{})
	f := kept.(*foreseen)
	f.Do(func() {
		if f.err = t.rehearse(ctx, duration, f); errors.Is(f.err, clairvoyant.ErrNotPlannable) {
			f.err = nil
		}
		if f.err != nil {
			t.foreseen.CompareAndDelete(duration, f) // cancelled, perhaps: who comes later begins anew
		}
	})
	return f, f.err
}

// caution are the shares of the limits that are planned with, one after the other,
// until a schedule keeps the targets.
var caution = []float64{1, 0.9, 0.7, 0.4}

// rehearse plays schedules, each made with what the ones before it missed.
func (t *Trial) rehearse(ctx context.Context, duration time.Duration, f *foreseen) error {
	s := t.Scenario
	for _, share := range caution {
		planner, err := clairvoyant.New(ctx, clairvoyant.Input{
			Duration: duration, Settings: s.Settings, Share: share,
			Open:      func(m fleet.ModelName) (traffic.Source, error) { return s.Source(m, t.Seed) },
			NodeStart: func(o fleet.Offering, n int) time.Duration { return simulator.NodeStart(t.Seed, o, n) },
		})
		if err != nil {
			return err
		}
		if err := t.rehearseWith(ctx, planner, duration, f); err != nil || f.schedule != nil {
			return err
		}
	}
	return nil
}

func (t *Trial) rehearseWith(ctx context.Context, planner *clairvoyant.Planner, duration time.Duration, f *foreseen) error {
	worse := 0
	var before fleet.Money
	for turn := range rehearsals {
		schedule, err := planner.Plan(ctx)
		if err != nil {
			return err
		}
		result, err := t.play(ctx, schedule, duration)
		if err != nil {
			return err
		}
		switch {
		case !t.keeps(result):
		case f.schedule == nil || result.Cost.Compare(f.cost) < 0:
			f.schedule, f.cost, worse = schedule, result.Cost, 0
		default:
			worse++
		}
		same := turn > 0 && result.Cost.Compare(before) == 0
		if before = result.Cost; worse >= idle || same && f.schedule == nil {
			break
		}
		planner.Learn(t.missed(result))
	}
	return nil
}

// play runs a schedule in the world of the trial.
func (t *Trial) play(ctx context.Context, schedule *clairvoyant.Schedule, duration time.Duration) (simulator.Result, error) {
	world, err := t.Scenario.World(t.Seed)
	if err != nil {
		return simulator.Result{}, err
	}
	p := t.Scenario.Settings.Policy
	player := schedule.Player(world, world, t.Scenario.Start, p.Ticks.Fast)
	result, err := simulator.Run{World: world, Duration: duration, Every: p.Ticks.Fast, Policy: p}.Drive(ctx, player)
	if err != nil {
		return simulator.Result{}, fmt.Errorf("rehearse with foresight: %w", err)
	}
	return result, nil
}

// keeps tells whether every model had its target and no cap was broken.
func (t *Trial) keeps(r simulator.Result) bool {
	for _, m := range t.Scenario.Settings.Policy.Models {
		if a := r.ByModel[string(m.Name)].Attainment; a != nil && *a < m.SLO.Target {
			return false
		}
	}
	return r.BudgetViolations == 0
}

// missed is how many requests of each model were late, in the order of the policy.
func (t *Trial) missed(r simulator.Result) []float64 {
	var out []float64
	for _, m := range t.Scenario.Settings.Policy.Models {
		result := r.ByModel[string(m.Name)]
		share := 0.0
		if result.Attainment != nil {
			share = 1 - *result.Attainment
		}
		out = append(out, share*float64(result.Requests))
	}
	return out
}
