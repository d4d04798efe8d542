package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Ports are how the loop meets a world.
type Ports struct {
	Observer  Observer
	Actuator  Actuator
	Journal   Journal
	Historian Historian // nil when nothing is known of the past
	// Forecasters makes what foresees demand; nil is OwnForecasters.
	// Whoever replays a recording may put in one who knows the future.
	Forecasters Forecasters
}

// Loop is the autoscaler. It is not safe for concurrent use: one runner owns it.
type Loop struct {
	ports      Ports
	log        *slog.Logger
	settings   Settings
	begun      bool // the settings are in the journal, and it took the last record
	sizer      *policy.Sizer
	forecaster map[fleet.ModelName]forecast.Forecaster
	paths      []ModelForecast // of the last planning tick
	outlooked  time.Time       // the hour in which the last outlook was made
	memory     Memory
	planned    time.Time         // when the last planning tick was
	unprimed   []fleet.ModelName // whose past the forecasters were not taught yet
}

// NewLoop makes a loop that has seen nothing yet.
func NewLoop(ports Ports, settings Settings, log *slog.Logger) *Loop {
	if ports.Forecasters == nil {
		ports.Forecasters = OwnForecasters()
	}
	l := &Loop{ports: ports, log: log, forecaster: map[fleet.ModelName]forecast.Forecaster{}}
	l.Use(settings)
	return l
}

// Use takes settings into force from the next tick on. What was learnt of models
// that stay is kept.
func (l *Loop) Use(settings Settings) {
	l.settings, l.begun, l.sizer, l.outlooked = settings, false, policy.NewSizer(), time.Time{}
	before, unprimed := l.forecaster, l.unprimed
	l.forecaster, l.unprimed = make(map[fleet.ModelName]forecast.Forecaster, len(settings.Policy.Models)), nil
	for _, m := range settings.Policy.Models {
		known, ok := before[m.Name]
		if !ok {
			known = foreseenThrough(l.ports.Forecasters(m), m)
		}
		if !ok || slices.Contains(unprimed, m.Name) {
			l.unprimed = append(l.unprimed, m.Name)
		}
		l.forecaster[m.Name] = known
	}
}

// Settings are what is in force.
func (l *Loop) Settings() Settings { return l.settings }

// Prime teaches the forecasters what was before now. Models that come with later
// settings are taught at the first tick that has them. A model whose past cannot be
// read keeps no other from theirs; the next call asks for it again.
func (l *Loop) Prime(ctx context.Context, now time.Time) error {
	models := l.unprimed
	l.unprimed = nil
	if l.ports.Historian == nil {
		return nil
	}
	var first error
	for _, name := range models {
		past, err := l.ports.Historian.History(ctx, name, now)
		if err != nil {
			if l.unprimed = append(l.unprimed, name); first == nil {
				first = err
			}
			continue
		}
		for _, o := range past {
			if err := l.forecaster[name].Observe(o); err != nil {
				l.log.Debug("history bin set aside", "model", string(name), "at", o.At, "cause", err)
			}
		}
	}
	if len(l.unprimed) == 0 {
		return nil
	}
	return fmt.Errorf("read the history of %d of %d models, %s first: %w", len(l.unprimed), len(models), l.unprimed[0], first)
}

// Tick is one pass of the loop at now. It plans at the policy's planning pace, and at once
// where a node was lost, and moves within warm capacity at every other call. A planning
// tick that fails is made up for by the next call. While the journal takes nothing,
// nothing is done: a decision must not be without its record.
func (l *Loop) Tick(ctx context.Context, now time.Time) (Record, error) {
	if !l.begun {
		if err := l.ports.Journal.Begin(ctx, l.settings); err != nil {
			return Record{}, fmt.Errorf("begin the journal: %w", err)
		}
		l.begun = true
	}

	// 1. Observe.
	snapshot, err := l.ports.Observer.Observe(ctx, now)
	if err != nil {
		return Record{}, fmt.Errorf("observe: %w", err)
	}
	pace := l.pace(now, snapshot)

	// 2. Forecast.
	if err := l.Prime(ctx, now); err != nil {
		l.log.Warn("a model begins without its history", "cause", err)
		l.unprimed = nil
	}
	l.learn(snapshot)
	if pace == Planning {
		l.paths = l.foresee(now)
	}

	// 3 to 5. Size, pack, guard.
	inputs := Inputs{Now: now, Pace: pace, Snapshot: snapshot, Forecasts: l.paths, Outlook: l.outlook(now, pace), Memory: l.memory}
	decision, err := Decide(l.settings, l.sizer, inputs)
	if err != nil {
		return Record{}, fmt.Errorf("decide: %w", err)
	}
	l.memory = decision.Memory
	if inputs.Outlook != nil {
		l.outlooked = inputs.Outlook.At
	}
	record := Record{Inputs: inputs, Needs: decision.Needs, Plan: decision.Plan, Capped: decision.Capped}

	// 6 and 7. Revalidate and act.
	if len(decision.Plan.Steps) > 0 {
		record.Outcomes, err = l.carryOut(ctx, now, decision.Plan)
	}
	if err == nil {
		if pace == Planning {
			l.planned = now
		}
		if settling := l.ports.Actuator.Settle(ctx, decision.Plan.ID, snapshot); settling != nil {
			l.log.Warn("what was begun does not go on as it should", "plan", string(decision.Plan.ID), "cause", settling)
		}
	}

	// 8. Record, also what was done before acting broke off or was cancelled.
	if writing := l.ports.Journal.Append(context.WithoutCancel(ctx), record); writing != nil {
		l.begun = false
		err = errors.Join(err, fmt.Errorf("record: %w", writing))
	}
	return record, err
}

