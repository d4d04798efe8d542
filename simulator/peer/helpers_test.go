package peer

import (
	"fmt"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// monday is the start of every world: midnight, so that the morning comes.
var monday = time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)

// catalog sells A100s that take about five minutes to come.
func catalog(limit int) fleet.Catalog {
	return fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{{
		Name: "a100", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(fleet.Micros(5_000_000, "USD")), Limit: limit,
		MinimumBilling: time.Minute, Reshape: fleet.ReshapeNode, ReshapeTime: fleet.Fixed(time.Minute),
		Lead: fleet.LeadTime{
			Node: fleet.Delay{P50: 3 * time.Minute, P95: 5 * time.Minute}, Driver: fleet.Fixed(time.Minute), Image: fleet.Fixed(time.Minute),
		},
	}}}
}

// speech serves batches of up to eight on a seventh of an A100.
func speech(name fleet.ModelName, kind fleet.ClassKind, limit time.Duration) fleet.Model {
	return fleet.Model{
		Name: name, Kind: kind, SLO: fleet.SLO{Limit: limit, Target: 0.99}, MaxReplicas: 100,
		Profile: fleet.PerformanceProfile{Name: "asr", Unit: "request", Queue: fleet.LeastLoad, MeanWork: 1, Variants: []fleet.Variant{{
			Name: "fp16", Accuracy: 1, Slices: []fleet.Performance{{
				Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, Batch: []int{1, 4, 8}, Seconds: []float64{0.8, 2.4, 4},
				MemoryMiB: 9000, Load: fleet.Delay{P50: 20 * time.Second, P95: 40 * time.Second},
			}},
		}}},
	}
}

// sevenths is an A100 in seven slices.
func sevenths() fleet.Geometry {
	var g fleet.Geometry
	for i := range 7 {
		g = append(g, fleet.Placement{Profile: "1g.10gb", Start: i})
	}
	return g
}

// settingsOf sells up to twenty A100s to the models, which are sorted by name.
func settingsOf(models ...fleet.Model) control.Settings {
	return control.Settings{
		Policy:  policy.Policy{Name: "test", Currency: "USD", Models: models, Offerings: []fleet.OfferingName{"a100"}},
		Catalog: catalog(20),
	}
}

// setupOf puts every model on sevenths.
func setupOf(least, most int, s control.Settings, parameters map[string]float64) Setup {
	out := Setup{Pools: []Pool{{Name: "sevenths", Offering: "a100", Geometry: sevenths()}}, Deployments: map[fleet.ModelName]Deployment{}, Parameters: parameters}
	for _, m := range s.Policy.Models {
		out.Deployments[m.Name] = Deployment{Pool: "sevenths", Variant: "fp16", Profile: "1g.10gb", Min: least, Max: most}
	}
	return out
}

// one is the model of tests that need only one.
var one = speech("en", fleet.Streaming, 10*time.Second)

// scalerOf makes a peer for one model.
func scalerOf(t testing.TB, name string, least, most int, parameters map[string]float64) Scaler {
	t.Helper()
	settings := settingsOf(one)
	s, err := NewScaler(name, settings, setupOf(least, most, settings, parameters), map[fleet.ModelName]Known{"en": {Peak: 10, Mean: 4}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// look is a view in which everything is known and every replica ready.
func look(replicas int, concurrency, backlog float64) View {
	return View{
		Model: one, Replicas: replicas, Ready: replicas, Concurrency: fleet.Measured(concurrency, 0, 1),
		Backlog: fleet.Measured(backlog, 0, 1), Arrivals: fleet.Measured(concurrency, 0, 1),
	}
}

// blind is a view in which no signal is known.
func blind(replicas int) View {
	no := fleet.Unknown("metrics are missing")
	return View{Model: one, Replicas: replicas, Ready: replicas, Concurrency: no, Backlog: no, Arrivals: no, Utilisation: no, Attainment: no}
}

// ask is one answer of the scaler, with what Keep stands for.
func ask(t testing.TB, s Scaler, now time.Time, v View) int {
	t.Helper()
	got := s.Scale(now, []View{v})
	if len(got) != 1 {
		t.Fatalf("%d answers for one model", len(got))
	}
	if got[0] == Keep {
		return v.Replicas
	}
	return got[0]
}

// worldOf has Poisson traffic of the given peaks, by office hours or constant.
func worldOf(t testing.TB, s control.Settings, shape string, peaks map[fleet.ModelName]float64, seed uint64, faults ...simulator.Fault) *simulator.World {
	t.Helper()
	cfg := simulator.Config{Start: monday, Catalog: s.Catalog, Models: s.Policy.Models, Seed: seed, Patience: 20, Sources: map[fleet.ModelName]traffic.Source{}, Faults: faults}
	for _, m := range s.Policy.Models {
		if peaks[m.Name] == 0 {
			continue
		}
		source, err := traffic.NewGenerated(traffic.Generated{Model: m.Name, Shape: shape, Zone: "Europe/Paris", Peak: peaks[m.Name]}, monday, 48*time.Hour, seed)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[m.Name] = source
	}
	w, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// wish is a Scaler that says what the test says.
type wish struct {
	every time.Duration
	say   func(now time.Time, v View) int
}

func (w wish) Every() time.Duration { return w.every }

func (w wish) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i, v := range models {
		out[i] = w.say(now, v)
	}
	return out
}

// stage is a cluster in a world.
type stage struct {
	world   *simulator.World
	cluster *Cluster
	at      time.Time
}

func newStage(t testing.TB, s control.Settings, setup Setup, w *simulator.World, scaler Scaler) *stage {
	t.Helper()
	c, err := NewCluster(w, w, s, setup, scaler)
	if err != nil {
		t.Fatal(err)
	}
	return &stage{world: w, cluster: c, at: monday}
}

// run ticks for a while and shows every record, and the fleet after it.
func (s *stage) run(t testing.TB, d time.Duration, each func(control.Record, fleet.Snapshot)) {
	t.Helper()
	for end := s.at.Add(d); s.at.Before(end); s.at = s.at.Add(s.cluster.Every()) {
		s.world.AdvanceTo(s.at)
		r, err := s.cluster.Tick(t.Context(), s.at)
		if err != nil {
			t.Fatal(err)
		}
		if each != nil {
			each(r, s.seen(t))
		}
	}
}

func (s *stage) seen(t testing.TB) fleet.Snapshot {
	t.Helper()
	seen, err := s.world.Observe(t.Context(), s.world.Now())
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// census counts the replicas of a model by state.
func census(s fleet.Snapshot, m fleet.ModelName) map[fleet.ReplicaState]int {
	out := map[fleet.ReplicaState]int{}
	for _, r := range s.Replicas {
		if r.Model == m {
			out[r.State]++
		}
	}
	return out
}

// refusals tells what the world refused of a record.
func refusals(r control.Record) []string {
	var out []string
	for _, o := range r.Outcomes {
		if o.Result != control.Done {
			out = append(out, fmt.Sprintf("%s: %s", o.Step, o.Detail))
		}
	}
	return out
}
