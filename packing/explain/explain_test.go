package explain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

func on(name string, does map[fleet.ProfileName]float64) map[string]map[fleet.ProfileName]float64 {
	return map[string]map[fleet.ProfileName]float64{name: does}
}

// Two models share an A30 of 1.40 an hour. Each needs a slice of 2g at least, so the
// GPU can be cut in no other way that does: with 2g+2×1g one of them is elsewhere.
func TestAGPUIsExplainedInMoneyAndWords(t *testing.T) {
	p := packing.Problem{
		GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.40", MIG: "a30-24gb", PerNode: 1, Shared: []fleet.ProfileName{"whole/2"}}},
		Models: []packing.Model{
			{Name: "x", Demand: 5, Throughput: on("a30", map[fleet.ProfileName]float64{"2g.12gb": 6, "4g.24gb": 10})},
			{Name: "y", Demand: 3, Throughput: on("a30", map[fleet.ProfileName]float64{"2g.12gb": 3, "4g.24gb": 5, "whole/2": 3, "1g.6gb": 1})},
		},
	}
	a, err := packing.Solve(p, packing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := All(p, a)
	if err != nil {
		t.Fatal(err)
	}
	one, err := One(p, a, 0)
	if err != nil || len(all) != 1 || gocmp.Diff(all[0], one) != "" {
		t.Fatalf("All %v, One %v, %v", all, one, err)
	}
	if one.Mixed != 1_400_000_000 || one.Dedicated == nil || *one.Dedicated != 2_800_000_000 || one.Shared != nil || one.Idle != 0 {
		t.Errorf("mixed %v dedicated %v shared %v idle %v, want 1.4, 2.8, none and 0", one.Mixed, one.Dedicated, one.Shared, one.Idle)
	}
	if one.NextBest == nil || one.NextBest.Geometry.String() != "2g.12gb + 2×1g.6gb" || one.NextBest.Cost <= one.Mixed {
		t.Errorf("next best is %v, want 2g.12gb + 2×1g.6gb for more", one.NextBest)
	}
	text := strings.Join(one.Words(), "\n")
	for _, want := range []string{
		"gpu 1 (a30 as 2×2g.12gb) costs 1.4 an hour for x, y", "whole GPUs for each model would cost 2.8", "on equal shares not every model fits",
		"x may grow by 1 before it needs another slice", "y needs another slice as soon as it grows", "cut in the next best way, 2g.12gb + 2×1g.6gb,",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

var profiles = []fleet.ProfileName{"1g.6gb", "2g.12gb", "4g.24gb"}

func drawProblem(r *rapid.T) packing.Problem {
	p := packing.Problem{GPUs: []packing.GPU{
		{Name: "a30", PricePerHour: "1.40", MIG: "a30-24gb", PerNode: rapid.IntRange(1, 2).Draw(r, "perNode"), Shared: []fleet.ProfileName{"whole/3"}},
		{Name: "l4", PricePerHour: "0.80", PerNode: 1, Shared: []fleet.ProfileName{"whole/2"}},
	}}
	for i := range rapid.IntRange(1, 5).Draw(r, "models") {
		m := packing.Model{Name: fmt.Sprintf("model-%d", i), Demand: float64(rapid.IntRange(1, 60).Draw(r, "demand")) / 10, Throughput: map[string]map[fleet.ProfileName]float64{"a30": {}, "l4": {}}}
		for _, profile := range append([]fleet.ProfileName{"whole/3"}, profiles...) {
			if rapid.IntRange(0, 3).Draw(r, "fits") > 0 {
				m.Throughput["a30"][profile] = float64(rapid.IntRange(5, 40).Draw(r, "throughput")) / 10
			}
		}
		for _, profile := range []fleet.ProfileName{fleet.WholeGPU, "whole/2"} {
			if rapid.IntRange(0, 1).Draw(r, "fits") > 0 {
				m.Throughput["l4"][profile] = float64(rapid.IntRange(5, 40).Draw(r, "throughput")) / 10
			}
		}
		p.Models = append(p.Models, m)
	}
	return p
}

// What whole GPUs cost, the shares of the price, and the next best geometry are
// what a count by hand says.
func TestEveryNumberIsWhatACountByHandSays(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawProblem(r)
		a, err := packing.Solve(p, packing.Options{Effort: packing.Low})
		if err != nil {
			r.Fatal(err)
		}
		all, err := All(p, a)
		if err != nil {
			r.Fatal(err)
		}
		for _, g := range all {
			sum := g.Idle
			for _, m := range g.Models {
				sum += m.Share
				want, ok := wholes(p, m)
				if (m.Whole != nil) != ok || ok && *m.Whole != want {
					r.Fatalf("%s: whole GPUs cost %v, by hand %v", m.Name, m.Whole, want)
				}
			}
			if d := g.Mixed - sum; d < -10 || d > 10 {
				r.Fatalf("shares and what is idle come to %v of %v", sum, g.Mixed)
			}
			if g.Type == "a30" && len(g.Models) > 0 {
				if want := nextBest(p, a, g); g.NextBest == nil || g.NextBest.Cost != want {
					r.Fatalf("next best %v, by hand %v\n%v\n%v", g.NextBest, want, g, p)
				}
			}
			if len(g.Words()) == 0 {
				r.Fatal("no words")
			}
		}
	})
}

func TestTheOrderOfTheInputChangesNoExplanation(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawProblem(r)
		a, err := packing.Solve(p, packing.Options{Effort: packing.Low})
		if err != nil {
			r.Fatal(err)
		}
		first, err := All(p, a)
		if err != nil {
			r.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(r, "seed")))
		p.Models = slices.Clone(p.Models)
		rng.Shuffle(len(p.Models), func(i, j int) { p.Models[i], p.Models[j] = p.Models[j], p.Models[i] })
		slices.Reverse(p.GPUs)
		second, err := All(p, a)
		if diff := gocmp.Diff(first, second); diff != "" || err != nil {
			r.Fatalf("%v (-first +second)\n%s", err, diff)
		}
	})
}

