package control_test

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// captioning is a node of one GPU in two halves, with servers of captions on them: so many
// sessions each, where it is not negative.
func captioning(id fleet.NodeID, sessions ...float64) (fleet.Node, []fleet.Replica) {
	n := fleet.Node{
		ID: id, Offering: "a100", State: fleet.NodeReady, RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour),
		GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "3g.40gb"}, {Profile: "3g.40gb", Start: 4}}}},
	}
	var on []fleet.Replica
	for i, running := range sessions {
		if running >= 0 {
			on = append(on, fleet.Replica{
				ID: fleet.ReplicaID("captions-" + string(id) + string(rune('1'+i))), Model: "captions", Variant: "fp16",
				Slice: fleet.SliceID{GPU: fleet.GPUID{Node: id}, Start: 4 * i}, State: fleet.ReplicaReady, Since: n.ReadyAt, InFlight: fleet.Measured(running, 0, 1),
			})
		}
	}
	return n, on
}

// TestANodeIsFreedWhileSessionsEnd: sessions that drain hold their own slice, and keep no
// other server from moving to what is free. What is about to serve is waited for.
func TestANodeIsFreedWhileSessionsEnd(t *testing.T) {
	for _, c := range []struct {
		state fleet.ReplicaState
		drain int
	}{{fleet.ReplicaDraining, 1}, {fleet.ReplicaPending, 0}} {
		m := captions("captions")
		first, kept := captioning("a100-00001", 30, -1)
		second, moved := captioning("a100-00002", 28, 4)
		moved[1].State = c.state
		if c.state != fleet.ReplicaDraining {
			moved[1].InFlight = fleet.Unknown("does not serve yet")
		}
		in := seen(fleet.Snapshot{Sequence: 10, Nodes: []fleet.Node{first, second}, Replicas: append(kept, moved...)}, map[fleet.ModelName]float64{"captions": 0.1})
		in.Memory.Peaks = map[fleet.ModelName]policy.Peaks{"captions": {Queue: []policy.Peak{{At: monday, Value: 0.1}}}}
		d := decided(t, settingsOf([]fleet.Model{m}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode)), in)
		if steps(d, fleet.KindDrainNode) != c.drain || steps(d, fleet.KindStartReplica) != c.drain || steps(d, fleet.KindBuyNode) != 0 {
			t.Errorf("beside a server that is %s: %s", c.state, d.Plan.Describe())
		}
	}
}

// TestAnExchangePaysFromWhenSessionsHaveEnded: two GPUs with sessions of a quarter of an
// hour, of which little is needed, become one, although both are paid meanwhile. While other
// sessions drain, nothing is bought.
func TestAnExchangePaysFromWhenSessionsHaveEnded(t *testing.T) {
	fr, de := captions("captions-fr"), captions("captions-de")
	fr.Profile.MeanWork, de.Profile.MeanWork = 900, 900
	s := settingsOf([]fleet.Model{de, fr}, offered("a100", "a100-80gb", 1, fleet.ReshapeNode))
	for _, ends := range []bool{false, true} {
		in := aloneOnGPUs(map[fleet.ModelName]float64{fr.Name: 0.005, de.Name: 0.005}, fr.Name, de.Name)
		for i := range in.Snapshot.Replicas {
			in.Snapshot.Replicas[i].InFlight = fleet.Measured(3, 0, 1)
		}
		want := 1
		if ends {
			halves, on := captioning(in.Snapshot.Nodes[0].ID, 3, 4)
			on[0].Model, on[1].Model, on[1].State = fr.Name, fr.Name, fleet.ReplicaDraining
			in.Snapshot.Nodes[0], in.Snapshot.Replicas = halves, append(in.Snapshot.Replicas[:1], on...) // the other is of de
			want = 0
		}
		d := decided(t, s, in)
		if steps(d, fleet.KindBuyNode) != want || steps(d, fleet.KindDrainNode) != 2*want {
			t.Errorf("with other sessions that end %t: %s", ends, d.Plan.Describe())
		}
	}
}
