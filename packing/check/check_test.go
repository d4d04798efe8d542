package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/check"
)

// problem is two kinds of GPU, one whose nodes are limited, and today's fixed GPU.
func problem() packing.Problem {
	use := func(small, large float64) map[string]map[fleet.ProfileName]float64 {
		return map[string]map[fleet.ProfileName]float64{
			"a100": {"1g.10gb": small, "3g.40gb": large},
			"l4":   {fleet.WholeGPU: 2 * small},
		}
	}
	return packing.Problem{
		GPUs: []packing.GPU{
			{Name: "a100", PricePerHour: "3.43", MIG: "a100-80gb", PerNode: 2, MaxNodes: new(3)},
			{Name: "l4", PricePerHour: "0.8048", PerNode: 1, MaxNodes: new(1)},
		},
		Models: []packing.Model{
			{Name: "de", Demand: 40, Throughput: use(10, 32)},
			{Name: "en", Demand: 61.1, Throughput: use(9.4, 30.55)},
			{Name: "fr", Demand: 25, Throughput: use(12.5, 30)},
		},
		Current: []packing.Placed{{
			ID: "g0", Type: "a100", Node: 9, Fixed: true,
			Geometry: []packing.Slice{{Profile: "1g.10gb", Start: 0, Model: "de"}, {Profile: "1g.10gb", Start: 1}},
		}},
	}
}

