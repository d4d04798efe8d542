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
