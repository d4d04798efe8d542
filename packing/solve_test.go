package packing_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/check"
)

// solved answers a checked solution.
func solved(t rapid.TB, p packing.Problem, o packing.Options) packing.Answer {
	t.Helper()
	a, err := packing.Solve(p, o)
	if err != nil {
		t.Fatalf("Solve: %v", err)
	}
	if err := check.Verify(p, a); err != nil {
		t.Fatalf("the checker disagrees: %v\n%s\n%s", err, a.Describe(), asJSON(p))
	}
	return a
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// lost is the value of what is left out.
func lost(p packing.Problem, a packing.Answer) float64 {
	sum := 0.0
	for _, m := range p.Models {
		sum += cmp.Or(m.Value, 1) * a.Unserved[m.Name]
	}
	return sum
}

// partsUnderTest are parts with the profiles that tiny problems use.
var partsUnderTest = []struct {
	part     fleet.GPUType
	profiles []fleet.ProfileName
}{
	{"a30-24gb", []fleet.ProfileName{"1g.6gb", "2g.12gb", "4g.24gb"}},
	{"a30-24gb", []fleet.ProfileName{"1g.6gb+me", "2g.12gb", fleet.WholeGPU}},
	{"a100-40gb", []fleet.ProfileName{"2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"}},
	{"h100-80gb", []fleet.ProfileName{"1g.20gb", "3g.40gb", "4g.40gb"}},
	{"", []fleet.ProfileName{fleet.WholeGPU}},
}

// drawProblem makes a problem of up to two kinds of GPU and so many models.
func drawProblem(r *rapid.T, most int) packing.Problem {
	var p packing.Problem
	used := map[string][]fleet.ProfileName{}
	for i := range rapid.IntRange(1, 2).Draw(r, "kinds") {
		part := partsUnderTest[rapid.IntRange(0, len(partsUnderTest)-1).Draw(r, "part")]
		name := fmt.Sprintf("gpu-%d", i)
		p.GPUs = append(p.GPUs, packing.GPU{
			Name: name, PricePerHour: rapid.SampledFrom([]string{"1", "1.4", "2.75", "3.43"}).Draw(r, "price"),
			MIG: part.part, PerNode: rapid.IntRange(1, 2).Draw(r, "perNode"),
		})
		used[name] = part.profiles
	}
	for i := range rapid.IntRange(1, most).Draw(r, "models") {
		m := packing.Model{
			Name: fmt.Sprintf("model-%d", i), Demand: float64(rapid.IntRange(1, 60).Draw(r, "demand")) / 10,
			Throughput: map[string]map[fleet.ProfileName]float64{}, Value: float64(rapid.IntRange(0, 3).Draw(r, "value")),
		}
		for _, g := range p.GPUs {
			for _, profile := range used[g.Name] {
				if rapid.IntRange(0, 3).Draw(r, "fits") > 0 {
					if m.Throughput[g.Name] == nil {
						m.Throughput[g.Name] = map[fleet.ProfileName]float64{}
					}
					m.Throughput[g.Name][profile] = float64(rapid.IntRange(5, 40).Draw(r, "throughput")) / 10
				}
			}
		}
		p.Models = append(p.Models, m)
	}
	return p
}

func TestEveryAnswerIsLegalAndItsBoundHolds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := enriched(r, drawProblem(r, 8))
		for i := range p.GPUs {
			if rapid.Bool().Draw(r, "limited") {
				p.GPUs[i].MaxNodes = new(rapid.IntRange(0, 4).Draw(r, "max"))
			}
			p.GPUs[i].Reserved = max(0, rapid.IntRange(-3, 2).Draw(r, "reserved"))
		}
		effort := rapid.SampledFrom([]packing.Effort{packing.Low, packing.Normal}).Draw(r, "effort")
		a := solved(r, p, packing.Options{Effort: effort, Steps: 200_000})
		f, err := packing.FirstFitDecreasing(p)
		if err != nil {
			r.Fatal(err)
		}
		if err := check.Verify(p, f); err != nil {
			r.Fatalf("first fit: %v", err)
		}
		less, more := lost(p, a), lost(p, f)
		if less > more*(1+1e-9)+1e-12 || math.Abs(less-more) <= 1e-9*more && a.Cost > f.Cost && len(a.Unspread) >= len(f.Unspread) {
			r.Fatalf("worse than first fit: %v for %v lost, against %v for %v\n%s", a.Cost, less, f.Cost, more, asJSON(p))
		}
	})
}

