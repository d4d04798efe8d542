package packing_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

func TestAModelSpreadsOverNodesWhatItCosts(t *testing.T) {
	p := small()
	p.Models = p.Models[:1]
	p.Models[0].Spread = 2
	a := solved(t, p, packing.Options{})
	if a.NodesUsed != 2 || a.Cost.String() != "6.86" || a.LowerBound != a.Cost {
		t.Errorf("on %d nodes for %v, bound %v\n%s", a.NodesUsed, a.Cost, a.LowerBound, a.Describe())
	}
	// Where nodes are paid already, spreading costs nothing more.
	p.GPUs[0].Reserved = 2
	if a := solved(t, p, packing.Options{}); a.NodesUsed != 2 || a.Cost != 0 {
		t.Errorf("on %d reserved nodes for %v\n%s", a.NodesUsed, a.Cost, a.Describe())
	}
}

func TestWhatTheLimitsKeepFromSpreadingIsServedAndSaidSo(t *testing.T) {
	p := small()
	p.GPUs[0].MaxNodes = new(1)
	p.Models[0].Spread = 3
	a := solved(t, p, packing.Options{})
	if a.Unspread["transcribe-de"] != 1 || len(a.Unserved) != 0 || len(a.Explain) != 1 {
		t.Fatalf("%s", a.Describe())
	}
	if want := "transcribe-de: on 1 of the 3 nodes it must be on"; !strings.Contains(a.Describe(), want) {
		t.Errorf("%s does not say %q", a.Describe(), want)
	}
}

// Four shares of one undivided GPU carry four models that would need two GPUs cut
// in pieces.
func TestSharesAreChosenWhereTheyAreCheaper(t *testing.T) {
	p := small()
	p.GPUs[0].Shared = []fleet.ProfileName{"whole/4"}
	p.Models = nil
	for _, name := range []string{"a", "b", "c", "d"} {
		p.Models = append(p.Models, packing.Model{Name: name, Demand: 100, Throughput: on("a100", "3g.40gb", 110, "whole/4", 105)})
	}
	a := solved(t, p, packing.Options{})
	if a.Cost.String() != "3.43" || a.LowerBound != a.Cost || len(a.GPUs[0].Geometry) != 4 {
		t.Errorf("bound %v\n%s", a.LowerBound, a.Describe())
	}
	// And not where a slice of its own does.
	for i := range p.Models {
		p.Models[i].Throughput["a100"]["1g.10gb"] = 101
	}
	p.Models = append(p.Models, packing.Model{Name: "e", Demand: 100, Throughput: on("a100", "1g.10gb", 101)})
	if a := solved(t, p, packing.Options{}); a.Cost.String() != "3.43" || strings.Contains(a.Describe(), "/4") {
		t.Errorf("%s", a.Describe())
	}
}

func TestVariantsCompeteAndMemoryLatencyAndAllowedExclude(t *testing.T) {
	p := small()
	p.GPUs = append(p.GPUs, packing.GPU{Name: "cpu", PricePerHour: "0.5", PerNode: 1, MemoryMiB: 30_000})
	p.Models = []packing.Model{{
		Name: "m", Demand: 100, MaxLatency: 0.3, Allowed: []string{"a100/1g.10gb", "a100/2g.20gb", "cpu"},
		Variants: []packing.Variant{
			{
				Name: "fp16", MemoryMiB: 15_000, Throughput: on("a100", "1g.10gb", 150, "2g.20gb", 120, "3g.40gb", 900),
				Latency: map[string]map[fleet.ProfileName]float64{"a100": {"1g.10gb": 0.2, "2g.20gb": 0.2, "3g.40gb": 0.1}},
			},
			{Name: "int8", MemoryMiB: 8_000, Throughput: on("cpu", "whole", 100), Latency: on("cpu", "whole", 1)},
		},
	}}
	a := solved(t, p, packing.Options{})
	if want := "[ m:fp16 2g.20gb |"; !strings.Contains(a.Describe(), want) && !strings.Contains(a.Describe(), "| m:fp16 2g.20gb") {
		t.Errorf("got %s, want %s", a.Describe(), want)
	}
	// The machine without a GPU is cheaper once its latency will do.
	p.Models[0].MaxLatency = 1
	if a := solved(t, p, packing.Options{}); a.Cost.String() != "0.5" || !strings.Contains(a.Describe(), "m:int8 whole") {
		t.Errorf("%s", a.Describe())
	}
	// What is left of nothing says which constraint excludes each slice.
	p.Models[0].MaxLatency = 0.3
	p.Models[0].Allowed = []string{"a100/1g.10gb", "cpu"}
	found := p.Unfit()
	if len(found) != 1 || found[0].Path != "models[0].variants" {
		t.Fatalf("%v", found)
	}
	for _, want := range []string{
		"a100/1g.10gb with fp16: has 9856 MiB of the 15000 it needs",
		"a100/2g.20gb with fp16: is not among allowed",
		"cpu/whole with int8: latency of 1s is above max_latency of 0.3s",
	} {
		if !strings.Contains(found[0].Text, want) {
			t.Errorf("%q is not in %q", want, found[0].Text)
		}
	}
	if a := solved(t, p, packing.Options{}); a.Unserved["m"] != 100 || !strings.Contains(a.Explain[0], "MiB") {
		t.Errorf("%s", a.Describe())
	}
}