// pace is that of a tick.
func (l *Loop) pace(now time.Time, s fleet.Snapshot) Pace {
	if l.planned.IsZero() || now.Sub(l.planned) >= l.settings.Policy.Ticks.Plan || l.memory.Losses.since(s) != nil {
		return Planning
	}
	return Fast
}

// learn gives every forecaster the last whole minute; an unknown is a gap.
func (l *Loop) learn(s fleet.Snapshot) {
	bin := s.At.Truncate(time.Minute).Add(-time.Minute)
	for _, m := range l.settings.Policy.Models {
		rate, known := l.settings.Policy.Signals.Fresh(s.Model(m.Name).Arrivals).Read()
		if !known {
			rate = 0 // not looked at: the bin is a gap
		}
		err := l.forecaster[m.Name].Observe(forecast.Observation{At: bin, Value: rate, Known: known})
		if err != nil && !errors.Is(err, forecast.ErrOutOfOrder) { // a bin is seen by several fast ticks
			l.log.Warn("observation set aside", "model", string(m.Name), "cause", err)
		}
	}
}

// foresee forecasts every model up to the time for which a GPU bought now would
// be kept, or the longest time that work may wait.
func (l *Loop) foresee(now time.Time) []ModelForecast {
	leads := forecast.Leads(horizonsOf(l.settings, l.memory.Learnt).look)
	out := make([]ModelForecast, 0, len(l.settings.Policy.Models))
	for _, m := range l.settings.Policy.Models {
		path := l.forecaster[m.Name].Forecast(now, leads)
		for i := range path.Points {
			path.Points[i].Mean = rounded(path.Points[i].Mean)
			for j, q := range path.Points[i].Quantiles {
				path.Points[i].Quantiles[j] = rounded(q)
			}
		}
		out = append(out, ModelForecast{Model: m.Name, Path: path})
	}
	return out
}

// carryOut looks at the fleet once more, drops the steps that are no longer
// true, and does the others in order. A refused step takes those that rest on
// it with it, because their preconditions then fail.
func (l *Loop) carryOut(ctx context.Context, now time.Time, plan fleet.Plan) ([]Outcome, error) {
	current, err := l.ports.Observer.Observe(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("observe before acting: %w", err)
	}
	view := current.Clone()
	var outcomes []Outcome
	for _, step := range plan.Steps {
		if err := ctx.Err(); err != nil {
			return outcomes, fmt.Errorf("act: %w", err)
		}
		outcome := Outcome{Step: string(step.Kind()) + " " + step.Subject(), Result: Done}
		after := view.Clone()
		if err := step.Apply(&after); err != nil {
			outcome.Result, outcome.Detail = Dropped, err.Error()
		} else if err := l.ports.Actuator.Do(ctx, plan.ID, step); errors.Is(err, ErrWithheld) {
			outcome.Result, outcome.Detail, view = Withheld, err.Error(), after
		} else if err != nil {
			outcome.Result, outcome.Detail = Refused, err.Error()
			l.log.Warn("step refused", "plan", string(plan.ID), "step", step.Describe(), "cause", err)
		} else {
			view = after
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, nil
}

// Forecasts are the paths of the last planning tick.
func (l *Loop) Forecasts() []ModelForecast { return slices.Clone(l.paths) }
