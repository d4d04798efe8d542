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