// Eight models that use a seventh of a slice each fit in two processes on one GPU
// of which each would fill a slice.
func TestModelsShareAProcessWhereMemoryAndTimeAllowIt(t *testing.T) {
	p := small()
	p.GPUs[0].Process = &packing.Process{Models: 4, Loss: 0.1}
	p.Models = nil
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		p.Models = append(p.Models, packing.Model{Name: name, Demand: 20, MemoryMiB: 9_000, Throughput: on("a100", "3g.40gb", 140)})
	}
	a := solved(t, p, packing.Options{})
	if a.Cost.String() != "3.43" || a.LowerBound != a.Cost || len(a.GPUs[0].Geometry[0].Models) != 4 {
		t.Errorf("bound %v\n%s", a.LowerBound, a.Describe())
	}
	// Memory adds up: of 20,000 MiB only two fit on a slice.
	for i := range p.Models {
		p.Models[i].MemoryMiB = 20_000
	}
	if a := solved(t, p, packing.Options{}); a.Cost.String() != "6.86" {
		t.Errorf("%s", a.Describe())
	}
	// What nobody knows the memory of joins no process.
	for i := range p.Models {
		p.Models[i].MemoryMiB = 0
	}
	if a := solved(t, p, packing.Options{}); a.Cost.String() != "13.72" || a.LowerBound != a.Cost {
		t.Errorf("bound %v\n%s", a.LowerBound, a.Describe())
	}
}

// What may be offered in addition never makes an answer dearer.
func TestProcessesNeverCostMore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawProblem(r, 6)
		for i := range p.Models {
			p.Models[i].MemoryMiB = rapid.Int64Range(1, 6_000).Draw(r, "MiB")
		}
		for i := range p.GPUs {
			p.GPUs[i].MemoryMiB = 0
			if p.GPUs[i].MIG == "" {
				p.GPUs[i].MemoryMiB = 24_000
			}
		}
		without := solved(r, p, packing.Options{Steps: 200_000})
		for i := range p.GPUs {
			p.GPUs[i].Process = &packing.Process{Models: 3, Loss: 0.05}
		}
		if with := solved(r, p, packing.Options{Steps: 200_000}); with.Cost > without.Cost {
			r.Fatalf("%v with processes, %v without\n%s", with.Cost, without.Cost, asJSON(p))
		}
	})
}

func TestACallerWithAClockGetsTheBestSoFarAndIsTold(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := enriched(r, drawProblem(r, 8))
		asked := 0
		after := rapid.IntRange(0, 3).Draw(r, "after")
		a := solved(r, p, packing.Options{Effort: packing.High, Stop: func() bool {
			asked++
			return asked > after
		}})
		if a.Truncated != (asked > after) {
			r.Fatalf("truncated %v after %d questions", a.Truncated, asked)
		}
	})
}

// What stands already counts, with the variant that stands.
func TestProcessesAndVariantsOfTodayCountForWhatTheyServe(t *testing.T) {
	p := small()
	p.GPUs[0].Process = &packing.Process{Models: 2}
	for i := range p.Models {
		p.Models[i].MemoryMiB = 4_000
	}
	p.Models[0].Variants = []packing.Variant{
		{Name: "slow", MemoryMiB: 4_000, Throughput: on("a100", "3g.40gb", 100)},
		{Name: "fast", MemoryMiB: 9_000, Throughput: on("a100", "3g.40gb", 200)},
	}
	p.Models[0].Throughput, p.Models[0].MemoryMiB = nil, 0
	p.Models[2].Throughput["a100"]["3g.40gb"] = 200
	p.Current = []packing.Placed{{
		ID: "gpu-7", Type: "a100", Node: 4, Fixed: true,
		Geometry: []packing.Slice{
			{Profile: "3g.40gb", Start: 0, Models: []packing.Tenant{
				{Model: "transcribe-de", Variant: "slow", Serves: 50},
				{Model: "transcribe-fr", Serves: 100},
			}},
			{Profile: "3g.40gb", Start: 4},
		},
	}}
	// De lacks 70, en 250 of which a slice does all: two more slices, one of them free.
	a := solved(t, p, packing.Options{})
	if a.Cost.String() != "3.43" || len(a.GPUs) != 2 || !slices.Equal(a.GPUs[0].Geometry[0].Models, p.Current[0].Geometry[0].Models) {
		t.Errorf("%s", a.Describe())
	}
}
