package simulator

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// script is a controller that does what is written down for each tick.
type script struct {
	world *World
	plans map[time.Duration]fleet.Plan
	ticks []time.Duration
}

func (s *script) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	at := now.Sub(s.world.start)
	s.ticks = append(s.ticks, at)
	plan := s.plans[at]
	plan.At = now
	record := control.Record{Plan: plan}
	for _, step := range plan.Steps {
		outcome := control.Outcome{Result: control.Done}
		if err := s.world.Do(ctx, "test", step); err != nil {
			outcome.Result = control.Refused
		}
		record.Outcomes = append(record.Outcomes, outcome)
	}
	return record, nil
}

// TestDriveTicksAndSamples: ticks at their pace from the start on, and a sample
// every quarter of an hour after the tick of the same instant, also where the
// pace does not divide it.
func TestDriveTicksAndSamples(t *testing.T) {
	for _, every := range []time.Duration{time.Minute, 7 * time.Minute, time.Hour} {
		w := build(t, Config{Models: paidModels(), Sources: map[fleet.ModelName]traffic.Source{"a": plain(t, "a", 1, time.Hour, 1)}})
		c := &script{world: w, plans: map[time.Duration]fleet.Plan{0: {Steps: []fleet.Step{buyNode("n")}}}}
		shares := []float64{}
		r, err := Run{World: w, Duration: time.Hour, Every: every, Progress: func(s float64) { shares = append(shares, s) }}.Drive(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range c.ticks {
			if at != time.Duration(i)*every {
				t.Fatalf("tick %d is at %v", i, at)
			}
		}
		if want := int((time.Hour + every - 1) / every); len(c.ticks) != want {
			t.Errorf("%d ticks every %v in an hour, want %d", len(c.ticks), every, want)
		}
		if len(r.Timeline) != 4 {
			t.Fatalf("%d samples in an hour", len(r.Timeline))
		}
		for i, s := range r.Timeline {
			if !s.At.Equal(start.Add(time.Duration(i)*15*time.Minute)) || s.Nodes != 1 || s.GPUs != 1 || s.Rate.Hourly().Compare(usd(3_600_000)) != 0 {
				t.Errorf("sample %d is %+v", i, s)
			}
		}
		if !slices.Equal(shares, []float64{0, 0.25, 0.5, 0.75, 1}) {
			t.Errorf("progress was told as %v", shares)
		}
		if r.SimulatedSeconds != 3600 {
			t.Errorf("%v s were simulated", r.SimulatedSeconds)
		}
	}
}

// TestDriveTellsWhatWasBought: purchases that were done, with what was weighed
// once for each plan, and how often a cap was broken or held.
func TestDriveTellsWhatWasBought(t *testing.T) {
	catalog := testCatalog()
	catalog.Offerings[0].Limit = 2
	w := build(t, Config{Catalog: catalog, Models: paidModels()})
	candidates := []fleet.Candidate{{Name: "mixed", Chosen: true}, {Name: "wait"}}
	held := []fleet.Reason{fleet.Because(fleet.ReasonHeldBudget), fleet.Because(fleet.ReasonNoCapacity)}
	c := &script{world: w, plans: map[time.Duration]fleet.Plan{
		0:           {Steps: []fleet.Step{buyNode("a"), buyNode("b"), buyNode("c")}, Candidates: candidates, Held: held},
		time.Minute: {Held: held},
	}}
	cap10 := policy.Policy{Budgets: []policy.Budget{{Per: policy.Hour, Amount: usd(10), OnExceeded: policy.Hold}}}
	r, err := Run{World: w, Duration: time.Hour, Every: time.Minute, Policy: cap10}.Drive(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Purchases) != 2 || r.Purchases[0].Node != "a" || len(r.Purchases[0].Candidates) != 2 || len(r.Purchases[1].Candidates) != 0 {
		t.Errorf("the purchases are %+v", r.Purchases)
	}
	if r.BudgetViolations != 1 || r.BudgetsHeld != 2 {
		t.Errorf("%d violations, want 1; %d held, want 2", r.BudgetViolations, r.BudgetsHeld)
	}
}

// TestDriveEnds where it cannot go on.
func TestDriveEnds(t *testing.T) {
	w := build(t, Config{})
	for _, r := range []Run{{World: w, Duration: time.Hour}, {World: w, Every: time.Minute}, {World: w, Duration: time.Hour, Every: -1}} {
		if _, err := r.Drive(t.Context(), &script{world: w}); err == nil {
			t.Errorf("%v every %v is driven", r.Duration, r.Every)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Run{World: w, Duration: time.Hour, Every: time.Minute}).Drive(ctx, &script{world: w}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it answers %v", err)
	}
}

// forgetful is a journal that keeps nothing.
type forgetful struct{}

func (forgetful) Begin(context.Context, control.Settings) error { return nil }
func (forgetful) Append(context.Context, control.Record) error  { return nil }

// driveLoop lets the real loop serve a morning of two languages.
func driveLoop(t *testing.T) Result {
	t.Helper()
	p := policy.Policy{
		Name: "t", Currency: "USD", Ticks: policy.Ticks{Fast: 15 * time.Second, Plan: time.Minute}, Forecast: policy.Forecast{Quantile: 0.95},
		ScaleUp: policy.ScaleUp{MaxNodes: 10}, ScaleDown: policy.ScaleDown{StabilizationWindow: 10 * time.Minute, MaxNodes: 2},
		Signals: policy.Signals{MaxAge: 5 * time.Minute, MaxHold: time.Hour}, Offerings: []fleet.OfferingName{"a100"},
		Budgets: []policy.Budget{{Per: policy.Hour, Amount: usd(30_000_000), OnExceeded: policy.Hold}},
	}
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute}}
	cfg := Config{Start: start, Catalog: catalog, Seed: 1, Patience: 20, Sources: map[fleet.ModelName]traffic.Source{}, Past: map[fleet.ModelName]Past{}}
	for name, peak := range map[fleet.ModelName]float64{"en": 10, "fr": 1} {
		g := traffic.Generated{Model: name, Shape: traffic.ShapeOfficeHours, Zone: "Europe/Paris", Peak: peak}
		cfg.Sources[name], cfg.Past[name] = generated(t, g, 12*time.Hour, 1), g.History(start, 48*time.Hour, time.Minute, 1)
	}
	for _, name := range []fleet.ModelName{"en", "fr"} {
		m := testModel(name, fleet.LeastLoad, 0.9, 1.2, 1.6, 2)
		m.SLO.Limit, m.MinReplicas = 3*time.Second, 1
		measure(&m).Load = fleet.Delay{P50: 20 * time.Second, P95: 40 * time.Second}
		p.Models = append(p.Models, m)
	}
	cfg.Models = p.Models
	w := build(t, cfg)
	loop := control.NewLoop(control.Ports{Observer: w, Actuator: w, Journal: forgetful{}, Historian: w}, control.Settings{Policy: p, Catalog: catalog}, slog.New(slog.DiscardHandler))
	if err := loop.Prime(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	r, err := Run{World: w, Duration: 12 * time.Hour, Every: p.Ticks.Fast, Policy: p}.Drive(t.Context(), loop)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheLoopServesTheWorld: the real loop finds its way from an empty world to
// one that serves, within its cap, and two runs are the same to the byte.
func TestTheLoopServesTheWorld(t *testing.T) {
	first, second := driveLoop(t), driveLoop(t)
	if text(t, first) != text(t, second) {
		t.Error("two runs of one seed differ")
	}
	if first.Served == 0 || len(first.Purchases) == 0 || *first.Attainment < 0.9 {
		t.Errorf("%d served, %d nodes bought, attainment %v", first.Served, len(first.Purchases), *first.Attainment)
	}
	if first.BudgetViolations != 0 {
		t.Errorf("%d violations of the cap", first.BudgetViolations)
	}
}