// wholes is the cheapest whole GPUs for a model by itself.
func wholes(p packing.Problem, m Model) (packing.Amount, bool) {
	best := packing.Amount(math.MaxInt64)
	for _, x := range p.Models {
		if x.Name != m.Name {
			continue
		}
		for _, c := range []struct {
			does  float64
			price packing.Amount
		}{{x.Throughput["a30"]["4g.24gb"], 1_400_000_000}, {x.Throughput["l4"]["whole"], 800_000_000}} {
			if c.does > 0 {
				best = min(best, packing.Amount(math.Ceil(m.Serves/c.does-1e-9))*c.price)
			}
		}
	}
	// A mixture of both may be cheaper than either.
	for n := range 13 { // of the least that serves anything, for the most that is asked for
		for k := range 13 {
			for _, x := range p.Models {
				if x.Name == m.Name && n+k > 0 && float64(n)*x.Throughput["a30"]["4g.24gb"]+float64(k)*x.Throughput["l4"]["whole"] >= m.Serves-1e-9 {
					best = min(best, packing.Amount(n)*1_400_000_000+packing.Amount(k)*800_000_000)
				}
			}
		}
	}
	return best, best < math.MaxInt64
}

// nextBest tries every way to give the slices of every other geometry to the models,
// and covers the rest at the certificate's prices.
func nextBest(p packing.Problem, a packing.Answer, g GPU) packing.Amount {
	spec, _ := fleet.LookupGPU("a30-24gb")
	best := packing.Amount(math.MaxInt64)
	for _, other := range append(packing.Maximal(spec, profiles...), fleet.Geometry{{Profile: fleet.WholeGPU}}) {
		if gocmp.Equal(other.Counts(), g.Geometry.Counts()) {
			continue
		}
		got := make([]float64, len(g.Models))
		var give func(i int)
		give = func(i int) {
			if i == len(other) {
				sum := g.Mixed
				for k, m := range g.Models {
					sum += cover(p, a, m.Name, m.Serves-got[k])
				}
				best = min(best, sum)
				return
			}
			give(i + 1)
			for k, m := range g.Models {
				x := modelNamed(p, m.Name).Throughput["a30"][other[i].Profile]
				got[k] += x
				give(i + 1)
				got[k] -= x
			}
		}
		give(0)
	}
	return best
}

func modelNamed(p packing.Problem, name string) packing.Model {
	return p.Models[slices.IndexFunc(p.Models, func(m packing.Model) bool { return m.Name == name })]
}

// cover is the least that slices elsewhere cost which serve so much.
func cover(p packing.Problem, a packing.Answer, name string, need float64) packing.Amount {
	if need <= 1e-9 {
		return 0
	}
	best := packing.Amount(math.MaxInt64)
	for gpu, does := range modelNamed(p, name).Throughput {
		for profile, x := range does {
			price := priceOf(a, gpu, profile)
			if x >= need-1e-9 {
				best = min(best, price)
			} else if rest := cover(p, a, name, need-x); rest < math.MaxInt64 {
				best = min(best, price+rest)
			}
		}
	}
	return best
}

func priceOf(a packing.Answer, gpu string, profile fleet.ProfileName) packing.Amount {
	x, _ := strconv.ParseFloat(a.Certificate.SlicePrices[gpu][profile], 64) // A slice without a price is free.
	return packing.Amount(math.Round(x * 1e9))
}

func TestAnAnswerToAnotherProblemIsRefused(t *testing.T) {
	p := packing.Problem{GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.40", MIG: "a30-24gb", PerNode: 1}}}
	a := packing.Answer{
		GPUs:        []packing.Placed{{Type: "h100", Geometry: []packing.Slice{{Profile: "whole", Model: "z"}}}},
		Certificate: packing.Certificate{SlicePrices: map[string]map[fleet.ProfileName]string{"a30": {"2g.12gb": "-1"}}},
	}
	_, err := All(p, a)
	for _, want := range []string{`no GPU named "h100"`, `no model named "z"`, "certificate.slice_prices.a30.2g.12gb"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if _, err := One(p, packing.Answer{}, 0); err == nil {
		t.Error("a GPU that is not there is explained")
	}
}