func TestTheOrderOfTheProblemDoesNotShow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := enriched(r, drawProblem(r, 8))
		q := packing.Problem{
			GPUs:   rapid.Permutation(p.GPUs).Draw(r, "gpus"),
			Models: rapid.Permutation(p.Models).Draw(r, "order"),
		}
		o := packing.Options{Steps: 100_000}
		if d := gocmp.Diff(asJSON(solved(r, p, o)), asJSON(solved(r, q, o))); d != "" {
			r.Fatalf("another order, another answer: %s", d)
		}
	})
}

// small is a problem whose answer can be seen by eye.
func small() packing.Problem {
	return packing.Problem{
		GPUs: []packing.GPU{{Name: "a100", PricePerHour: "3.43", MIG: "a100-80gb", PerNode: 1, MaxNodes: new(10)}},
		Models: []packing.Model{
			{Name: "transcribe-de", Demand: 120, Throughput: on("a100", "1g.10gb", 60, "2g.20gb", 130, "7g.80gb", 600)},
			{Name: "transcribe-en", Demand: 250, Throughput: on("a100", "3g.40gb", 250)},
			{Name: "transcribe-fr", Demand: 100, Throughput: on("a100", "1g.10gb", 60, "2g.20gb", 130, "7g.80gb", 600)},
		},
	}
}

func on(gpu string, pairs ...any) map[string]map[fleet.ProfileName]float64 {
	out := map[fleet.ProfileName]float64{}
	for i := 0; i < len(pairs); i += 2 {
		out[fleet.ProfileName(pairs[i].(string))] = float64(pairs[i+1].(int))
	}
	return map[string]map[fleet.ProfileName]float64{gpu: out}
}

func TestSmallLanguagesShareOneGPUWithTheBigOne(t *testing.T) {
	a := solved(t, small(), packing.Options{})
	if a.Cost.String() != "3.43" || a.LowerBound != a.Cost || a.GPUsUsed != 1 || *a.Gap != 0 {
		t.Errorf("%d GPUs for %v, bound %v\n%s", a.GPUsUsed, a.Cost, a.LowerBound, a.Describe())
	}
	a.Checked = true
	want := `gpu 1  a100  node 1    [ transcribe-de 2g.20gb | transcribe-fr 2g.20gb | transcribe-en 3g.40gb ]
1 GPUs on 1 nodes, 3.43 an hour; at least 3.43 (gap 0.00%)
`
	if d := gocmp.Diff(want, a.Describe()); d != "" {
		t.Error(d)
	}
}

func TestDemandThatCannotBeMetIsLeftOutByValueAndSaidSo(t *testing.T) {
	p := small()
	p.GPUs[0].MaxNodes = new(1)
	for i := range p.Models {
		p.Models[i].Demand *= 3
	}
	p.Models[2].Value = 100
	a := solved(t, p, packing.Options{})
	if a.GPUsUsed != 1 || len(a.Unserved) == 0 || len(a.Explain) != len(a.Unserved) {
		t.Fatalf("%s", a.Describe())
	}
	if _, ok := a.Unserved["transcribe-fr"]; ok {
		t.Errorf("the most valuable model is left out\n%s", a.Describe())
	}
	if text := a.Explain[0]; !strings.Contains(text, "left out") || !strings.Contains(text, "a100 (max_nodes 1, 0 paid)") {
		t.Errorf("explanation %q", text)
	}
}

func TestAModelThatFitsNowhereIsReportedAndTheOthersServed(t *testing.T) {
	p := small()
	p.Models = append(p.Models, packing.Model{Name: "translate-xx", Demand: 7})
	a := solved(t, p, packing.Options{})
	if d := gocmp.Diff(map[string]float64{"translate-xx": 7}, a.Unserved); d != "" {
		t.Error(d)
	}
	if want := "translate-xx: 7 of 7 left out: no slice of any GPU fits it; its throughput names none"; a.Explain[0] != want {
		t.Errorf("explanation %q, want %q", a.Explain[0], want)
	}
	if a.Cost.String() != "3.43" {
		t.Errorf("cost %v", a.Cost)
	}
}

func TestWhereNothingMayBeHadNothingIsServedAndAllIsSaid(t *testing.T) {
	p := small()
	p.GPUs[0].MaxNodes = new(0)
	a := solved(t, p, packing.Options{})
	if len(a.GPUs) != 0 || len(a.Unserved) != 3 || a.Cost != 0 {
		t.Errorf("%s", a.Describe())
	}
	if !strings.Contains(a.Explain[0], "no GPU it fits on may be had") {
		t.Errorf("explanation %q", a.Explain[0])
	}
}

