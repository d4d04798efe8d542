package simulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// act is a step, or none, some time after the one before.
type act struct {
	After time.Duration
	Step  fleet.Step
}

// randomCatalog sells nodes with every peculiarity: two GPUs reshaped together,
// one GPU reshaped alone, none at all, minimum billing, start-up that varies.
func randomCatalog() fleet.Catalog {
	lead := fleet.LeadTime{Node: fleet.Delay{P50: 40 * time.Second, P95: 80 * time.Second}, Driver: fleet.Fixed(5 * time.Second)}
	price := func(micros int64) fleet.Rate { return fleet.PerHour(fleet.Micros(micros, "USD")) }
	return fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "cpu", GPU: fleet.CPU, GPUs: 1, MemoryMiB: 64_000, Price: price(777_777), Limit: 1, MinimumBilling: time.Minute, Lead: lead},
		{Name: "duo", GPU: "a100-80gb", GPUs: 2, Price: price(7_654_321), Limit: 2, MinimumBilling: time.Hour, Lead: lead, Reshape: fleet.ReshapeNode, ReshapeTime: fleet.Delay{P50: 20 * time.Second, P95: time.Minute}},
		{Name: "solo", GPU: "a100-80gb", GPUs: 1, Price: price(3_333_333), Limit: 2, Lead: lead, Reshape: fleet.ReshapeGPU, ReshapeTime: fleet.Fixed(30 * time.Second)},
	}}
}

// randomModels are of both kinds and both disciplines, and of sessions, in three groups.
func randomModels() []fleet.Model {
	models := []fleet.Model{
		testModel("async-central", fleet.CentralQueue, 2, 3, 4),
		testModel("async-least", fleet.LeastLoad, 2, 3),
		testModel("live-central", fleet.CentralQueue, 1, 1.2),
		testModel("live-least", fleet.LeastLoad, 1, 1.5, 1.9),
		sessionModel("sessions", 4, 10*time.Second, 20*time.Second),
	}
	groups := []fleet.GroupName{"a", "b", "b", "", "a"}
	for i := range models {
		m := &models[i]
		m.Group = groups[i]
		if i < 2 {
			m.Kind, m.SLO.Limit = fleet.Async, 5*time.Minute
		}
		perf := *measure(m)
		perf.Interference, perf.Load = 0.1, fleet.Delay{P50: 5 * time.Second, P95: 20 * time.Second}
		slices := []fleet.Performance{perf}
		for _, kind := range []fleet.SliceKind{{GPU: "a100-80gb", Profile: "3g.40gb"}, fleet.CPUSlice} {
			perf.Kind = kind
			slices = append(slices, perf)
		}
		m.Profile.Variants[0].Slices = slices
	}
	return models
}

func randomWorld(t testing.TB, seed uint64, duration time.Duration) *World {
	sources := map[fleet.ModelName]traffic.Source{}
	for _, m := range randomModels() {
		sources[m.Name] = poisson(t, m.Name, 0.7, duration, seed)
	}
	return build(t, Config{
		// An hour before the end of a month, so that midnight does its work.
		Start: time.Date(2024, 11, 30, 23, 0, 0, 0, time.UTC), Catalog: randomCatalog(), Models: randomModels(), Sources: sources, Seed: seed, Patience: 10,
		Faults: []Fault{{At: 10 * time.Minute, For: 20 * time.Minute, Kind: StockOut, Offering: "solo"}, {At: 30 * time.Minute, For: 10 * time.Minute, Kind: MetricsMissing}},
	})
}

var randomGeometries = []fleet.Geometry{sevenths(), halves(), {{Profile: "3g.40gb", Start: 0}, {Profile: "1g.10gb", Start: 4}}}

