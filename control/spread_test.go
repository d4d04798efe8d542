package control_test

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// small is a GPU of four small slices and a large one.
var small = fleet.GPU{Type: "a100-80gb", Geometry: fleet.Geometry{
	{Profile: "1g.10gb", Start: 0}, {Profile: "1g.10gb", Start: 1}, {Profile: "1g.10gb", Start: 2}, {Profile: "1g.10gb", Start: 3}, {Profile: "3g.40gb", Start: 4},
}}

// twoNodes is a fleet of two nodes, each of one GPU in small slices, with servers of models
// on the slices of each from the first on. Each model needs two requests in six seconds.
func twoNodes(offering fleet.OfferingName, first, second []fleet.ModelName) control.Inputs {
	s := fleet.Snapshot{Sequence: 100}
	rates, peaks := map[fleet.ModelName]float64{}, map[fleet.ModelName]policy.Peaks{}
	for i, models := range [][]fleet.ModelName{first, second} {
		n := fleet.Node{
			ID: fleet.NodeID("node-0000" + string(rune('1'+i))), Offering: offering, State: fleet.NodeReady,
			RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour), GPUs: []fleet.GPU{small},
		}
		s.Nodes = append(s.Nodes, n)
		for start, m := range models {
			s.Replicas = append(s.Replicas, fleet.Replica{
				ID: fleet.ReplicaID(string(m) + "-0001" + string(rune('1'+i))), Model: m, Variant: "fp16", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: n.ID}, Start: start},
				State: fleet.ReplicaReady, Since: n.ReadyAt, InFlight: fleet.Measured(0, 0, 1),
			})
			rates[m] = 0.33
			peaks[m] = policy.Peaks{Queue: []policy.Peak{{At: monday, Value: 0.33}}}
		}
	}
	in := seen(s, rates)
	in.Memory.Peaks = peaks
	in.Memory.NextConsolidation = monday.Add(time.Hour)
	return in
}

// floors are models with a replica at least.
func floors(names ...fleet.ModelName) []fleet.Model {
	var out []fleet.Model
	for _, name := range names {
		m := speech(name, fleet.Streaming, 3*time.Second)
		m.MinReplicas, m.SLO.Target = 1, 0.97
		out = append(out, m)
	}
	return out
}

// spot is a node that its seller may take back.
func spot() fleet.Offering {
	o := offered("spot", "a100-80gb", 1, fleet.ReshapeNode)
	o.Purchase = fleet.Spot
	return o
}

// TestAModelOnOneNodeThatMayBeLostIsSpread over what is paid for and free, on no node that
// nobody else needs, and on none where losses are rare.
func TestAModelOnOneNodeThatMayBeLostIsSpread(t *testing.T) {
	models := floors("transcribe-de", "transcribe-fr")
	onDemand := offered("a100", "a100-80gb", 1, fleet.ReshapeNode)
	for _, c := range []struct {
		name   string
		on     fleet.OfferingName
		second []fleet.ModelName
		want   int
	}{
		{"beside another", "spot", []fleet.ModelName{"transcribe-de"}, 2},
		{"an empty node is given back", "spot", nil, 0},
		{"on demand", "a100", []fleet.ModelName{"transcribe-de"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := settingsOf(models, onDemand, spot())
			d := decided(t, s, twoNodes(c.on, []fleet.ModelName{"transcribe-fr"}, c.second))
			got := 0
			for _, step := range d.Plan.Steps {
				if start, ok := step.(fleet.StartReplica); ok && start.Reason.Code == fleet.ReasonSpread {
					got++
				}
			}
			if got != c.want || steps(d, fleet.KindBuyNode) > 0 {
				t.Errorf("%d are spread, want %d:\n%s", got, c.want, d.Plan.Describe())
			}
		})
	}
}

// TestWhatSpreadsAModelStays though it is more than the need, and what stands beside others
// does not.
func TestWhatSpreadsAModelStays(t *testing.T) {
	for _, c := range []struct {
		offering fleet.Offering
		want     int
	}{{spot(), 0}, {offered("a100", "a100-80gb", 1, fleet.ReshapeNode), 1}} {
		s := settingsOf(floors("transcribe-de", "transcribe-fr"), c.offering)
		in := twoNodes(c.offering.Name, []fleet.ModelName{"transcribe-fr", "transcribe-de"}, []fleet.ModelName{"transcribe-fr"})
		if d := decided(t, s, in); steps(d, fleet.KindStopReplica) != c.want {
			t.Errorf("on %s %d are to stop:\n%s", c.offering.Name, c.want, d.Plan.Describe())
		}
	}
}

// TestWhatSpreadsGivesWayBeforeANodeIsBought: who needs more takes the slice.
func TestWhatSpreadsGivesWayBeforeANodeIsBought(t *testing.T) {
	s := settingsOf(floors("transcribe-de", "transcribe-en", "transcribe-fr", "transcribe-it"), spot())
	first := []fleet.ModelName{"transcribe-fr", "transcribe-de", "transcribe-it"}
	in := twoNodes("spot", first, []fleet.ModelName{"transcribe-en", "transcribe-fr", "transcribe-de", "transcribe-it"})
	for i := range in.Snapshot.Nodes { // no slice is free but what spreads
		most := len(first) + i
		in.Snapshot.Nodes[i].GPUs = []fleet.GPU{{Type: "a100-80gb", Geometry: small.Geometry[:most]}}
	}
	for i, m := range in.Snapshot.Models {
		if m.Model == "transcribe-en" {
			in.Snapshot.Models[i].Arrivals = fleet.Measured(0.7, 0, 1)
		}
	}
	d := decided(t, s, in)
	yields := 0
	for _, step := range d.Plan.Steps {
		if stop, ok := step.(fleet.StopReplica); ok && stop.Reason.Code == fleet.ReasonYield {
			yields++
		}
	}
	if yields != 1 || len(d.Plan.Steps) != 1 {
		t.Errorf("%s", d.Plan.Describe())
	}
	// What is needed by more than all of them would give is bought.
	for i, m := range in.Snapshot.Models {
		if m.Model == "transcribe-en" {
			in.Snapshot.Models[i].Arrivals = fleet.Measured(20, 0, 1)
		}
	}
	if d := decided(t, s, in); steps(d, fleet.KindBuyNode) == 0 {
		t.Errorf("%s", d.Plan.Describe())
	}
}
