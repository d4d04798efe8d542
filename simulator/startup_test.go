package simulator

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// checkQuantiles compares the share of samples below a delay's two quantiles
// with what they promise, to four standard errors.
func checkQuantiles(t *testing.T, what string, d fleet.Delay, samples []time.Duration) {
	t.Helper()
	for _, q := range []struct {
		p  float64
		at time.Duration
	}{{0.5, d.P50}, {0.95, d.P95}} {
		below := 0
		for _, s := range samples {
			if s <= q.at {
				below++
			}
		}
		got := float64(below) / float64(len(samples))
		if math.Abs(got-q.p) > 4*math.Sqrt(q.p*(1-q.p)/float64(len(samples))) {
			t.Errorf("%s: %.3f of %d take no longer than %v, want %.2f", what, got, len(samples), q.at, q.p)
		}
	}
}

// TestStagesTakeWhatTheirDelaySays: nodes by each stage alone, loads of weights
// and reshapes are distributed as declared, drawn anew for each.
func TestStagesTakeWhatTheirDelaySays(t *testing.T) {
	const n = 4000
	d := fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute}
	for _, stage := range []struct {
		name string
		lead fleet.LeadTime
	}{{"node", fleet.LeadTime{Node: d}}, {"driver", fleet.LeadTime{Driver: d}}, {"image", fleet.LeadTime{Image: d}}} {
		t.Run(stage.name, func(t *testing.T) {
			catalog := testCatalog()
			catalog.Offerings[0].Lead, catalog.Offerings[0].Limit = stage.lead, n
			w := build(t, Config{Catalog: catalog})
			for i := range n {
				do(t, w, buyNode(fleet.NodeID(fmt.Sprint(i))))
			}
			advance(w, 100*time.Hour)
			var took []time.Duration
			for _, n := range w.nodes {
				took = append(took, n.ReadyAt.Sub(n.RequestedAt))
			}
			checkQuantiles(t, stage.name, d, took)
			slices.Sort(took)
			if len(slices.Compact(took)) < n-2 {
				t.Error("nodes share their draws")
			}
		})
	}
	t.Run("weights", func(t *testing.T) {
		m := testModel("m", fleet.CentralQueue, 1)
		measure(&m).Load = d
		w := build(t, Config{Models: []fleet.Model{m}})
		do(t, w, buyNode("n"))
		var took []time.Duration
		for i := range n {
			id := fleet.ReplicaID(fmt.Sprint(i))
			do(t, w, startOn("n", 0, "m", id))
			w.AdvanceTo(w.Now().Add(100 * time.Hour))
			r := w.byReplica[id]
			took = append(took, 100*time.Hour-time.Duration(w.now-r.since))
			do(t, w, fleet.StopReplica{Replica: id})
		}
		checkQuantiles(t, "weights", d, took)
	})
	t.Run("reshape", func(t *testing.T) {
		catalog := testCatalog()
		catalog.Offerings[0].ReshapeTime = d
		w := build(t, Config{Catalog: catalog})
		do(t, w, buyNode("n"))
		advance(w, 0)
		var took []time.Duration
		for i := range n {
			do(t, w, fleet.Reshape{GPU: fleet.GPUID{Node: "n"}, Geometry: []fleet.Geometry{halves(), sevenths()}[i%2]})
			for _, e := range w.heap.events {
				if e.kind == evReshaped {
					took = append(took, time.Duration(e.at-w.now))
				}
			}
			w.AdvanceTo(w.Now().Add(100 * time.Hour))
		}
		checkQuantiles(t, "reshape", d, took)
	})
}

// TestWeightsLoadOnceTheirPlaceIsThere: after the node is ready, not before, and
// at once on a node that is ready.
func TestWeightsLoadOnceTheirPlaceIsThere(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Load = fleet.Fixed(20 * time.Second)
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Fixed(3 * time.Minute), Driver: fleet.Fixed(2 * time.Minute), Image: fleet.Fixed(time.Minute)}
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{m}})
	do(t, w, buyNode("n"), startOn("n", 0, "m", "early"))
	for _, c := range []struct {
		at      time.Duration
		node    fleet.NodeState
		replica fleet.ReplicaState
	}{
		{6*time.Minute - 1, fleet.NodeStarting, fleet.ReplicaPending},
		{6 * time.Minute, fleet.NodeReady, fleet.ReplicaPending},
		{6*time.Minute + 20*time.Second - 1, fleet.NodeReady, fleet.ReplicaPending},
		{6*time.Minute + 20*time.Second, fleet.NodeReady, fleet.ReplicaReady},
	} {
		advance(w, c.at)
		s := observe(t, w)
		if s.Nodes[0].State != c.node || s.Replicas[0].State != c.replica {
			t.Errorf("at %v the node is %s and the replica %s, want %s and %s", c.at, s.Nodes[0].State, s.Replicas[0].State, c.node, c.replica)
		}
	}
	advance(w, 10*time.Minute)
	do(t, w, startOn("n", 1, "m", "later"))
	advance(w, 10*time.Minute+20*time.Second)
	if r := w.byReplica["later"]; r.state != fleet.ReplicaReady {
		t.Error("on a node that is ready weights take longer than they should")
	}
}