func answer(t *testing.T, p packing.Problem) packing.Answer {
	t.Helper()
	a, err := packing.Solve(p, packing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := check.Verify(p, a); err != nil {
		t.Fatalf("a good answer is rejected: %v\n%s", err, a.Describe())
	}
	return a
}

func clone(a packing.Answer) packing.Answer {
	a.GPUs = slices.Clone(a.GPUs)
	for i := range a.GPUs {
		a.GPUs[i].Geometry = slices.Clone(a.GPUs[i].Geometry)
	}
	return a
}

// fresh is the index of the first GPU that is not today's and has several slices.
func fresh(t *testing.T, a packing.Answer) int {
	t.Helper()
	i := slices.IndexFunc(a.GPUs, func(g packing.Placed) bool { return !g.Fixed && len(g.Geometry) > 1 })
	if i < 0 {
		t.Fatalf("no new GPU with slices\n%s", a.Describe())
	}
	return i
}

func TestTamperedAnswersAreRejected(t *testing.T) {
	p := problem()
	good := answer(t, p)
	at := fresh(t, good)
	for _, tt := range []struct {
		name   string
		tamper func(*packing.Answer)
		want   string
	}{
		{"slices that overlap", func(a *packing.Answer) { a.GPUs[at].Geometry[1].Start = a.GPUs[at].Geometry[0].Start }, "overlaps"},
		{"a start that does not exist", func(a *packing.Answer) { a.GPUs[at].Geometry[0].Start = 7 }, "cannot start at 7"},
		{"a profile of another part", func(a *packing.Answer) { a.GPUs[at].Geometry[0].Profile = "1g.6gb" }, "has no profile"},
		{"one slice too many", func(a *packing.Answer) {
			a.GPUs[at].Geometry = append(a.GPUs[at].Geometry, packing.Slice{Profile: "4g.40gb", Start: 0})
		}, "overlaps"},
		{"demand that is not met", func(a *packing.Answer) { a.GPUs[at].Geometry[0].Model = "" }, "is left out, unserved says 0"},
		{"a model that does not exist", func(a *packing.Answer) { a.GPUs[at].Geometry[0].Model = "es" }, `no model named "es"`},
		{"a GPU that may not be had", func(a *packing.Answer) { a.GPUs[at].Type = "h100" }, `no GPU named "h100"`},
		{"demand said to be left out that is met", func(a *packing.Answer) { a.Unserved = map[string]float64{"fr": 1} }, "unserved says 1"},
		{"an unserved model that does not exist", func(a *packing.Answer) { a.Unserved = map[string]float64{"es": 1} }, "no model"},
		{"a lower cost", func(a *packing.Answer) { a.Cost-- }, "cost_per_hour is"},
		{"an inflated bound", func(a *packing.Answer) { a.LowerBound = a.Cost + 1 }, "the certificate proves"},
		{"slices that are free of charge", func(a *packing.Answer) { a.Certificate.SlicePrices = nil }, "the certificate proves"},
		{"slices dearer than the GPU", func(a *packing.Answer) {
			a.Certificate.SlicePrices = map[string]map[fleet.ProfileName]string{"a100": {"1g.10gb": "0.6"}}
			a.Certificate.LimitPrices = nil
		}, "a geometry of a100 costs 4.2"},
		{"a price that is no number", func(a *packing.Answer) {
			a.Certificate.SlicePrices = map[string]map[fleet.ProfileName]string{"a100": {"1g.10gb": "cheap"}}
		}, "is of no use"},
		{"today's GPU gone", func(a *packing.Answer) {
			a.GPUs = slices.DeleteFunc(a.GPUs, func(g packing.Placed) bool { return g.Fixed })
		}, "is missing or changed"},
		{"a kept model moved away", func(a *packing.Answer) {
			i := slices.IndexFunc(a.GPUs, func(g packing.Placed) bool { return g.Fixed })
			a.GPUs[i].Geometry[0].Model = "fr"
		}, "is missing or changed"},
		{"another GPU on today's node", func(a *packing.Answer) { a.GPUs[at].Node = 9 }, "is there today and has no such GPU"},
		{"too many GPUs on a node", func(a *packing.Answer) {
			g := a.GPUs[at]
			a.GPUs = append(a.GPUs, g, g)
		}, "has more than 2 GPUs"},
		{"too many nodes", func(a *packing.Answer) {
			for n := range 4 {
				a.GPUs = append(a.GPUs, packing.Placed{Type: "a100", Node: 100 + n})
			}
		}, "of which there may be 3"},
		{"a wrong number of GPUs", func(a *packing.Answer) { a.GPUsUsed++ }, "gpus_used"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := clone(good)
			tt.tamper(&bad)
			err := check.Verify(p, bad)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Verify = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// In binary fractions three times 4.35 is less than 13.05.
func TestDemandIsMetAsDecimalsMeetIt(t *testing.T) {
	p := packing.Problem{
		GPUs:   []packing.GPU{{Name: "l4", PricePerHour: "1", PerNode: 1}},
		Models: []packing.Model{{Name: "m", Demand: 13.05, Throughput: map[string]map[fleet.ProfileName]float64{"l4": {"whole": 4.35}}}},
	}
	if a := answer(t, p); a.GPUsUsed != 3 || a.LowerBound != a.Cost {
		t.Errorf("%s", a.Describe())
	}
}

func TestAnInvalidProblemIsNotChecked(t *testing.T) {
	if err := check.Verify(packing.Problem{}, packing.Answer{}); err == nil || !strings.Contains(err.Error(), "gpus: empty") {
		t.Errorf("Verify = %v", err)
	}
}

// rich is one kind of GPU with shares and processes, and a model that must spread.
func rich() packing.Problem {
	use := func(whole, share float64) map[string]map[fleet.ProfileName]float64 {
		return map[string]map[fleet.ProfileName]float64{"a100": {"3g.40gb": whole, "whole/2": share}}
	}
	return packing.Problem{
		GPUs: []packing.GPU{{
			Name: "a100", PricePerHour: "3.43", MIG: "a100-80gb", PerNode: 1,
			Shared: []fleet.ProfileName{"whole/2"}, Process: &packing.Process{Models: 2, Loss: 0.1},
		}},
		Models: []packing.Model{
			{Name: "de", Demand: 10, MemoryMiB: 30_000, Throughput: use(40, 15)},
			{Name: "en", Demand: 20, MemoryMiB: 10_000, Throughput: use(40, 25)},
			{Name: "fr", Demand: 20, Spread: 2, Throughput: use(60, 25)},
		},
	}
}

// together is a legal layout of rich: de and en in one process, fr on two nodes.
func together(t *testing.T) packing.Answer {
	t.Helper()
	a := answer(t, rich())
	a.GPUs = []packing.Placed{
		{Type: "a100", Node: 1, Geometry: []packing.Slice{
			{Profile: "3g.40gb", Start: 0, Models: []packing.Tenant{{Model: "de", Serves: 10}, {Model: "en", Serves: 20}}},
			{Profile: "3g.40gb", Start: 4, Model: "fr"},
		}},
		{Type: "a100", Node: 2, Geometry: []packing.Slice{{Profile: "whole/2", Model: "fr"}, {Profile: "whole/2"}}},
	}
	a.GPUsUsed, a.NodesUsed = 2, 2
	if err := check.Verify(rich(), a); err != nil {
		t.Fatalf("a legal layout is rejected: %v", err)
	}
	return a
}

func TestTamperedSharesProcessesAndSpreadsAreRejected(t *testing.T) {
	good := together(t)
	for _, tt := range []struct {
		name   string
		tamper func(*packing.Problem, *packing.Answer)
		want   string
	}{
		{"a share missing", func(_ *packing.Problem, a *packing.Answer) { a.GPUs[1].Geometry = a.GPUs[1].Geometry[:1] }, "lacks 1 of its shares"},
		{"shares nobody declares", func(_ *packing.Problem, a *packing.Answer) {
			a.GPUs[1].Geometry = slices.Repeat([]packing.Slice{{Profile: "whole/4"}}, 4)
		}, "is not among the shares"},
		{"a process that is too busy", func(p *packing.Problem, _ *packing.Answer) { p.GPUs[0].Process.Loss = 0.3 }, "busy for 1.05"},
		{"a process with too many models", func(_ *packing.Problem, a *packing.Answer) {
			a.GPUs[0].Geometry[0].Models = append(a.GPUs[0].Geometry[0].Models, packing.Tenant{Model: "fr", Serves: 1})
		}, "3 models, must be from 2 to 2"},
		{"a process that serves a model twice", func(_ *packing.Problem, a *packing.Answer) { a.GPUs[0].Geometry[0].Models[1].Model = "de" }, "or there twice"},
		{"a process that takes too much memory", func(p *packing.Problem, _ *packing.Answer) { p.Models[1].MemoryMiB = 20_000 }, "take 50000 MiB of 40192"},
		{"a process where none may be", func(p *packing.Problem, _ *packing.Answer) { p.GPUs[0].Process = nil }, "no process with several models may be there"},
		{"a model that takes nobody knows what", func(p *packing.Problem, _ *packing.Answer) { p.Models[0].MemoryMiB = 0 }, "may not be in a process"},
		{"a model with too little memory", func(p *packing.Problem, _ *packing.Answer) { p.Models[2].MemoryMiB = 50_000 }, "it takes more memory"},
		{"a slice that is not allowed", func(p *packing.Problem, _ *packing.Answer) { p.Models[2].Allowed = []string{"a100/whole/2"} }, "it is not allowed there"},
		{"a slice that is too slow", func(p *packing.Problem, _ *packing.Answer) { p.Models[2].MaxLatency = 1 }, "its latency is too high or not known"},
		{"a variant that does not exist", func(_ *packing.Problem, a *packing.Answer) { a.GPUs[0].Geometry[1].Variant = "int8" }, `no variant "int8"`},
		{"a model on one node of two", func(_ *packing.Problem, a *packing.Answer) { a.GPUs[1].Geometry[0].Model = "" }, "on 1 nodes of the 2 it must be on"},
		{"a spread said to be short that is not", func(_ *packing.Problem, a *packing.Answer) { a.Unspread = map[string]int{"fr": 1} }, "unspread says 1"},
		{"shares that cost more than the GPU", func(_ *packing.Problem, a *packing.Answer) {
			a.Certificate.SlicePrices = map[string]map[fleet.ProfileName]string{"a100": {"whole/2": "2"}}
			a.Certificate.LimitPrices = nil
		}, "a geometry of a100 costs 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, bad := rich(), clone(good)
			for i := range bad.GPUs {
				for j, s := range bad.GPUs[i].Geometry {
					bad.GPUs[i].Geometry[j].Models = slices.Clone(s.Models)
				}
			}
			tt.tamper(&p, &bad)
			if err := check.Verify(p, bad); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Verify = %v, want %q in it", err, tt.want)
			}
		})
	}
}
