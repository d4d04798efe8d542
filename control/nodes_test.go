package control_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// offered is an offering with what its GPUs decide, at ten dollars a node.
func offered(name fleet.OfferingName, gpu fleet.GPUType, gpus int, scope fleet.ReshapeScope) fleet.Offering {
	o := smallCatalog().Offerings[0]
	o.Name, o.GPU, o.GPUs, o.Reshape, o.Price = name, gpu, gpus, scope, fleet.PerHour(dollars(10))
	return o
}

// settingsOf is a policy that may buy all of a catalog.
func settingsOf(models []fleet.Model, offerings ...fleet.Offering) control.Settings {
	s := control.Settings{Policy: smallPolicy(), Catalog: fleet.Catalog{Currency: "USD", Offerings: offerings}}
	s.Policy.Models, s.Policy.Offerings = models, nil
	for _, o := range offerings {
		s.Policy.Offerings = append(s.Policy.Offerings, o.Name)
	}
	return s
}

// seen is a planning tick that sees a fleet and arrivals, without a forecast.
func seen(s fleet.Snapshot, arrivals map[fleet.ModelName]float64) control.Inputs {
	s.At = monday
	for name, rate := range arrivals {
		s.Models = append(s.Models, fleet.ModelSignals{Model: name, Arrivals: fleet.Measured(rate, 0, 1), Backlog: fleet.Measured(0, 0, 1)})
	}
	s.Sort()
	return control.Inputs{Now: monday, Pace: control.Planning, Snapshot: s}
}

// decided decides, and checks that every step has its precondition and every
// bought node is as it is sold.
func decided(t *testing.T, s control.Settings, in control.Inputs) control.Decision {
	t.Helper()
	d, err := control.Decide(s, policy.NewSizer(), in)
	if err != nil {
		t.Fatal(err)
	}
	view := in.Snapshot.Clone()
	for _, step := range d.Plan.Steps {
		if err := step.Apply(&view); err != nil {
			t.Errorf("%s: %v", step.Describe(), err)
		}
		if buy, ok := step.(fleet.BuyNode); ok {
			o, _ := s.Catalog.Offering(buy.Offering)
			if len(buy.GPUs) != o.GPUs {
				t.Errorf("%s has %d GPUs, a node of %s has %d", buy.Node, len(buy.GPUs), o.Name, o.GPUs)
			}
			for _, g := range buy.GPUs {
				if spec, ok := fleet.LookupGPU(g.Type); g.Type != o.GPU || len(g.Geometry) == 0 || ok && g.Geometry.Validate(spec) != nil {
					t.Errorf("%s: no node of %s has a GPU %v", step.Describe(), o.Name, g)
				}
			}
		}
	}
	for _, r := range view.Replicas {
		kind, _ := view.KindOf(r)
		m, _ := s.Policy.Model(r.Model)
		v, _ := m.Profile.Variant(r.Variant)
		if _, ok := v.On(kind); !ok && r.State == fleet.ReplicaPending {
			t.Errorf("%s was put on %s, where nobody measured it", r.ID, kind)
		}
	}
	return d
}

// steps counts the steps of a kind.
func steps(d control.Decision, kind fleet.StepKind) int {
	n := 0
	for _, step := range d.Plan.Steps {
		if step.Kind() == kind {
			n++
		}
	}
	return n
}

// on measures a model on one kind of slice.
func on(m fleet.Model, kind fleet.SliceKind, seconds ...float64) fleet.Model {
	perf := m.Profile.Variants[0].Slices[0]
	perf.Kind, perf.Seconds = kind, seconds
	m.Profile.Variants = []fleet.Variant{{Name: "fp16", Accuracy: 1, Slices: append([]fleet.Performance(nil), append(m.Profile.Variants[0].Slices, perf)...)}}
	return m
}

// TestANodeIsBoughtWhole: of eight GPUs one is needed, and the others come cut so
// that the fleet can use them.
func TestANodeIsBoughtWhole(t *testing.T) {
	fr := speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{fr}, offered("p4de", "a100-80gb", 8, fleet.ReshapeNode))
	d := decided(t, s, seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-fr": 2}))
	if steps(d, fleet.KindBuyNode) != 1 || steps(d, fleet.KindStartReplica) == 0 {
		t.Fatalf("%s", d.Plan.Describe())
	}
	for _, g := range d.Plan.Steps[0].(fleet.BuyNode).GPUs {
		if g.Geometry[0].Profile == fleet.WholeGPU {
			t.Errorf("a GPU comes undivided, where nobody measured the model: %s", d.Plan.Describe())
		}
	}
}