// TestDrainWhileStarting: a node that is drained while it starts comes up
// draining, what was put on it loads, and a drain taken back is forgotten.
func TestDrainWhileStarting(t *testing.T) {
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Fixed(time.Minute)}
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}})
	do(t, w, buyNode("n"), startOn("n", 0, "m", "r"), fleet.DrainNode{Node: "n"}, fleet.KeepNode{Node: "n"})
	if got := w.byNode["n"].State; got != fleet.NodeStarting {
		t.Errorf("a drain taken back at once leaves the node %s", got)
	}
	do(t, w, fleet.DrainNode{Node: "n"})
	advance(w, 2*time.Minute)
	if got := w.byNode["n"].State; got != fleet.NodeDraining {
		t.Errorf("the node comes up %s", got)
	}
	if got := w.byReplica["r"].state; got != fleet.ReplicaReady {
		t.Errorf("the replica on it is %s", got)
	}
	do(t, w, fleet.KeepNode{Node: "n"})
	if got := w.byNode["n"].State; got != fleet.NodeReady {
		t.Errorf("a drain taken back leaves the node %s", got)
	}
}

// TestReplicaStoppedWhileLoading never comes up, and its slice is free at once.
func TestReplicaStoppedWhileLoading(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Load = fleet.Fixed(20 * time.Second)
	w := build(t, Config{Models: []fleet.Model{m}})
	serveWith(t, w, "m", 1)
	advance(w, 10*time.Second)
	do(t, w, fleet.StopReplica{Replica: "r0"}, startOn("n", 0, "m", "next"))
	advance(w, 25*time.Second)
	if s := observe(t, w); len(s.Replicas) != 1 || s.Replicas[0].State != fleet.ReplicaPending {
		t.Errorf("the replicas are %+v", s.Replicas)
	}
}

// TestReshapeTakesWhatTheOfferingSaysOutOfService: one GPU, or all of the node,
// which must be empty as far; what is put on them meanwhile waits for the last.
func TestReshapeTakesWhatTheOfferingSaysOutOfService(t *testing.T) {
	for _, scope := range []fleet.ReshapeScope{fleet.ReshapeGPU, fleet.ReshapeNode} {
		t.Run(string(scope), func(t *testing.T) {
			catalog := testCatalog()
			o := &catalog.Offerings[0]
			o.GPUs, o.Reshape = 2, scope
			w := build(t, Config{Catalog: catalog, Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}})
			gpu := fleet.GPU{Type: "a100-80gb", Geometry: sevenths()}
			do(t, w, fleet.BuyNode{Node: "n", Offering: "a100", GPUs: []fleet.GPU{gpu, gpu}})
			advance(w, time.Second)
			other := startOn("n", 0, "m", "other")
			other.Slice.GPU.Index = 1
			reshape := fleet.Reshape{GPU: fleet.GPUID{Node: "n"}, Geometry: append(fleet.Geometry{{Profile: "1g.10gb", Start: 0}}, halves()[1])}

			// 1. A neighbour is in the way of a whole node only.
			do(t, w, other)
			advance(w, 2*time.Second)
			err := w.Do(t.Context(), "test", reshape)
			if (err == nil) != (scope == fleet.ReshapeGPU) {
				t.Fatalf("with a server on the other GPU the reshape is answered %v", err)
			}
			do(t, w, fleet.StopReplica{Replica: "other"}, reshape)

			// 2. Both GPUs of a node are out of service, or the one.
			out := observe(t, w).Nodes[0].GPUs
			if !out[0].Reshaping || out[1].Reshaping != (scope == fleet.ReshapeNode) {
				t.Errorf("out of service are %v and %v", out[0].Reshaping, out[1].Reshaping)
			}

			// 3. What is put on them waits for the last reshape that concerns it.
			advance(w, 32*time.Second)
			second := reshape
			second.GPU.Index = 1
			do(t, w, second, startOn("n", 0, "m", "r"))
			advance(w, 62*time.Second)
			if got := observe(t, w).Nodes[0].GPUs[0].Reshaping; got != (scope == fleet.ReshapeNode) {
				t.Errorf("as the first reshape is over the GPU is seen as reshaping: %v", got)
			}
			ready := w.byReplica["r"].state == fleet.ReplicaReady
			if ready != (scope == fleet.ReshapeGPU) {
				t.Errorf("half a minute before the second reshape is over the replica is %s", w.byReplica["r"].state)
			}
			advance(w, 92*time.Second)
			if got := w.byReplica["r"].state; got != fleet.ReplicaReady {
				t.Errorf("after the last reshape the replica is %s", got)
			}
			if r := w.Result(); r.Reconfigurations != 2 {
				t.Errorf("%d reconfigurations were counted", r.Reconfigurations)
			}
		})
	}
}

// TestCPUNodesServe: their one slice is the whole node, and they have no GPU-hours.
func TestCPUNodesServe(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Kind = fleet.CPUSlice
	w := build(t, Config{
		Catalog: fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{{Name: "cpu", GPU: fleet.CPU, GPUs: 1, MemoryMiB: 64_000, Limit: 1, Price: fleet.PerHour(fleet.Micros(1_000_000, "USD"))}}},
		Models:  []fleet.Model{m}, Sources: feed("m", at(time.Minute)),
	})
	do(t, w, fleet.BuyNode{Node: "n", Offering: "cpu", GPUs: []fleet.GPU{{Type: fleet.CPU, Geometry: fleet.Geometry{{Profile: fleet.WholeGPU}}}}}, startOn("n", 0, "m", "r"))
	advance(w, time.Hour)
	if r := w.Result(); r.Served != 1 || r.GPUHours != 0 || *r.CostUSD != 1 {
		t.Errorf("served %d, %v GPU-hours, %v USD", r.Served, r.GPUHours, *r.CostUSD)
	}
}
