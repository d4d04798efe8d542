package control

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// watchedFor lets servers of one model be looked at every 15 seconds: GPU 0 and GPU 1 with
// three each. What they hold and what is attained, the world says.
func watchedFor(looks int, attained float64, world func(look, gpu, server int) float64) (p Progress, found int) {
	m := fleet.Model{Name: "m", Kind: fleet.Streaming, SLO: fleet.SLO{Target: 0.97}, Profile: fleet.PerformanceProfile{MeanWork: 1, Variants: []fleet.Variant{{
		Name: "v", Slices: []fleet.Performance{{Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, Batch: []int{1, 4}, Seconds: []float64{0.5, 1.5}}},
	}}}}
	s := Settings{Policy: policy.Policy{Models: []fleet.Model{m}, Signals: policy.Signals{MaxAge: 5 * time.Minute}}}
	gpu := fleet.GPU{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "1g.10gb", Start: 0}, {Profile: "1g.10gb", Start: 1}, {Profile: "1g.10gb", Start: 2}}}
	snap := fleet.Snapshot{Nodes: []fleet.Node{{ID: "n", State: fleet.NodeReady, GPUs: []fleet.GPU{gpu, gpu}}}}
	snap.Models = []fleet.ModelSignals{{Model: "m", Attainment: fleet.Measured(attained, 0, 1)}}
	for look := range looks {
		snap.Replicas = nil
		for g := range 2 {
			for i := range 3 {
				snap.Replicas = append(snap.Replicas, fleet.Replica{
					ID: fleet.ReplicaID(string(rune('a'+3*g+i)) + "-00001"), Model: "m", Variant: "v", State: fleet.ReplicaReady,
					Slice: fleet.SliceID{GPU: fleet.GPUID{Node: "n", Index: g}, Start: i}, InFlight: fleet.Measured(world(look, g, i), 0, 1),
				})
			}
		}
		before := len(p.Stuck)
		p = p.look(s, Inputs{Now: monday.Add(time.Duration(look) * 15 * time.Second), Snapshot: snap})
		if len(p.Stuck) > before {
			found++
		}
	}
	return p, found
}

// TestAGPUOnWhichNothingEndsIsFound within minutes, and works again once something ends.
func TestAGPUOnWhichNothingEndsIsFound(t *testing.T) {
	draws := rand.New(rand.NewPCG(1, 2))
	hangs := func(until int) func(look, gpu, server int) float64 {
		return func(look, gpu, _ int) float64 {
			if gpu == 1 && look >= 200 && look < until {
				return 1
			}
			return float64(draws.IntN(4))
		}
	}
	p, found := watchedFor(260, 0.5, hangs(1000))
	if found != 1 || len(p.Stuck) != 1 || p.Stuck[0].GPU.Index != 1 || p.Stuck[0].Servers != 3 {
		t.Errorf("found %d times: %+v", found, p.Stuck)
	}
	if p, found := watchedFor(300, 0.5, hangs(290)); found != 1 || len(p.Stuck) != 0 {
		t.Errorf("found %d times, and after work ended again: %+v", found, p.Stuck)
	}
	if _, found := watchedFor(260, 0.99, hangs(1000)); found != 0 {
		t.Error("a GPU is stuck though nobody misses anything: the counts may be frozen")
	}
}

// TestOverloadIsNoHang: days of busy servers, of full ones, and of idle ones, of a model
// that misses its target all the time.
func TestOverloadIsNoHang(t *testing.T) {
	draws := rand.New(rand.NewPCG(3, 4))
	for name, world := range map[string]func(look, gpu, server int) float64{
		"busy": func(int, int, int) float64 { return float64(min(4, 1+draws.IntN(5))) },
		"full": func(int, int, int) float64 { return 4 },
		"idle": func(int, int, int) float64 { return 0 },
	} {
		if p, found := watchedFor(3*24*60*4, 0.1, world); found > 0 {
			t.Errorf("%s: found %d times: %+v", name, found, p.Stuck)
		}
	}
}
