package repack

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// asJSON prints what a test failed on.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// describe prints a plan for people.
func (p Plan) describe() string {
	var out strings.Builder
	for i, s := range p.Steps {
		fmt.Fprintf(&out, "%3d %s %v\n", i, s.Describe(), s.After)
	}
	fmt.Fprintf(&out, "%s an hour, then %s, %s for the steps, total %s, staying %s\n", p.Today, p.After, p.Moves, p.Total, p.Stay)
	return out.String()
}

// solved answers a plan that Verify accepts.
func solved(t rapid.TB, nodes []Node, need packing.Problem, o Options) Plan {
	t.Helper()
	p, err := Solve(nodes, need, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(nodes, need, o, p); err != nil {
		t.Fatalf("%v\n%s\n%s\n%s", err, p.describe(), asJSON(nodes), asJSON(need))
	}
	return p
}

// partsUnderTest are parts with the profiles that tiny problems use.
var partsUnderTest = []struct {
	part     fleet.GPUType
	profiles []fleet.ProfileName
	shared   []fleet.ProfileName
}{
	{"a30-24gb", []fleet.ProfileName{"1g.6gb", "2g.12gb", "4g.24gb"}, nil},
	{"a30-24gb", []fleet.ProfileName{"2g.12gb", fleet.WholeGPU, "whole/3"}, []fleet.ProfileName{"whole/3"}},
	{"a100-80gb", []fleet.ProfileName{"1g.10gb", "3g.40gb", "3g.40gb/2", "7g.80gb"}, []fleet.ProfileName{"3g.40gb/2"}},
	{"", []fleet.ProfileName{fleet.WholeGPU}, nil},
}

// drawNeed makes a problem of up to two types of node and so many models.
func drawNeed(r *rapid.T, most int) packing.Problem {
	var p packing.Problem
	used := map[string][]fleet.ProfileName{}
	for i := range rapid.IntRange(1, 2).Draw(r, "types") {
		part := partsUnderTest[rapid.IntRange(0, len(partsUnderTest)-1).Draw(r, "part")]
		name := fmt.Sprintf("gpu-%d", i)
		p.GPUs = append(p.GPUs, packing.GPU{
			Name: name, PricePerHour: rapid.SampledFrom([]string{"1", "1.4", "2.75", "3.43"}).Draw(r, "price"),
			MIG: part.part, PerNode: rapid.IntRange(1, 2).Draw(r, "perNode"), Shared: part.shared,
		})
		used[name] = part.profiles
	}
	for i := range rapid.IntRange(1, most).Draw(r, "models") {
		m := packing.Model{
			Name: fmt.Sprintf("model-%d", i), Demand: float64(rapid.IntRange(1, 60).Draw(r, "demand")) / 10,
			Throughput: map[string]map[fleet.ProfileName]float64{}, Spread: rapid.SampledFrom([]int{0, 0, 0, 2}).Draw(r, "spread"),
		}
		for _, g := range p.GPUs {
			m.Throughput[g.Name] = map[fleet.ProfileName]float64{}
			for _, profile := range used[g.Name] {
				if rapid.IntRange(0, 3).Draw(r, "fits") > 0 {
					m.Throughput[g.Name][profile] = float64(rapid.IntRange(5, 40).Draw(r, "throughput")) / 10
				}
			}
		}
		p.Models = append(p.Models, m)
	}
	return p
}

// drawFleet makes nodes with whatever may be on them, at work or under way.
func drawFleet(r *rapid.T, need packing.Problem, most int) []Node {
	b := newBook(need, Options{})
	var out []Node
	for i := range rapid.IntRange(0, most).Draw(r, "nodes") {
		g := rapid.SampledFrom(need.GPUs).Draw(r, "type")
		n := Node{
			Number: i + 1, Type: g.Name, State: rapid.SampledFrom([]State{"", "", "", Starting, Draining}).Draw(r, "state"),
			Reserved: rapid.IntRange(0, 5).Draw(r, "reserved") == 0,
			Paid:     time.Duration(max(0, rapid.IntRange(-2, 2).Draw(r, "paid"))) * 20 * time.Minute,
		}
		for range g.PerNode {
			n.GPUs = append(n.GPUs, drawGPU(r, b, g, n.State == Starting))
		}
		out = append(out, n)
	}
	return out
}

func drawGPU(r *rapid.T, b *book, g packing.GPU, starting bool) GPU {
	all := append(b.geometries(b.types[g.Name]), nil)
	slots := rapid.SampledFrom(all).Draw(r, "geometry")
	gpu := GPU{Reshaping: rapid.IntRange(0, 7).Draw(r, "reshaping") == 0}
	for _, slot := range slots {
		state := rapid.SampledFrom([]State{"", "", "", Starting, Draining}).Draw(r, "replica")
		m := rapid.SampledFrom(b.need.Models).Draw(r, "model")
		_, fits := b.models[packing.Occupant(m.Name)].best[place{g.Name, slot.Profile}]
		if fits && !gpu.Reshaping && rapid.IntRange(0, 3).Draw(r, "empty") > 0 {
			slot.Model = packing.Occupant(m.Name)
			if starting {
				state = Starting
			}
			gpu.Slices = append(gpu.Slices, Slice{Slice: slot, State: state})
			continue
		}
		gpu.Slices = append(gpu.Slices, Slice{Slice: slot})
	}
	return gpu
}

// priced are options with a price on everything.
func priced(scope fleet.ReshapeScope, keep time.Duration, types ...packing.GPU) Options {
	o := Options{
		Keep: keep, Disruption: 20_000_000, Replica: Replica{WarmUp: 90 * time.Second, Drain: time.Minute},
		Types: map[string]Terms{},
	}
	for _, g := range types {
		o.Types[g.Name] = Terms{Lead: 5 * time.Minute, MinimumBilling: time.Minute, Reshape: scope, ReshapeTime: 2 * time.Minute, ModeFlip: 6 * time.Minute}
	}
	return o
}

func drawOptions(r *rapid.T, need packing.Problem) Options {
	keep := time.Duration(rapid.IntRange(1, 24).Draw(r, "keep")) * time.Hour / 2
	o := priced(rapid.SampledFrom([]fleet.ReshapeScope{fleet.ReshapeNode, fleet.ReshapeGPU}).Draw(r, "scope"), keep, need.GPUs...)
	o.Tries = 8
	return o
}

// shuffle is the same question in another order.
func shuffle(rng *rand.Rand, nodes []Node, need packing.Problem) ([]Node, packing.Problem) {
	n := append([]Node{}, nodes...)
	need.GPUs, need.Models = append([]packing.GPU{}, need.GPUs...), append([]packing.Model{}, need.Models...)
	rng.Shuffle(len(n), func(i, j int) { n[i], n[j] = n[j], n[i] })
	rng.Shuffle(len(need.GPUs), func(i, j int) { need.GPUs[i], need.GPUs[j] = need.GPUs[j], need.GPUs[i] })
	rng.Shuffle(len(need.Models), func(i, j int) { need.Models[i], need.Models[j] = need.Models[j], need.Models[i] })
	return n, need
}

func contains(text, part string) bool { return strings.Contains(text, part) }
