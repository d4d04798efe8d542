package clairvoyant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// Player carries a schedule out. It implements simulator.Controller.
type Player struct {
	observer control.Observer
	actuator control.Actuator
	start    time.Time
	every    time.Duration
	acts     []act // that are still to be done, in order
}

// Player makes the controller that plays a schedule in a world, ticking at a given
// pace.
func (s *Schedule) Player(observer control.Observer, actuator control.Actuator, start time.Time, every time.Duration) *Player {
	return &Player{observer: observer, actuator: actuator, start: start, every: every, acts: append([]act(nil), s.acts...)}
}

// Tick does what is due before the next tick. What is in the way of a step now (a
// slice on which somebody still works, a node that is not empty yet, a limit) is
// tried again; what can never be is dropped.
func (p *Player) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	record := control.Record{
		Inputs: control.Inputs{Now: now, Pace: control.Planning},
		Plan:   fleet.Plan{ID: fleet.PlanID(fmt.Sprintf("foreseen-%d", now.Unix())), At: now},
	}
	due := now.Sub(p.start) + p.every
	var later []act
	i := 0
	for ; i < len(p.acts) && p.acts[i].at < due; i++ {
		step := p.acts[i].step
		err := p.actuator.Do(ctx, record.Plan.ID, step)
		var refused *simulator.StepError
		if errors.As(err, &refused) && refused.Refusal != simulator.NotThere && refused.Refusal != simulator.Impossible {
			later = append(later, p.acts[i])
			continue
		}
		outcome := control.Outcome{Step: string(step.Kind()) + " " + step.Subject(), Result: control.Done}
		if err != nil {
			outcome.Result, outcome.Detail = control.Refused, err.Error()
		}
		record.Plan.Steps = append(record.Plan.Steps, step)
		record.Outcomes = append(record.Outcomes, outcome)
	}
	p.acts = append(later, p.acts[i:]...)
	if len(record.Plan.Steps) == 0 {
		return record, nil
	}
	seen, err := p.observer.Observe(ctx, now)
	if err != nil {
		return record, fmt.Errorf("observe: %w", err)
	}
	record.Inputs.Snapshot = seen
	if err := p.actuator.Settle(ctx, record.Plan.ID, seen); err != nil {
		return record, fmt.Errorf("settle: %w", err)
	}
	return record, nil
}
