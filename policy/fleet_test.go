package policy_test

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

var noon = time.Date(2026, 8, 3, 12, 0, 0, 0, time.UTC)

func usd(text string) fleet.Money {
	m, err := fleet.ParseMoney(text, "USD")
	if err != nil {
		panic(err)
	}
	return m
}

// market sells undivided L4 nodes for $1, and A100 nodes for $4.
func market() fleet.Catalog {
	lead := fleet.LeadTime{Node: fleet.Fixed(9 * time.Minute)}
	c := fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "l4", GPU: "l4-24gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(usd("1")), Limit: 100, MinimumBilling: time.Minute, Lead: lead},
		{Name: "a100", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(usd("4")), Limit: 3, MinimumBilling: time.Minute, Lead: lead},
	}}
	c.Sort()
	return c
}

// guarded is a policy with models fr and de of group talk, and batch of group notes.
func guarded(budgets ...policy.Budget) policy.Policy {
	model := func(name string, kind fleet.ClassKind, group fleet.GroupName) fleet.Model {
		perf := func(gpu fleet.GPUType, profile fleet.ProfileName, seconds float64) fleet.Performance {
			return fleet.Performance{Kind: fleet.SliceKind{GPU: gpu, Profile: profile}, Batch: []int{1}, Seconds: []float64{seconds}, MemoryMiB: 4000}
		}
		return fleet.Model{
			Name: fleet.ModelName(name), Kind: kind, Group: group, SLO: fleet.SLO{Limit: time.Second, Target: 0.99}, MinReplicas: 1, MaxReplicas: 8,
			Profile: fleet.PerformanceProfile{Name: "p", Queue: fleet.LeastLoad, MeanWork: 1, Variants: []fleet.Variant{{
				Name: "fp16", Accuracy: 1,
				Slices: []fleet.Performance{perf("a100-80gb", "1g.10gb", 0.1), perf("a100-80gb", "3g.40gb", 0.05), perf("l4-24gb", fleet.WholeGPU, 0.1)},
			}}},
		}
	}
	return policy.Policy{
		Name: "test", Currency: "USD", Budgets: budgets,
		Models:    []fleet.Model{model("batch", fleet.Async, "notes"), model("de", fleet.Streaming, "talk"), model("fr", fleet.Streaming, "talk")},
		ScaleUp:   policy.ScaleUp{MaxNodes: 3},
		ScaleDown: policy.ScaleDown{MaxNodes: 1, StabilizationWindow: 10 * time.Minute},
		Signals:   policy.Signals{MaxAge: 5 * time.Minute, MaxHold: time.Hour},
		Offerings: []fleet.OfferingName{"a100", "l4"},
	}
}

// world is a snapshot under construction.
type world struct{ fleet.Snapshot }

// newWorld has every signal of every model.
func newWorld() *world {
	w := &world{fleet.Snapshot{At: noon, Spend: fleet.Spend{Day: usd("0"), Month: usd("0")}}}
	for _, m := range []fleet.ModelName{"batch", "de", "fr"} {
		one := fleet.Measured(1, 15*time.Second, 1)
		w.Models = append(w.Models, fleet.ModelSignals{Model: m, Arrivals: one, Backlog: fleet.Measured(0, 0, 1), Attainment: one, Utilisation: one})
	}
	return w
}

func undivided() []fleet.GPU {
	return []fleet.GPU{{Type: "l4-24gb", Geometry: fleet.Geometry{{Profile: fleet.WholeGPU}}}}
}

// divided is an A100 with slices of one and of four memory slices.
func divided() []fleet.GPU {
	return []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{
		{Profile: "1g.10gb", Start: 0}, {Profile: "1g.10gb", Start: 1}, {Profile: "3g.40gb", Start: 4},
	}}}
}

func hardware(o fleet.OfferingName) []fleet.GPU {
	if o == "a100" {
		return divided()
	}
	return undivided()
}

// node adds a ready node.
func (w *world) node(id fleet.NodeID, o fleet.OfferingName) *world {
	w.Nodes = append(w.Nodes, fleet.Node{
		ID: id, Offering: o, State: fleet.NodeReady, RequestedAt: noon.Add(-2 * time.Hour), ReadyAt: noon.Add(-time.Hour),
		BilledUntil: noon.Add(-59 * time.Minute), GPUs: hardware(o),
	})
	w.Sort()
	return w
}

// replica adds a ready replica.
func (w *world) replica(id fleet.ReplicaID, m fleet.ModelName, node fleet.NodeID, start int) *world {
	w.Replicas = append(w.Replicas, fleet.Replica{
		ID: id, Model: m, Variant: "fp16", Slice: slice(node, start), State: fleet.ReplicaReady, Since: noon.Add(-time.Hour), InFlight: fleet.Measured(0, 0, 1),
	})
	w.Sort()
	return w
}

// unknown takes a model's arrivals away.
func (w *world) unknown(m fleet.ModelName) *world {
	for i := range w.Models {
		if w.Models[i].Model == m {
			w.Models[i].Arrivals = fleet.Unknown("Prometheus does not answer")
		}
	}
	return w
}

func slice(node fleet.NodeID, start int) fleet.SliceID {
	return fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: start}
}

func buy(node fleet.NodeID, o fleet.OfferingName) fleet.Step {
	return fleet.BuyNode{Node: node, Offering: o, GPUs: hardware(o), Reason: fleet.Because(fleet.ReasonDemand)}
}

func start(id fleet.ReplicaID, m fleet.ModelName, node fleet.NodeID, at int) fleet.Step {
	return fleet.StartReplica{Replica: id, Model: m, Variant: "fp16", Slice: slice(node, at), Reason: fleet.Because(fleet.ReasonDemand)}
}

func stop(id fleet.ReplicaID, code fleet.ReasonCode) fleet.Step {
	return fleet.StopReplica{Replica: id, Reason: fleet.Because(code)}
}

func drain(id fleet.NodeID) fleet.Step {
	return fleet.DrainNode{Node: id, Reason: fleet.Because(fleet.ReasonEmptyNode)}
}

// describe prints what Admit decided: what passes, then what is held.
func describe(admitted []fleet.Step, held []fleet.Reason) string {
	text := ""
	for _, s := range admitted {
		text += fmt.Sprintf("pass  %s\n", s.Describe())
	}
	for _, r := range held {
		text += fmt.Sprintf("held  %s\n", r)
	}
	return text
}

// held puts a model into somebody's hands, until they give it back.
func (w *world) held(m fleet.ModelName, by string) *world {
	w.Holds = append(w.Holds, fleet.Hold{Model: m, By: by, Since: noon})
	return w
}

// doubted makes it unknown what is spent.
func (w *world) doubted(subject, cause string) *world {
	w.Doubts = append(w.Doubts, fleet.Doubt{Subject: subject, Cause: cause, Money: true})
	return w
}
