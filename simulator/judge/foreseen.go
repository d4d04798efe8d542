package judge

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/clairvoyant"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// rehearsals is how many schedules a clairvoyant plays in its world before it
// settles for the cheapest that kept every target.
var rehearsals = func() int { if os.Getenv("R") != "" { return int(os.Getenv("R")[0]-48) }; return 8 }()

// foresee plans with all that will be, and answers the cheapest schedule that keeps
// every target of this world when it is played; nil where none does.
func (t *Trial) foresee(ctx context.Context, duration time.Duration) (*clairvoyant.Schedule, error) {
	s := t.Scenario
	planner, err := clairvoyant.New(ctx, clairvoyant.Input{
		Duration: duration, Settings: s.Settings,
		Open:      func(m fleet.ModelName) (traffic.Source, error) { return s.Source(m, t.Seed) },
		NodeStart: func(o fleet.Offering, n int) time.Duration { return simulator.NodeStart(t.Seed, o, n) },
	})
	if err != nil {
		return nil, err
	}
	var best *clairvoyant.Schedule
	var least fleet.Money
	for range rehearsals {
		schedule, err := planner.Plan(ctx)
		if err != nil {
			return nil, err
		}
		result, err := t.play(ctx, schedule, duration)
		if err != nil {
			return nil, err
		}
		if t.keeps(result) && (best == nil || result.Cost.Compare(least) < 0) {
			best, least = schedule, result.Cost
		}
		var missed []float64
		for _, m := range s.Settings.Policy.Models {
			r := result.ByModel[string(m.Name)]
			share := 0.0
			if r.Attainment != nil {
				share = 1 - *r.Attainment
			}
			missed = append(missed, share*float64(r.Requests))
		}
		if debug {
			fmt.Printf("  rehearsal: %s keeps %v missed %.0f %s\n", result.Cost.Describe(), t.keeps(result), missed, planner.Debug())
		}
		planner.Learn(missed)
	}
	return best, nil
}

var debug = true

// play runs a schedule in the world of the trial.
func (t *Trial) play(ctx context.Context, schedule *clairvoyant.Schedule, duration time.Duration) (simulator.Result, error) {
	world, err := t.Scenario.World(t.Seed)
	if err != nil {
		return simulator.Result{}, err
	}
	p := t.Scenario.Settings.Policy
	every := p.Ticks.Fast
	player := schedule.Player(world, world, t.Scenario.Start, every)
	result, err := simulator.Run{World: world, Duration: duration, Every: every, Policy: p}.Drive(ctx, player)
	if err != nil {
		return simulator.Result{}, fmt.Errorf("rehearse with foresight: %w", err)
	}
	return result, nil
}

// keeps tells whether every model had its target, and no cap was broken.
func (t *Trial) keeps(r simulator.Result) bool {
	for _, m := range t.Scenario.Settings.Policy.Models {
		if a := r.ByModel[string(m.Name)].Attainment; a != nil && *a < m.SLO.Target {
			return false
		}
	}
	return r.BudgetViolations == 0
}
