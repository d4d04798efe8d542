package repack

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Whatever runs and whatever is asked, the plan can be carried out, also in any other
// order that its steps allow, and no step takes what a model needs.
func TestNoStepTakesWhatAModelNeedsInAnyOrderAllowed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		need := drawNeed(r, 5)
		limited := false
		for i := range need.GPUs {
			if rapid.IntRange(0, 2).Draw(r, "limited") == 0 {
				need.GPUs[i].MaxNodes = new(rapid.IntRange(0, 5).Draw(r, "max"))
				limited = true
			}
			need.GPUs[i].Reserved = max(0, rapid.IntRange(-3, 1).Draw(r, "reserved"))
		}
		nodes := drawFleet(r, need, 5)
		o := drawOptions(r, need)
		p := solved(r, nodes, need, o)
		if !limited && p.Total > p.Stay {
			r.Fatalf("total %v, staying costs %v", p.Total, p.Stay)
		}
		rng := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(r, "order")))
		for range 3 {
			if _, err := replayed(nodes, need, o, p.Steps, anyOrder(rng, p.Steps)); err != nil {
				r.Fatalf("in another order: %v\n%s\n%s\n%s", err, p.describe(), asJSON(nodes), asJSON(need))
			}
		}
	})
}

// anyOrder is a random order in which each step comes after those it names.
func anyOrder(rng *rand.Rand, steps []Step) []int {
	done := make([]bool, len(steps))
	var out []int
	for len(out) < len(steps) {
		i := rng.IntN(len(steps))
		if !done[i] && !slices.ContainsFunc(steps[i].After, func(j int) bool { return !done[j] }) {
			done[i] = true
			out = append(out, i)
		}
	}
	return out
}

func TestTheOrderOfTheInputChangesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		need := drawNeed(r, 5)
		nodes := drawFleet(r, need, 5)
		o := drawOptions(r, need)
		p := solved(r, nodes, need, o)
		nodes, need = shuffle(rand.New(rand.NewPCG(2, rapid.Uint64().Draw(r, "shuffle"))), nodes, need)
		if diff := gocmp.Diff(p, solved(r, nodes, need, o)); diff != "" {
			r.Fatalf("another order has another plan (-first +second):\n%s", diff)
		}
	})
}

// What a plan leads to needs no further plan.
func TestAFleetThatIsAsItShouldBeIsLeftAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		need := drawNeed(r, 5)
		a, err := packing.Solve(need, packing.Options{})
		if err != nil {
			r.Fatal(err)
		}
		if a.Cost != a.LowerBound {
			r.Skip("not known to be the cheapest")
		}
		p := solved(r, FleetOf(a.GPUs, need.GPUs), need, drawOptions(r, need))
		if len(p.Steps) > 0 {
			r.Fatalf("a fleet that is the cheapest is changed:\n%s", p.describe())
		}
	})
}

func modelOn(name string, demand float64, on string, does map[fleet.ProfileName]float64) packing.Model {
	return packing.Model{Name: name, Demand: demand, Throughput: map[string]map[fleet.ProfileName]float64{on: does}}
}

func placed(node int, typ string, slots ...packing.Slice) packing.Placed {
	return packing.Placed{Type: typ, Node: node, Geometry: slots}
}

func slot(profile fleet.ProfileName, start int, m packing.Occupant) packing.Slice {
	return packing.Slice{Profile: profile, Start: start, Model: m}
}

// Two half-empty GPUs become one if that saves more over the time kept than the
// move costs, and not before.
func TestAMoveIsWorthItOnlyWhenItSavesMoreThanItCosts(t *testing.T) {
	need := packing.Problem{
		GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.20", MIG: "a30-24gb", PerNode: 1}},
		Models: []packing.Model{
			modelOn("x", 1, "a30", map[fleet.ProfileName]float64{"2g.12gb": 1}),
			modelOn("y", 1, "a30", map[fleet.ProfileName]float64{"2g.12gb": 1}),
		},
	}
	nodes := FleetOf([]packing.Placed{
		placed(1, "a30", slot("2g.12gb", 0, "x"), slot("2g.12gb", 2, "")),
		placed(2, "a30", slot("2g.12gb", 0, "y"), slot("2g.12gb", 2, "")),
	}, need.GPUs)
	// A move costs 90 s to warm up and 60 s to drain on a slice of 0.60 an hour, which
	// is 0.025, and 0.02 for the disruption; the node saves 0.02 a minute.
	for _, tt := range []struct {
		keep  time.Duration
		moves bool
	}{{2 * time.Minute, false}, {3 * time.Minute, true}} {
		p := solved(t, nodes, need, priced(fleet.ReshapeGPU, tt.keep, need.GPUs...))
		if got := len(p.Steps) > 0; got != tt.moves {
			t.Errorf("kept for %v: steps %v, want %v\n%s", tt.keep, got, tt.moves, p.describe())
		}
	}
}

