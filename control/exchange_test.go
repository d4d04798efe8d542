package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// aloneOnGPUs is a fleet in which each model has an undivided GPU of its own, and the
// loop knows that it needs no more than what comes.
func aloneOnGPUs(arrivals map[fleet.ModelName]float64, models ...fleet.ModelName) control.Inputs {
	s := fleet.Snapshot{Sequence: 10}
	peaks := map[fleet.ModelName]policy.Peaks{}
	for i, m := range models {
		n := fleet.Node{
			ID: fleet.NodeID("a100-0000" + string(rune('1'+i))), Offering: "a100", State: fleet.NodeReady,
			RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour),
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "7g.80gb"}}}},
		}
		s.Nodes = append(s.Nodes, n)
		s.Replicas = append(s.Replicas, fleet.Replica{
			ID: fleet.ReplicaID(m) + "-00009", Model: m, Variant: "fp16", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: n.ID}},
			State: fleet.ReplicaReady, Since: n.ReadyAt,
		})
		peaks[m] = policy.Peaks{Queue: []policy.Peak{{At: monday, Value: arrivals[m]}}}
	}
	in := seen(s, arrivals)
	in.Memory.Peaks = peaks
	return in
}

// TestTwoGPUsOfWhichLittleIsNeededBecomeOne: the new node and its servers are asked for
// before the old ones go, nothing is stopped meanwhile, and the reason names the money.
func TestTwoGPUsOfWhichLittleIsNeededBecomeOne(t *testing.T) {
	fr, de := speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("transcribe-de", fleet.Streaming, 3*time.Second)
	fr.MinReplicas, de.MinReplicas = 1, 1
	s := settingsOf([]fleet.Model{de, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	for _, c := range []struct {
		name       string
		rate       float64
		cap        int64
		buy, drain int
	}{
		{"a third of each is needed", 0.9, 100, 1, 2},
		{"most of each is needed", 6, 100, 0, 0},
		{"the cap leaves no room for both meanwhile", 0.9, 25, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Policy.Budgets = []policy.Budget{{Per: policy.Hour, Amount: dollars(c.cap), OnExceeded: policy.Hold}}
			d := decided(t, s, aloneOnGPUs(map[fleet.ModelName]float64{fr.Name: c.rate, de.Name: c.rate}, fr.Name, de.Name))
			if steps(d, fleet.KindBuyNode) != c.buy || steps(d, fleet.KindDrainNode) != c.drain || steps(d, fleet.KindStopReplica) != 0 {
				t.Fatalf("%s", d.Plan.Describe())
			}
			if c.buy == 0 {
				return
			}
			if steps(d, fleet.KindStartReplica) != 2 || !strings.Contains(d.Plan.Describe(), "fits on less, and $10.00/h is saved") {
				t.Errorf("%s", d.Plan.Describe())
			}
		})
	}
}

// TestNothingIsExchangedWhileSomethingIsUnderWay, or of which not enough is known.
func TestNothingIsExchangedWhileSomethingIsUnderWay(t *testing.T) {
	fr, de := speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("transcribe-de", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{de, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	rates := map[fleet.ModelName]float64{fr.Name: 0.9, de.Name: 0.9}
	for name, change := range map[string]func(*control.Inputs){
		"a server starts":       func(in *control.Inputs) { in.Snapshot.Replicas[0].State = fleet.ReplicaPending },
		"a node is somebody's":  func(in *control.Inputs) { in.Snapshot.Nodes[0].Fixed = true },
		"arrivals are unknown":  func(in *control.Inputs) { in.Snapshot.Models[0].Arrivals = fleet.Unknown("no answer") },
		"a fast tick":           func(in *control.Inputs) { in.Pace = control.Fast },
		"it was just looked at": func(in *control.Inputs) { in.Memory.NextConsolidation = monday.Add(time.Minute) },
	} {
		in := aloneOnGPUs(rates, fr.Name, de.Name)
		change(&in)
		if d := decided(t, s, in); steps(d, fleet.KindBuyNode)+steps(d, fleet.KindDrainNode) > 0 {
			t.Errorf("%s: %s", name, d.Plan.Describe())
		}
	}
}

// TestAMoveIsAllOrNothing: where the guard would hold any part of it, nothing is drained.
func TestAMoveIsAllOrNothing(t *testing.T) {
	rates := map[fleet.ModelName]float64{"transcribe-fr": 0.9, "transcribe-de": 0.9}
	for name, change := range map[string]func(*control.Settings, *control.Inputs){
		"the cap of the group": func(s *control.Settings, _ *control.Inputs) {
			s.Policy.Budgets = []policy.Budget{{Group: "speech", Per: policy.Hour, Amount: dollars(25), OnExceeded: policy.Hold}}
		},
		"one replica and no more": func(s *control.Settings, _ *control.Inputs) {
			for i := range s.Policy.Models {
				s.Policy.Models[i].MaxReplicas = 1
			}
		},
		"one node drains at a time": func(s *control.Settings, _ *control.Inputs) { s.Policy.ScaleDown.MaxNodes = 1 },
		"both are paid for a day": func(_ *control.Settings, in *control.Inputs) {
			for i := range in.Snapshot.Nodes {
				in.Snapshot.Nodes[i].BilledUntil = monday.Add(23 * time.Hour)
			}
		},
		"the new one must be paid for a day": func(s *control.Settings, _ *control.Inputs) {
			s.Catalog.Offerings[0].MinimumBilling = 24 * time.Hour
		},
		"both are reserved": func(s *control.Settings, _ *control.Inputs) {
			s.Catalog.Offerings[0].Purchase = fleet.Reserved
		},
	} {
		fr, de := speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("transcribe-de", fleet.Streaming, 3*time.Second)
		s := settingsOf([]fleet.Model{de, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
		in := aloneOnGPUs(rates, fr.Name, de.Name)
		change(&s, &in)
		if d := decided(t, s, in); len(d.Plan.Steps) > 0 {
			t.Errorf("%s: %s", name, d.Plan.Describe())
		}
	}
}

// TestANodeThatDrainsEndsNoSearch: beside one that waits for the end of its billing, two
// others are exchanged.
func TestANodeThatDrainsEndsNoSearch(t *testing.T) {
	fr, de := speech("transcribe-fr", fleet.Streaming, 3*time.Second), speech("transcribe-de", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{de, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	s.Policy.ScaleDown.MaxNodes = 4
	in := aloneOnGPUs(map[fleet.ModelName]float64{fr.Name: 0.9, de.Name: 0.9}, fr.Name, de.Name)
	idle := in.Snapshot.Nodes[0]
	idle.ID, idle.State, idle.BilledUntil = "a100-00003", fleet.NodeDraining, monday.Add(time.Hour)
	in.Snapshot.Nodes = append(in.Snapshot.Nodes, idle)
	if d := decided(t, s, in); steps(d, fleet.KindBuyNode) != 1 || steps(d, fleet.KindDrainNode) != 2 {
		t.Errorf("%s", d.Plan.Describe())
	}
}

// TestWhatLeavesServesUntilItsStandInDoes: while the new node starts, the old servers stay
// as long as what is needed before anything new could serve asks for them.
func TestWhatLeavesServesUntilItsStandInDoes(t *testing.T) {
	fr := speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	s := settingsOf([]fleet.Model{fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	in := aloneOnGPUs(map[fleet.ModelName]float64{fr.Name: 0.9}, fr.Name)
	in.Snapshot.Nodes[0].State = fleet.NodeDraining
	next := in.Snapshot.Nodes[0]
	next.ID, next.State = "a100-00002", fleet.NodeReady
	in.Snapshot.Nodes = append(in.Snapshot.Nodes, next)
	r := in.Snapshot.Replicas[0]
	r.ID, r.Slice.GPU.Node = "transcribe-fr-00010", next.ID
	for state, want := range map[fleet.ReplicaState]int{fleet.ReplicaPending: 0, fleet.ReplicaReady: 1} {
		r.State = state
		in.Snapshot.Replicas = append(in.Snapshot.Replicas[:1:1], r)
		if d := decided(t, s, in); steps(d, fleet.KindStopReplica) != want {
			t.Errorf("beside a %s one: %s", state, d.Plan.Describe())
		}
	}
}

// TestABoughtGPUIsCutForWhoMayGrow: for a large model alone into large slices, for three
// small ones into small ones.
func TestABoughtGPUIsCutForWhoMayGrow(t *testing.T) {
	en, fr := speech("transcribe-en", fleet.Streaming, 3*time.Second), speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	de := speech("transcribe-de", fleet.Streaming, 3*time.Second)
	for _, c := range []struct {
		models []fleet.Model
		rates  map[fleet.ModelName]float64
		least  int // slices
		most   int
	}{
		{[]fleet.Model{en}, map[fleet.ModelName]float64{en.Name: 2}, 1, 2},
		{[]fleet.Model{de, en, fr}, map[fleet.ModelName]float64{de.Name: 0.4, en.Name: 0.4, fr.Name: 0.4}, 4, 7},
	} {
		s := settingsOf(c.models, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
		d := decided(t, s, seen(fleet.Snapshot{}, c.rates))
		for _, step := range d.Plan.Steps {
			if buy, ok := step.(fleet.BuyNode); ok {
				if n := len(buy.GPUs[0].Geometry); n < c.least || n > c.most {
					t.Errorf("%d models: %s", len(c.models), step.Describe())
				}
			}
		}
		if steps(d, fleet.KindBuyNode) == 0 {
			t.Errorf("%s", d.Plan.Describe())
		}
	}
}
