package control_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// monday is the start of every test: midnight, so that the morning comes.
var monday = time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)

// dollars is an amount in whole dollars.
func dollars(n int64) fleet.Money { return fleet.Micros(n*1_000_000, "USD") }

// smallCatalog sells A100s that take eight minutes to come.
func smallCatalog() fleet.Catalog {
	return fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{{
		Name: "a100", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(dollars(5)), Limit: 12,
		MinimumBilling: time.Minute, Reshape: fleet.ReshapeNode, ReshapeTime: fleet.Fixed(time.Minute),
		Lead: fleet.LeadTime{
			Node: fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute}, Driver: fleet.Delay{P50: 2 * time.Minute, P95: 3 * time.Minute},
			Image: fleet.Fixed(time.Minute),
		},
	}}}
}

// speech serves batches on small and large slices.
func speech(name fleet.ModelName, kind fleet.ClassKind, limit time.Duration) fleet.Model {
	on := func(profile fleet.ProfileName, seconds ...float64) fleet.Performance {
		return fleet.Performance{
			Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: profile}, Batch: []int{1, 4, 8}, Seconds: seconds,
			MemoryMiB: 9000, Load: fleet.Delay{P50: 20 * time.Second, P95: 40 * time.Second}, Interference: 0.02,
		}
	}
	return fleet.Model{
		Name: name, Group: "speech", Class: fleet.ClassName(kind), Kind: kind, SLO: fleet.SLO{Limit: limit, Target: 0.99}, MaxReplicas: 100,
		Profile: fleet.PerformanceProfile{Name: "asr", Unit: "request", Queue: fleet.LeastLoad, MeanWork: 1, Variants: []fleet.Variant{
			{Name: "fp16", Accuracy: 1, Slices: []fleet.Performance{on("1g.10gb", 0.8, 2.4, 4.6), on("3g.40gb", 0.4, 1, 1.9), on("7g.80gb", 0.25, 0.5, 0.9)}},
		}},
	}
}

// smallPolicy runs a large streaming model, a small one and summaries.
func smallPolicy() policy.Policy {
	en, fr, sum := speech("transcribe-en", fleet.Streaming, 3*time.Second), speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("summarize", fleet.Async, 15*time.Minute)
	en.MinReplicas, fr.MinReplicas = 1, 1
	return policy.Policy{
		Name: "test", Currency: "USD", Models: []fleet.Model{sum, en, fr}, Offerings: []fleet.OfferingName{"a100"},
		Ticks: policy.Ticks{Fast: 15 * time.Second, Plan: time.Minute}, Forecast: policy.Forecast{Quantile: 0.9},
		ScaleUp: policy.ScaleUp{MaxNodes: 4}, ScaleDown: policy.ScaleDown{StabilizationWindow: 10 * time.Minute, MaxNodes: 2},
		Signals: policy.Signals{MaxAge: 5 * time.Minute, MaxHold: time.Hour},
	}
}

// keepsErrorBudgets sizes every model for its target itself, whatever is missed: the
// fleet is then larger than it has to be, and has something to shed.
func keepsErrorBudgets(p policy.Policy) policy.Policy {
	for _, m := range p.Models { // sorted by name
		p.Forecast.Models = append(p.Forecast.Models, policy.ModelQuantile{Model: m.Name, Quantile: p.Forecast.Quantile, Keep: true})
	}
	return p
}

// tape is a journal that keeps everything, as bytes.
type tape struct {
	settings []control.Settings
	records  []control.Record
	lines    [][]byte
}

func (j *tape) Begin(_ context.Context, s control.Settings) error {
	j.settings = append(j.settings, s)
	return nil
}

func (j *tape) Append(_ context.Context, r control.Record) error {
	line, err := json.Marshal(r)
	j.records, j.lines = append(j.records, r), append(j.lines, line)
	return err
}

// stage is a loop in a simulated world.
type stage struct {
	world *simulator.World
	loop  *control.Loop
	tape  *tape
	at    time.Time
}

// newStage puts the policy into a world with office-hours traffic.
func newStage(t testing.TB, p policy.Policy, peak float64, seed uint64, faults ...simulator.Fault) *stage {
	t.Helper()
	cfg := simulator.Config{
		Start: monday, Catalog: smallCatalog(), Models: p.Models, Seed: seed, Patience: 20, Faults: faults,
		Sources: map[fleet.ModelName]traffic.Source{}, Past: map[fleet.ModelName]simulator.Past{},
	}
	for name, part := range map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.1, "summarize": 0.05} {
		g := traffic.Generated{Model: name, Shape: traffic.ShapeOfficeHours, Zone: "Europe/Paris", Peak: peak * part}
		source, err := traffic.NewGenerated(g, monday, 72*time.Hour, seed)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[name], cfg.Past[name] = source, g.History(monday, 24*time.Hour, time.Minute, seed)
	}
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: world, tape: &tape{}, at: monday}
	s.reloop(t, p)
	return s
}

// reloop puts a new loop into the world.
func (s *stage) reloop(t testing.TB, p policy.Policy) {
	t.Helper()
	s.loop = control.NewLoop(control.Ports{Observer: s.world, Actuator: s.world, Journal: s.tape, Historian: s.world},
		control.Settings{Policy: p, Catalog: smallCatalog()}, slog.New(slog.DiscardHandler))
	if err := s.loop.Prime(t.Context(), s.at); err != nil {
		t.Fatal(err)
	}
}

// constantWorld has Poisson traffic of constant rates.
func constantWorld(t testing.TB, rates map[fleet.ModelName]float64, seed uint64) *simulator.World {
	t.Helper()
	p := smallPolicy()
	cfg := simulator.Config{Start: monday, Catalog: smallCatalog(), Models: p.Models, Seed: seed, Patience: 20, Sources: map[fleet.ModelName]traffic.Source{}}
	for name, rate := range rates {
		source, err := traffic.NewGenerated(traffic.Generated{Model: name, Shape: traffic.ShapeConstant, Peak: rate}, monday, 72*time.Hour, seed)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[name] = source
	}
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return world
}

// wholeDays marks a test that lives through days of a world, thousands of ticks,
// which the race detector would make last for minutes.
func wholeDays(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("simulates whole days; run without -short")
	}
}

// run ticks for a while and calls after each tick.
func (s *stage) run(t testing.TB, span time.Duration, after func(control.Record)) {
	t.Helper()
	for end := s.at.Add(span); s.at.Before(end); s.at = s.at.Add(15 * time.Second) {
		s.world.AdvanceTo(s.at)
		r, err := s.loop.Tick(t.Context(), s.at)
		if err != nil {
			t.Fatalf("tick at %s: %v", s.at, err)
		}
		if after != nil {
			after(r)
		}
	}
}

// serving counts each model's replicas that are not going.
func (s *stage) serving(t testing.TB) map[fleet.ModelName]int {
	t.Helper()
	snapshot, err := s.world.Observe(t.Context(), s.world.Now())
	if err != nil {
		t.Fatal(err)
	}
	out := map[fleet.ModelName]int{}
	for _, r := range snapshot.Replicas {
		if r.State != fleet.ReplicaDraining {
			out[r.Model]++
		}
	}
	return out
}
