package control_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// working is a fleet of four ready servers, each of which carries more than a request a
// second, with more than an hour of no demand behind it and a request a second now.
func working(busy fleet.Signal) (control.Settings, control.Inputs) {
	fr := speech("transcribe-fr", fleet.Streaming, 3*time.Second)
	fr.MinReplicas = 1
	s := settingsOf([]fleet.Model{fr}, smallCatalog().Offerings...)
	long := monday.Add(-time.Hour)
	snapshot := fleet.Snapshot{Spend: fleet.Spend{Day: dollars(1), Month: dollars(1)}}
	for _, node := range []fleet.NodeID{"a100-00001", "a100-00002"} {
		snapshot.Nodes = append(snapshot.Nodes, fleet.Node{
			ID: node, Offering: "a100", State: fleet.NodeReady, RequestedAt: long.Add(-8 * time.Minute), ReadyAt: long, BilledUntil: long,
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "3g.40gb", Start: 0}, {Profile: "3g.40gb", Start: 4}}}},
		})
		for _, start := range []int{0, 4} {
			slice := fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: start}
			snapshot.Replicas = append(snapshot.Replicas, fleet.Replica{
				ID: fleet.ReplicaID(fmt.Sprintf("%s-%d", node, start)), Model: fr.Name, Variant: "fp16", Slice: slice,
				State: fleet.ReplicaReady, Since: long, InFlight: fleet.Measured(0, 0, 1),
				Stages: []fleet.Stage{{Name: "load", Began: long.Add(-30 * time.Second), Ended: long}},
			})
		}
	}
	in := seen(snapshot, map[fleet.ModelName]float64{"transcribe-fr": 1})
	in.Snapshot.Models[0].Utilisation = busy
	in.Memory.Peaks = map[fleet.ModelName]policy.Peaks{"transcribe-fr": {Queue: []policy.Peak{{At: monday.Add(-time.Minute), Value: 1}}}}
	in.Memory.NextConsolidation = monday.Add(-time.Minute)
	return s, in
}

// shrinks counts what a decision takes away.
func shrinks(d control.Decision) int {
	return steps(d, fleet.KindStopReplica) + steps(d, fleet.KindDrainNode)
}

// TestServersThatAreBusierThanCanBeAreKept: a profile by which most of them are idle is
// wrong about them, and nothing is given back on its word. Whoever does not know how busy
// they are believes the profile, and so does who is told what it explains.
func TestServersThatAreBusierThanCanBeAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		busy  fleet.Signal
		keeps bool
	}{
		"busy":    {fleet.Measured(0.95, time.Minute, 1), true},
		"idle":    {fleet.Measured(0.1, time.Minute, 1), false},
		"half":    {fleet.Measured(0.6, time.Minute, 1), false},
		"unknown": {fleet.Unknown("nobody says"), false},
		"old":     {fleet.Measured(0.95, time.Hour, 1), false},
	} {
		s, in := working(c.busy)
		d := decided(t, s, in)
		if kept := shrinks(d) == 0; kept != c.keeps {
			t.Errorf("%s: kept %v\n%s", name, kept, d.Plan.Describe())
		}
		if told := slices.ContainsFunc(d.Plan.Held, func(r fleet.Reason) bool { return r.Code == fleet.ReasonHeldBusy }); told != c.keeps {
			t.Errorf("%s: told %v: %v", name, told, d.Plan.Held)
		}
	}
}

// TestWhatStandsIsLearntFromAtOnce: a loop that begins anew takes the starts of what it
// meets, each once, and leaves the memory that it was given as it was.
func TestWhatStandsIsLearntFromAtOnce(t *testing.T) {
	s, in := working(fleet.Unknown("nobody says"))
	for range 3 {
		given, _ := json.Marshal(in.Memory)
		d := decided(t, s, in)
		if after, _ := json.Marshal(in.Memory); string(after) != string(given) {
			t.Fatalf("the memory of the record changed from\n%s\nto\n%s", given, after)
		}
		l := d.Memory.Learnt
		if lead := l.Leads["a100"]; lead.Count != 2 || len(lead.Seen) != 2 || lead.Seen[0] != 480 {
			t.Errorf("two nodes came after eight minutes: %+v", lead)
		}
		if len(l.Loads) != 1 || l.Loads[0].Count != 4 || l.Loads[0].Seen[0] != 30 {
			t.Errorf("four servers loaded for 30 seconds: %+v", l.Loads)
		}
		in.Memory, in.Now = d.Memory, in.Now.Add(time.Minute)
		in.Snapshot.At = in.Now
	}
}

// TestNodesOfOthersTeachNothing, nor does one that went before it was ready.
func TestNodesOfOthersTeachNothing(t *testing.T) {
	s, in := working(fleet.Unknown("nobody says"))
	in.Snapshot.Nodes[0].Fixed = true
	in.Snapshot.Nodes[1].RequestedAt = time.Time{}
	waiting := fleet.Node{ID: "a100-00009", Offering: "a100", State: fleet.NodeStarting, RequestedAt: monday.Add(-20 * time.Minute), GPUs: in.Snapshot.Nodes[0].GPUs}
	in.Snapshot.Nodes = append(in.Snapshot.Nodes, waiting)
	d := decided(t, s, in)
	late := d.Memory.Learnt.Leads["a100"]
	if late.Count != 0 || late.Late != 1 || late.Delay.P95 < 15*time.Minute {
		t.Errorf("one node of ours is starting for 20 minutes: %+v", late)
	}
	in.Memory, in.Snapshot.Nodes = d.Memory, in.Snapshot.Nodes[:2]
	d = decided(t, s, in)
	if gone := d.Memory.Learnt.Leads["a100"]; gone.Delay != gone.Prior || gone.Late != 0 {
		t.Errorf("a node that was given up leaves %+v", gone)
	}
}