// A GPU is cut anew only once it is empty, and a node of several GPUs only when all
// of them are, if that is what the type asks for.
func TestNothingIsCutUnderWork(t *testing.T) {
	need := packing.Problem{
		GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.20", MIG: "a30-24gb", PerNode: 2, MaxNodes: new(1)}},
		Models: []packing.Model{
			modelOn("small", 2, "a30", map[fleet.ProfileName]float64{"1g.6gb": 1}),
			modelOn("large", 1, "a30", map[fleet.ProfileName]float64{"4g.24gb": 1}),
		},
	}
	nodes := FleetOf([]packing.Placed{
		placed(1, "a30", slot("1g.6gb", 0, "small"), slot("1g.6gb", 1, ""), slot("2g.12gb", 2, "")),
		placed(1, "a30", slot("1g.6gb", 0, "small"), slot("1g.6gb", 1, ""), slot("2g.12gb", 2, "")),
	}, need.GPUs)
	p := solved(t, nodes, need, priced(fleet.ReshapeGPU, time.Hour, need.GPUs...))
	if len(p.Unserved) > 0 || !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Do == Reshape && s.GPU >= 0 }) {
		t.Errorf("by GPU: want one GPU emptied and cut:\n%s", p.describe())
	}
	// The whole node can never be empty, for no other may be had.
	p = solved(t, nodes, need, priced(fleet.ReshapeNode, time.Hour, need.GPUs...))
	if p.Unserved["large"] != 1 || slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Do == Reshape }) {
		t.Errorf("by node: want nothing cut and large left out:\n%s", p.describe())
	}
}

// Where a GPU must be cut for a second model and no node more may be had, the first
// waits on a slice that is somebody else's in the end.
func TestAModelMakesRoomOverADetour(t *testing.T) {
	need := packing.Problem{
		GPUs: []packing.GPU{
			{Name: "a30", PricePerHour: "1.20", MIG: "a30-24gb", PerNode: 1, MaxNodes: new(1)},
			{Name: "l4", PricePerHour: "0.80", PerNode: 1, MaxNodes: new(1)},
		},
		Models: []packing.Model{
			{Name: "x", Demand: 1, Throughput: map[string]map[fleet.ProfileName]float64{"a30": {"2g.12gb": 1, "4g.24gb": 2}, "l4": {"whole": 1}}},
			modelOn("y", 1, "a30", map[fleet.ProfileName]float64{"2g.12gb": 1}),
			modelOn("z", 1, "l4", map[fleet.ProfileName]float64{"whole": 1}),
		},
	}
	nodes := FleetOf([]packing.Placed{placed(1, "a30", slot("4g.24gb", 0, "x")), placed(2, "l4", slot("whole", 0, ""))}, need.GPUs)
	p := solved(t, nodes, need, priced(fleet.ReshapeGPU, time.Hour, need.GPUs...))
	detour := slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Do == Start && s.Why == ForDetour && s.Node == 2 })
	if len(p.Unserved) > 0 || !detour {
		t.Errorf("want x to wait on node 2 while node 1 is cut:\n%s", p.describe())
	}
}

func TestTheOfferOfTheFleetIsChecked(t *testing.T) {
	need := packing.Problem{
		GPUs:    []packing.GPU{{Name: "a30", PricePerHour: "1.20", MIG: "a30-24gb", PerNode: 1}},
		Models:  []packing.Model{modelOn("x", 1, "a30", map[fleet.ProfileName]float64{"2g.12gb": 1})},
		Current: []packing.Placed{placed(1, "a30")},
	}
	nodes := []Node{
		{Number: 1, Type: "a30", GPUs: []GPU{{Slices: []Slice{{Slice: slot("2g.12gb", 1, "")}}}}},
		{Number: 1, Type: "a30", GPUs: []GPU{{}}},
		{Number: 2, Type: "a40", GPUs: []GPU{{}}},
		{Number: 3, Type: "a30"},
	}
	_, err := Solve(nodes, need, Options{Keep: -time.Second})
	for _, want := range []string{
		"keep: -1s, must be from", "current: the need names today's layout", "two nodes have the number 1",
		`nodes[2].type: no GPU named "a40"`, "nodes[3].gpus: 0, but per_node of a30 is 1",
	} {
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}