// TestUndividedGPUsAreBoughtUndivided, where there is no MIG.
func TestUndividedGPUsAreBoughtUndivided(t *testing.T) {
	fr := on(speech("transcribe-fr", fleet.Streaming, 3*time.Second), fleet.SliceKind{GPU: "l4-24gb", Profile: fleet.WholeGPU}, 0.5, 1.5, 3)
	s := settingsOf([]fleet.Model{fr}, offered("g6", "l4-24gb", 4, fleet.ReshapeNode))
	d := decided(t, s, seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-fr": 2}))
	if steps(d, fleet.KindBuyNode) != 1 || steps(d, fleet.KindStartReplica) == 0 {
		t.Errorf("%s", d.Plan.Describe())
	}
}

// TestCPUNodesServeWhoFitsThem: a model that was measured on CPUs goes to the node
// with memory for it, and never to a smaller one that costs less.
func TestCPUNodesServeWhoFitsThem(t *testing.T) {
	mt := on(speech("translate-fr", fleet.Streaming, 3*time.Second), fleet.CPUSlice, 0.3, 1, 2)
	small, large := offered("c3-4", fleet.CPU, 1, fleet.ReshapeNode), offered("c3-8", fleet.CPU, 1, fleet.ReshapeNode)
	small.Price, small.MemoryMiB, large.Price, large.MemoryMiB = fleet.PerHour(dollars(1)), 4000, fleet.PerHour(dollars(2)), 16000
	s := settingsOf([]fleet.Model{mt}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode), small, large)
	d := decided(t, s, seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"translate-fr": 0.5}))
	if buy, ok := d.Plan.Steps[0].(fleet.BuyNode); !ok || buy.Offering != "c3-8" || steps(d, fleet.KindStartReplica) == 0 {
		t.Errorf("%s", d.Plan.Describe())
	}
}

// twoGPUs is a node of two GPUs, each one slice 7g, with a server on the first.
func twoGPUs(model fleet.ModelName) fleet.Snapshot {
	seven := fleet.GPU{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "7g.80gb"}}}
	n := fleet.Node{ID: "pair-00001", Offering: "pair", State: fleet.NodeReady, RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour), GPUs: []fleet.GPU{seven, seven}}
	r := fleet.Replica{ID: "r-00002", Model: model, Variant: "fp16", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: n.ID}}, State: fleet.ReplicaReady, Since: n.ReadyAt}
	return fleet.Snapshot{Nodes: []fleet.Node{n}, Replicas: []fleet.Replica{r}}
}

// TestReshapingAsksForWhatTheOfferingSays: beside a server the other GPU of the
// node is cut anew only where GPUs are reshaped one by one; the one at work never.
func TestReshapingAsksForWhatTheOfferingSays(t *testing.T) {
	en, fr := speech("transcribe-en", fleet.Streaming, 3*time.Second), speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	fr.Profile.Variants = []fleet.Variant{{Name: "fp16", Accuracy: 1, Slices: fr.Profile.Variants[0].Slices[:2]}} // not on 7g
	for scope, want := range map[fleet.ReshapeScope]int{fleet.ReshapeGPU: 1, fleet.ReshapeNode: 0} {
		pair := offered("pair", "a100-80gb", 2, scope)
		pair.Limit = 1
		s := settingsOf([]fleet.Model{en, fr}, pair)
		d := decided(t, s, seen(twoGPUs("transcribe-en"), map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 1}))
		if got := steps(d, fleet.KindReshape); got != want {
			t.Errorf("scope %s: %d reshapes:\n%s", scope, got, d.Plan.Describe())
		}
		for _, step := range d.Plan.Steps {
			if r, ok := step.(fleet.Reshape); ok && r.GPU.Index != 1 {
				t.Errorf("scope %s: %s", scope, step.Describe())
			}
		}
	}
}

