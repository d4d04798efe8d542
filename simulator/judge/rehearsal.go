package judge

import (
	"context"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/clairvoyant"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// rehearsals is how many schedules are played before the cheapest of them that keeps
// every target is taken; after idle of them that are no better, no more are made.
const (
	rehearsals = 8
	idle       = 3
)

// caution are the shares of the limits that are planned with, one after the other,
// until a schedule keeps the targets.
var caution = []float64{1, 0.9, 0.7, 0.4}

// planned is the cheapest schedule that kept the targets, nil where none did.
type planned struct {
	schedule *clairvoyant.Schedule
	cost     fleet.Money
}

// plan plays schedules, each made with what the ones before it missed. Its error is
// clairvoyant.ErrNotPlannable where the planner is not for this fleet.
func (t *Trial) plan(ctx context.Context, duration time.Duration) (planned, error) {
	for _, share := range caution {
		planner, err := clairvoyant.New(ctx, clairvoyant.Input{
			Duration: duration, Settings: t.Scenario.Settings, Share: share,
			Open:      func(m fleet.ModelName) (traffic.Source, error) { return t.Scenario.Source(m, t.Seed) },
			NodeStart: func(o fleet.Offering, n int) time.Duration { return simulator.NodeStart(t.Seed, o, n) },
		})
		if err != nil {
			return planned{}, err
		}
		if best, err := t.planWith(ctx, planner, duration); err != nil || best.schedule != nil {
			return best, err
		}
	}
	return planned{}, nil
}

func (t *Trial) planWith(ctx context.Context, planner *clairvoyant.Planner, duration time.Duration) (planned, error) {
	var best planned
	worse := 0
	var before fleet.Money
	for turn := range rehearsals {
		schedule, err := planner.Plan(ctx)
		if err != nil {
			return planned{}, err
		}
		result, err := t.rehearse(ctx, duration, func(w *simulator.World) (simulator.Controller, error) {
			return schedule.Player(w, w, t.Scenario.Start, t.Scenario.Settings.Policy.Ticks.Fast), nil
		})
		if err != nil {
			return planned{}, err
		}
		switch {
		case !t.keeps(result):
		case best.schedule == nil || result.Cost.Compare(best.cost) < 0:
			best, worse = planned{schedule, result.Cost}, 0
		default:
			worse++
		}
		same := turn > 0 && result.Cost.Compare(before) == 0
		if before = result.Cost; worse >= idle || same && best.schedule == nil {
			break
		}
		planner.Learn(t.missed(result))
	}
	return best, nil
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
