package control_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// rush is a planning tick for so many models on so many GPUs of one node each,
// seven slices a GPU and six of them taken, with so many arrivals a second for each
// taken slice.
func rush(models, gpus int, load float64) (control.Settings, control.Inputs) {
	offering := offered("a100", "a100-80gb", 1, fleet.ReshapeNode)
	offering.Limit = 10 * gpus
	var all []fleet.Model
	arrivals := map[fleet.ModelName]float64{}
	for i := range models {
		kind, limit := fleet.Streaming, 3*time.Second
		if i%3 == 2 {
			kind, limit = fleet.Async, 15*time.Minute
		}
		m := speech(fleet.ModelName(fmt.Sprintf("model-%04d", i)), kind, limit)
		m.MinReplicas = 1
		all = append(all, m)
		arrivals[m.Name] = load * float64(gpus*6) / float64(models) * (0.5 + math.Mod(float64(i)*0.618, 1))
	}
	s := settingsOf(all, offering)
	var seven fleet.Geometry
	for start := range 7 {
		seven = append(seven, fleet.Placement{Profile: "1g.10gb", Start: start})
	}
	var snapshot fleet.Snapshot
	for g := range gpus {
		n := fleet.Node{
			ID: fleet.NodeID(fmt.Sprintf("a100-%05d", g)), Offering: "a100", State: fleet.NodeReady, ReadyAt: monday.Add(-time.Hour),
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: seven}},
		}
		snapshot.Nodes = append(snapshot.Nodes, n)
		for start := range 6 {
			snapshot.Replicas = append(snapshot.Replicas, fleet.Replica{
				ID: fleet.ReplicaID(fmt.Sprintf("r-%05d", g*6+start)), Model: all[(g*6+start)%models].Name, Variant: "fp16",
				Slice: fleet.SliceID{GPU: fleet.GPUID{Node: n.ID}, Start: start}, State: fleet.ReplicaReady, Since: n.ReadyAt,
			})
		}
	}
	return s, seen(snapshot, arrivals)
}

// BenchmarkDecide measures planning ticks: one that buys, and one that finds
// enough and looks for a node to free, as it does every five minutes.
func BenchmarkDecide(b *testing.B) {
	for _, size := range []struct{ models, gpus int }{{15, 8}, {100, 100}, {250, 500}, {250, 2000}, {500, 1000}, {1000, 500}, {1000, 2000}} {
		for _, what := range []struct {
			name string
			load float64
		}{{"buying", 0.8}, {"freeing", 0.3}} {
			b.Run(fmt.Sprintf("%d models, %d GPUs, %s", size.models, size.gpus, what.name), func(b *testing.B) {
				s, in := rush(size.models, size.gpus, what.load)
				sizer := policy.NewSizer()
				d, err := control.Decide(s, sizer, in) // fills the sizer, as a loop's is
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := control.Decide(s, sizer, in); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(d.Plan.Steps)), "steps")
			})
		}
	}
}