func TestWholeNodesArePaid(t *testing.T) {
	p := small()
	p.GPUs[0].PerNode = 8
	a := solved(t, p, packing.Options{})
	if a.Cost.String() != "27.44" || a.NodesUsed != 1 || a.LowerBound != a.Cost {
		t.Errorf("%v on %d nodes, bound %v", a.Cost, a.NodesUsed, a.LowerBound)
	}
	p.GPUs[0].Reserved = 1
	if a := solved(t, p, packing.Options{}); a.Cost != 0 || a.LowerBound != 0 {
		t.Errorf("reserved: cost %v, bound %v", a.Cost, a.LowerBound)
	}
}

func TestFixedGPUsKeepTheirModelsAndLendTheirFreeSlices(t *testing.T) {
	p := small()
	p.Current = []packing.Placed{{
		ID: "gpu-7", Type: "a100", Node: 4, Fixed: true,
		Geometry: []packing.Slice{
			{Profile: "1g.10gb", Start: 0, Model: "transcribe-de"},
			{Profile: "1g.10gb", Start: 1},
			{Profile: "2g.20gb", Start: 2},
			{Profile: "3g.40gb", Start: 4, Model: "transcribe-en"},
		},
	}}
	a := solved(t, p, packing.Options{Effort: packing.Low})
	if a.Cost != 0 || len(a.GPUs) != 1 || len(a.Unserved) != 0 {
		t.Fatalf("%s", a.Describe())
	}
	want := "[ transcribe-de 1g.10gb | transcribe-de 1g.10gb | transcribe-fr 2g.20gb | transcribe-en 3g.40gb ]"
	if got := a.Describe(); !strings.Contains(got, want) || !strings.Contains(got, "gpu-7  kept") {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGPUsThatAreThereAreCutAnewBeforeOthersAreBought(t *testing.T) {
	p := small()
	p.Current = []packing.Placed{{
		ID: "gpu-7", Type: "a100", Node: 4,
		Geometry: []packing.Slice{{Profile: "7g.80gb", Start: 0, Model: "transcribe-fr"}},
	}}
	if a := solved(t, p, packing.Options{}); a.Cost != 0 || len(a.GPUs) != 1 {
		t.Errorf("%s", a.Describe())
	}
}

// An answer given back as today's layout is kept as it is.
func TestALayoutThatServesIsLeftAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawProblem(r, 5)
		o := packing.Options{Effort: packing.Low, Steps: 50_000}
		a := solved(r, p, o)
		p.Current = slices.Clone(a.GPUs)
		for i := range p.Current {
			p.Current[i].Fixed = rapid.Bool().Draw(r, "fixed")
		}
		if b := solved(r, p, o); b.Cost != 0 || lost(p, b) > lost(p, a)+1e-9 {
			r.Fatalf("today's layout costs %v more and loses %v\n%s", b.Cost, lost(p, b), b.Describe())
		}
	})
}

func TestTheWorkLimitIsHonouredAndStillAnswers(t *testing.T) {
	a := solved(t, small(), packing.Options{Steps: 1})
	if len(a.Unserved) != 0 {
		t.Errorf("%s", a.Describe())
	}
}

// Whatever is there today, kept or to be cut anew, and however demand has moved
// since, the answer is legal, its bound holds and the order does not show.
func TestAnyLayoutOfTodayIsAPlaceToStartFrom(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawProblem(r, 6)
		o := packing.Options{Effort: packing.Low, Steps: 50_000}
		for i, g := range solved(r, p, o).GPUs {
			if rapid.IntRange(0, 3).Draw(r, "gone") == 0 {
				continue
			}
			g.ID, g.Fixed = fmt.Sprintf("gpu-%d", i), rapid.Bool().Draw(r, "fixed")
			p.Current = append(p.Current, g)
		}
		for i := range p.Models {
			p.Models[i].Demand *= float64(rapid.IntRange(1, 40).Draw(r, "tenths")) / 10
		}
		for i := range p.GPUs {
			if rapid.Bool().Draw(r, "limited") {
				p.GPUs[i].MaxNodes = new(rapid.IntRange(0, 6).Draw(r, "max"))
			}
		}
		q := p
		q.Current = rapid.Permutation(p.Current).Draw(r, "current")
		q.Models = rapid.Permutation(p.Models).Draw(r, "order")
		if d := gocmp.Diff(asJSON(solved(r, p, o)), asJSON(solved(r, q, o))); d != "" {
			r.Fatalf("another order, another answer: %s", d)
		}
	})
}