// randomActs are steps in a small fleet of names, so that they meet: many are
// carried out, and many refused.
func randomActs() *rapid.Generator[[]act] {
	nodes := map[fleet.NodeID]fleet.OfferingName{"c0": "cpu", "d0": "duo", "d1": "duo", "s0": "solo", "s1": "solo", "s2": "solo"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		a := act{After: time.Duration(rapid.SampledFrom([]int64{0, 1, 7_123_456_789, 60_000_000_000, 151_000_000_000}).Draw(t, "after"))}
		node := rapid.SampledFrom([]fleet.NodeID{"c0", "d0", "d0", "d1", "s0", "s0", "s1", "s2"}).Draw(t, "node")
		geometry := rapid.SampledFrom(randomGeometries).Draw(t, "geometry")
		gpu := fleet.GPUID{Node: node}
		if nodes[node] == "duo" {
			gpu.Index = rapid.IntRange(0, 1).Draw(t, "gpu")
		}
		slot := fleet.SliceID{GPU: gpu, Start: rapid.SampledFrom([]int{0, 0, 1, 4}).Draw(t, "slice")}
		replica := fleet.ReplicaID(fmt.Sprintf("r%d", rapid.IntRange(0, 30).Draw(t, "replica")))
		model := rapid.SampledFrom(randomModels()).Draw(t, "model").Name
		switch rapid.SampledFrom([]string{"wait", "buy", "buy", "start", "start", "start", "start", "stop", "stop", "drain", "keep", "return", "reshape"}).Draw(t, "step") {
		case "buy":
			a.Step = purchase(node, nodes[node], geometry)
		case "start":
			a.Step = fleet.StartReplica{Replica: replica, Model: model, Variant: "v", Slice: slot}
		case "stop":
			a.Step = fleet.StopReplica{Replica: replica}
		case "drain":
			a.Step = fleet.DrainNode{Node: node}
		case "keep":
			a.Step = fleet.KeepNode{Node: node}
		case "return":
			a.Step = fleet.ReturnNode{Node: node}
		case "reshape":
			a.Step = fleet.Reshape{GPU: gpu, Geometry: geometry}
		}
		return a
	}), 5, 80)
}

func purchase(node fleet.NodeID, offering fleet.OfferingName, geometry fleet.Geometry) fleet.BuyNode {
	o, _ := randomCatalog().Offering(offering)
	buy := fleet.BuyNode{Node: node, Offering: offering}
	for range o.GPUs {
		g := fleet.GPU{Type: o.GPU, Geometry: geometry}
		if o.GPU == fleet.CPU {
			g.Geometry = fleet.Geometry{{Profile: fleet.WholeGPU}}
		}
		buy.GPUs = append(buy.GPUs, g)
	}
	return buy
}

// life is what a bill is made from, written down beside the world.
type life struct {
	offering   fleet.OfferingName
	from, till time.Time // till is zero while the node lives
	lost       bool      // it was not given back
}

// TestRandomWorldsConserve: whatever is done to a fleet and when, no request and
// no money is lost or made, and nothing happens that the laws of the world forbid.
func TestRandomWorldsConserve(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := randomActs().Draw(rt, "acts")
		w := randomWorld(t, rapid.Uint64Range(1, 1000).Draw(rt, "seed"), 90*time.Minute)
		lives := map[fleet.NodeID]*life{}
		done := 0
		for _, a := range acts {
			w.AdvanceTo(w.Now().Add(a.After))
			checkLaws(rt, w)
			if a.Step == nil {
				continue
			}
			before := inService(w)
			err := w.Do(t.Context(), "test", a.Step)
			checkLaws(rt, w)
			for id, batch := range before {
				if r := w.byReplica[id]; r == nil || !within(batch, working(r)) {
					rt.Fatalf("%s cut what %s had in service", a.Step.Describe(), id)
				}
			}
			if err != nil {
				continue
			}
			done++
			switch s := a.Step.(type) {
			case fleet.BuyNode:
				if lives[s.Node] == nil {
					lives[s.Node] = &life{offering: s.Offering, from: w.Now()}
				}
			case fleet.ReturnNode:
				if lives[s.Node].till.IsZero() {
					lives[s.Node].till = w.Now()
				}
			}
		}
		rt.Logf("%d of %d acts were done", done, len(acts))
		w.AdvanceTo(w.Now().Add(time.Hour))
		checkLaws(rt, w)
		checkBills(rt, w, lives)
	})
}

// inService is what every server works on.
func inService(w *World) map[fleet.ReplicaID][]request {
	out := map[fleet.ReplicaID][]request{}
	for _, n := range w.live {
		for _, r := range n.replicas {
			if r.inFlight() > 0 {
				out[r.id] = working(r)
			}
		}
	}
	return out
}

// working is the batch of a server, or when its sessions came and how long they last.
func working(r *replica) []request {
	out := slices.Clone(r.batch)
	if r.sessions != nil {
		for stream, ends := range r.sessions.ends {
			if ends > 0 {
				out = append(out, request{at: r.sessions.came[stream], work: float64(ends)})
			}
		}
	}
	return out
}

// within tells whether all of some are among others.
func within(some, others []request) bool {
	return !slices.ContainsFunc(some, func(q request) bool { return !slices.Contains(others, q) })
}