// TestServersThatThePolicyNoLongerKnows: a server that sits on a slice nobody
// measured, or of a model that left the policy, is in nobody's way.
func TestServersThatThePolicyNoLongerKnows(t *testing.T) {
	fr := speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{fr}, offered("pair", "a100-80gb", 2, fleet.ReshapeNode))
	// 1. A model that left, while it still gets requests: nothing happens to it.
	gone := seen(twoGPUs("transcribe-old"), map[fleet.ModelName]float64{"transcribe-fr": 0.5, "transcribe-old": 1})
	if d := decided(t, s, gone); steps(d, fleet.KindStopReplica) > 0 || steps(d, fleet.KindStartReplica) == 0 {
		t.Errorf("%s", d.Plan.Describe())
	}
	// 2. Once it gets none, it goes.
	gone = seen(twoGPUs("transcribe-old"), map[fleet.ModelName]float64{"transcribe-fr": 0.5, "transcribe-old": 0})
	if d := decided(t, s, gone); steps(d, fleet.KindStopReplica) != 1 {
		t.Errorf("%s", d.Plan.Describe())
	}
	// 3. A server on a slice that nobody measures any more: another takes its place
	// before it goes.
	fr.Profile.Variants = []fleet.Variant{{Name: "fp16", Accuracy: 1, Slices: fr.Profile.Variants[0].Slices[:2]}}
	s = settingsOf([]fleet.Model{fr}, offered("pair", "a100-80gb", 2, fleet.ReshapeGPU))
	d := decided(t, s, seen(twoGPUs("transcribe-fr"), map[fleet.ModelName]float64{"transcribe-fr": 0.5}))
	if steps(d, fleet.KindStopReplica) > 0 || steps(d, fleet.KindStartReplica) == 0 {
		t.Errorf("%s", d.Plan.Describe())
	}
}

// TestAFleetComesUpWithoutHistory: for the floor, and for what is seen; a guess
// buys nothing.
func TestAFleetComesUpWithoutHistory(t *testing.T) {
	fr, en := speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("transcribe-en", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{en, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	guess := forecast.NewSeasonal(time.Minute).Forecast(monday, forecast.Leads(time.Hour))
	blind := control.Inputs{Now: monday, Pace: control.Planning, Snapshot: fleet.Snapshot{At: monday}, Forecasts: []control.ModelForecast{{Model: "transcribe-en", Path: guess}, {Model: "transcribe-fr", Path: guess}}}
	if d := decided(t, s, blind); len(d.Plan.Steps) > 0 {
		t.Errorf("on a guess: %s", d.Plan.Describe())
	}
	s.Policy.Models[1].MinReplicas = 1
	d := decided(t, s, blind)
	if steps(d, fleet.KindBuyNode) != 1 || steps(d, fleet.KindStartReplica) != 1 {
		t.Errorf("for the floor: %s", d.Plan.Describe())
	}
	d = decided(t, s, seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-en": 2, "transcribe-fr": 0}))
	if steps(d, fleet.KindBuyNode) != 1 || steps(d, fleet.KindStartReplica) < 2 {
		t.Errorf("for what is seen: %s", d.Plan.Describe())
	}
}

// TestALoopThatBeginsAnewGivesNewNames: the names in the fleet are not given again.
func TestALoopThatBeginsAnewGivesNewNames(t *testing.T) {
	en := speech("transcribe-en", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{en}, offered("pair", "a100-80gb", 2, fleet.ReshapeNode))
	for number := range 12 {
		fleets := twoGPUs("transcribe-en")
		fleets.Nodes[0].ID = fleet.NodeID(fmt.Sprintf("pair-%05d", number))
		fleets.Replicas[0].Slice.GPU.Node = fleets.Nodes[0].ID
		d := decided(t, s, seen(fleets, map[fleet.ModelName]float64{"transcribe-en": 60}))
		if steps(d, fleet.KindBuyNode) == 0 {
			t.Errorf("%s", d.Plan.Describe())
		}
		for _, held := range d.Plan.Held {
			if held.Code == fleet.ReasonHeldStale {
				t.Errorf("beside %s: %s", fleets.Nodes[0].ID, held)
			}
		}
	}
}

// TestWhatServesStaysUntilItsSuccessorIsReady: a surplus that is only still
// starting stops nobody.
func TestWhatServesStaysUntilItsSuccessorIsReady(t *testing.T) {
	fr := speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{fr}, offered("pair", "a100-80gb", 2, fleet.ReshapeNode))
	for state, want := range map[fleet.ReplicaState]int{fleet.ReplicaPending: 0, fleet.ReplicaReady: 1} {
		fleets := twoGPUs("transcribe-fr")
		next := fleets.Replicas[0]
		next.ID, next.State, next.Slice.GPU.Index = "r-00003", state, 1
		fleets.Replicas = append(fleets.Replicas, next)
		in := seen(fleets, map[fleet.ModelName]float64{"transcribe-fr": 0.5})
		in.Memory.Peaks = map[fleet.ModelName]policy.Peaks{"transcribe-fr": {Queue: []policy.Peak{{At: monday, Value: 0.5}}}}
		if d := decided(t, s, in); steps(d, fleet.KindStopReplica) != want {
			t.Errorf("beside a %s one:\n%s", state, d.Plan.Describe())
		}
	}
}
