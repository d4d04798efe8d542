package judge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/clairvoyant"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// The clairvoyant is the better of two that know the future: a schedule, which is
// planned as a whole, and Tessera's loop with the truth for a forecast. Both are
// rehearsed in their world, with its faults. Better is who keeps the targets, then
// who pays less. Where there is no schedule, as for sessions, the loop is fitted to
// its world: what may be chosen of it is searched for the cheapest that keeps the
// targets.

// fitted is how many ways to use what it knows a loop is rehearsed with where it
// stands alone; few where more than a hundred nodes may be bought, which takes long.
const (
	fitted      = 48
	fittedLarge = 6
	large       = 100
)

// foreseen is what does best for a length of a trial, as rehearsals tell.
type foreseen struct {
	sync.Once
	schedule *clairvoyant.Schedule // nil where the loop is better
	loop     peer.Setup            // parameters of the loop, where that is
	notes    []string              // what a reader of the result must know
	err      error
}

// clairvoyant makes the better of the two for a job. It also says what a reader of
// the result must know of it.
func (t *Trial) clairvoyant(ctx context.Context, job Job, world *simulator.World) (simulator.Controller, []string, error) {
	f, err := t.foresee(ctx, t.lasts(job))
	if err != nil {
		return nil, nil, err
	}
	if f.schedule == nil {
		loop, err := t.knowing(ctx, f.loop, world, job.Journal)
		return loop, f.notes, err
	}
	settings := t.Scenario.Settings
	player := f.schedule.Player(world, world, t.Scenario.Start, settings.Policy.Ticks.Fast)
	return &recorded{Controller: player, journal: job.Journal, settings: settings}, f.notes, nil
}

// foresee finds what does best, once for each length of the trial.
func (t *Trial) foresee(ctx context.Context, duration time.Duration) (*foreseen, error) {
	kept, _ := t.foreseen.LoadOrStore(duration, &foreseen{})
	f := kept.(*foreseen)
	f.Do(func() {
		if f.err = t.choose(ctx, duration, f); f.err != nil {
			t.foreseen.CompareAndDelete(duration, f) // cancelled, perhaps: who comes later begins anew
		}
	})
	return f, f.err
}

// choose rehearses both.
func (t *Trial) choose(ctx context.Context, duration time.Duration, f *foreseen) error {
	planned, err := t.plan(ctx, duration)
	unplannable := errors.Is(err, clairvoyant.ErrNotPlannable)
	if err != nil && !unplannable {
		return err
	}
	runs := 1
	switch {
	case planned.schedule != nil:
	case t.nodes() > large:
		runs = fittedLarge
	default:
		runs = fitted
	}
	loop, err := t.fit(ctx, duration, runs)
	if err != nil {
		return err
	}
	if planned.schedule != nil && (!t.keeps(loop.result) || loop.result.Cost.Compare(planned.cost) >= 0) {
		f.schedule = planned.schedule
		return nil
	}
	f.loop = loop.setup
	switch {
	case unplannable:
		f.notes = append(f.notes, "the clairvoyant has no schedule for such a fleet: it is Tessera's loop that is told the traffic, fitted to each world, and can be beaten")
	case planned.schedule == nil:
		f.notes = append(f.notes, "no schedule of the clairvoyant keeps every target: it is Tessera's loop that is told the traffic, fitted to each world, and can be beaten")
	}
	if !t.keeps(loop.result) {
		f.notes = append(f.notes, "no clairvoyant that was rehearsed keeps every target: this one comes closest, and what others cost over it says little")
	}
	return nil
}

// fit finds the loop that does best in its world, of at most so many.
func (t *Trial) fit(ctx context.Context, duration time.Duration, runs int) (tried, error) {
	d := &descent{
		Search: Search{Trial: t, Controller: Clairvoyant, Beginning: duration, Runs: runs, Workers: 1},
		knobs:  foresightParameters, at: point{knobs: map[string]float64{}}, seen: map[string]tried{},
		run: func(ctx context.Context, setup peer.Setup, _ time.Duration) (simulator.Result, error) {
			return t.rehearse(ctx, duration, func(w *simulator.World) (simulator.Controller, error) {
				return t.knowing(ctx, setup, w, nowhere{})
			})
		},
	}
	if err := d.descend(ctx); err != nil {
		return tried{}, err
	}
	return *d.best, nil
}

// rehearse runs a controller in a world like that of the trial.
func (t *Trial) rehearse(ctx context.Context, duration time.Duration, of func(*simulator.World) (simulator.Controller, error)) (simulator.Result, error) {
	world, err := t.Scenario.World(t.Seed)
	if err != nil {
		return simulator.Result{}, err
	}
	c, err := of(world)
	if err != nil {
		return simulator.Result{}, err
	}
	p := t.Scenario.Settings.Policy
	result, err := simulator.Run{World: world, Duration: duration, Every: p.Ticks.Fast, Policy: p}.Drive(ctx, c)
	if err != nil {
		return simulator.Result{}, fmt.Errorf("rehearse with foresight: %w", err)
	}
	return result, nil
}

// nodes is how many may be bought at a time.
func (t *Trial) nodes() int {
	n := 0
	for _, name := range t.Scenario.Settings.Policy.Offerings {
		if o, ok := t.Scenario.Settings.Catalog.Offering(name); ok {
			n += o.Limit
		}
	}
	return n
}

// keeps tells whether every model had its target and no cap was broken.
func (t *Trial) keeps(r simulator.Result) bool {
	return shortfall(t.Scenario.Settings.Policy.Models, 0, r) == 0 && r.BudgetViolations == 0
}

// shortfall adds up what models lack of a target; zero is that of the SLO of each.
func shortfall(models []fleet.Model, target float64, r simulator.Result) float64 {
	sum := 0.0
	for _, m := range models {
		if a := r.ByModel[string(m.Name)].Attainment; a != nil {
			sum += max(0, cmp.Or(target, m.SLO.Target)-*a)
		}
	}
	return sum
}
