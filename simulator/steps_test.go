package simulator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestTwiceIsOnce: a step that is repeated at once changes nothing further, and a
// refused one changes nothing but what is known of the market.
func TestTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := randomWorld(t, 1, 90*time.Minute)
		for _, a := range randomActs().Draw(rt, "acts") {
			w.AdvanceTo(w.Now().Add(a.After))
			if a.Step == nil {
				continue
			}
			look := func() (string, string) {
				s := observe(t, w)
				market := text(t, s.Unavailable)
				s.Unavailable = nil
				return text(t, []any{s, w.Result()}), market
			}
			before, _ := look()
			first := w.Do(t.Context(), "test", a.Step)
			once, market := look()
			second := w.Do(t.Context(), "test", a.Step)
			if first != nil && once != before {
				rt.Fatalf("refused, and something changed: %v", first)
			}
			if again, still := look(); again != once || still != market {
				rt.Fatalf("done twice, %s is not what it is once", a.Step.Describe())
			}
			if first == nil && second != nil {
				rt.Fatalf("the second time it is refused: %v", second)
			}
		}
	})
}

// TestRefusals: each says why, and of what kind.
func TestRefusals(t *testing.T) {
	model := testModel("m", fleet.CentralQueue, 1)
	slow := fleet.LeadTime{Node: fleet.Fixed(time.Minute)}
	catalog := fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "a100", GPU: "a100-80gb", GPUs: 1, Limit: 2, Reshape: fleet.ReshapeNode, ReshapeTime: fleet.Fixed(time.Minute)},
		{Name: "cpu", GPU: fleet.CPU, GPUs: 1, MemoryMiB: 100, Limit: 1},
		{Name: "rare", GPU: "a100-80gb", GPUs: 1, Limit: 1},
		{Name: "slow", GPU: "a100-80gb", GPUs: 1, Limit: 1, Lead: slow},
	}}
	onCPU := *measure(&model)
	onCPU.Kind = fleet.CPUSlice
	model.Profile.Variants[0].Slices = append(model.Profile.Variants[0].Slices, onCPU)
	gpus := func(t fleet.GPUType, g fleet.Geometry) []fleet.GPU { return []fleet.GPU{{Type: t, Geometry: g}} }
	whole := fleet.Geometry{{Profile: fleet.WholeGPU}}
	cpu := fleet.BuyNode{Node: "c", Offering: "cpu", GPUs: gpus(fleet.CPU, whole)}
	late := fleet.BuyNode{Node: "late", Offering: "slow", GPUs: gpus("a100-80gb", sevenths())}
	ready := []fleet.Step{buyNode("n"), startOn("n", 0, "m", "r")}
	reshape := func(node fleet.NodeID, g fleet.Geometry) fleet.Step {
		return fleet.Reshape{GPU: fleet.GPUID{Node: node}, Geometry: g}
	}
	for _, c := range []struct {
		name  string
		given []fleet.Step
		step  fleet.Step
		want  Refusal
	}{
		{"a node that is not in the catalog", nil, fleet.BuyNode{Node: "n", Offering: "h100"}, NotThere},
		{"a node while there are none", nil, fleet.BuyNode{Node: "n", Offering: "rare", GPUs: gpus("a100-80gb", sevenths())}, OutOfStock},
		{"one node more than the limit", []fleet.Step{buyNode("a"), buyNode("b")}, buyNode("c"), LimitReached},
		{"a node with a GPU too few", nil, fleet.BuyNode{Node: "n", Offering: "a100"}, Impossible},
		{"a node with GPUs of another type", nil, fleet.BuyNode{Node: "n", Offering: "a100", GPUs: gpus("h100-80gb", sevenths())}, Impossible},
		{"a node in a geometry that no GPU has", nil, fleet.BuyNode{Node: "n", Offering: "a100", GPUs: gpus("a100-80gb", append(halves(), sevenths()...))}, Impossible},
		{"a node without GPUs in slices", nil, fleet.BuyNode{Node: "n", Offering: "cpu", GPUs: gpus(fleet.CPU, sevenths())}, Impossible},
		{"another node of a name in use", ready, fleet.BuyNode{Node: "n", Offering: "slow", GPUs: gpus("a100-80gb", sevenths())}, Conflict},
		{"the name of a node that is gone", []fleet.Step{buyNode("n"), fleet.DrainNode{Node: "n"}, fleet.ReturnNode{Node: "n"}}, buyNode("n"), Conflict},

		{"a replica of no model", ready, startOn("n", 1, "other", "s"), NotThere},
		{"a replica on no node", nil, startOn("n", 1, "m", "s"), NotThere},
		{"a replica on a node that is gone", []fleet.Step{buyNode("n"), fleet.DrainNode{Node: "n"}, fleet.ReturnNode{Node: "n"}}, startOn("n", 1, "m", "s"), NotThere},
		{"a replica on no slice", ready, startOn("n", 7, "m", "s"), NotThere},
		{"a replica of no variant", ready, fleet.StartReplica{Replica: "s", Model: "m", Variant: "int8", Slice: startOn("n", 1, "m", "s").Slice}, Impossible},
		{"a replica on what nobody measured", []fleet.Step{buyNode("n"), reshape("n", halves())}, startOn("n", 4, "m", "s"), Impossible},
		{"a replica that does not fit the host's memory", []fleet.Step{cpu}, startOn("c", 0, "m", "s"), Impossible},
		{"a replica on a slice that is taken", ready, startOn("n", 0, "m", "s"), Conflict},
		{"a replica on a node that drains", append(ready, fleet.DrainNode{Node: "n"}), startOn("n", 1, "m", "s"), Conflict},
		{"another replica of a name in use", ready, startOn("n", 1, "m", "r"), Conflict},
		{"the name of a replica that is gone", append(ready, fleet.StopReplica{Replica: "r"}), startOn("n", 0, "m", "r"), Conflict},
		{"the stop of a replica that never was", ready, fleet.StopReplica{Replica: "s"}, NotThere},

		{"the drain of a node that never was", nil, fleet.DrainNode{Node: "n"}, NotThere},
		{"to keep a node that never was", nil, fleet.KeepNode{Node: "n"}, NotThere},
		{"to keep a node that is gone", []fleet.Step{buyNode("n"), fleet.DrainNode{Node: "n"}, fleet.ReturnNode{Node: "n"}}, fleet.KeepNode{Node: "n"}, NotThere},
		{"the return of a node that never was", nil, fleet.ReturnNode{Node: "n"}, NotThere},
		{"the return of a node that does not drain", []fleet.Step{buyNode("n")}, fleet.ReturnNode{Node: "n"}, Conflict},
		{"the return of a node with a replica", append(ready, fleet.DrainNode{Node: "n"}), fleet.ReturnNode{Node: "n"}, Conflict},

		{"to reshape a GPU that is not there", ready, fleet.Reshape{GPU: fleet.GPUID{Node: "n", Index: 1}, Geometry: halves()}, NotThere},
		{"to reshape into what no GPU is", []fleet.Step{buyNode("n")}, reshape("n", append(halves(), sevenths()...)), Impossible},
		{"to reshape a GPU in use", ready, reshape("n", halves()), Conflict},
		{"to reshape a node that starts", []fleet.Step{late}, reshape("late", halves()), Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t, Config{Catalog: catalog, Models: []fleet.Model{model}, Faults: []Fault{{For: time.Hour, Kind: StockOut, Offering: "rare"}}})
			for _, step := range c.given {
				do(t, w, step)
				advance(w, w.Now().Sub(start)+time.Second)
			}
			err := w.Do(t.Context(), "test", c.step)
			var refused *StepError
			if !errors.As(err, &refused) {
				t.Fatalf("answered %v", err)
			}
			if refused.Refusal != c.want || refused.Step.Subject() != c.step.Subject() {
				t.Errorf("refused %s as %q, want %q: %v", refused.Step.Subject(), refused.Refusal, c.want, err)
			}
			if said := err.Error(); !strings.HasPrefix(said, c.step.Describe()+": "+string(c.want)+": ") {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// TestWhatIsGoneMayBeTakenAwayAgain: the aim of a stop, a drain or a return that
// arrives late is met already.
func TestWhatIsGoneMayBeTakenAwayAgain(t *testing.T) {
	w := build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}})
	serveWith(t, w, "m", 1)
	leave := []fleet.Step{fleet.StopReplica{Replica: "r0"}, fleet.DrainNode{Node: "n"}, fleet.ReturnNode{Node: "n"}}
	do(t, w, leave...)
	actions := w.Result().ScaleActions
	do(t, w, leave...)
	if got := w.Result().ScaleActions; got != actions {
		t.Errorf("%d scale actions, %d before the same steps came again", got, actions)
	}
}

// TestStockOutEnds: it refuses while it lasts, of its offering only, and a node
// that was bought before stays.
func TestStockOutEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault Fault
		at    time.Duration
		want  bool // that the purchase is done
	}{
		{"before", Fault{At: time.Minute, For: time.Minute, Kind: StockOut}, time.Minute - 1, true},
		{"from its beginning on", Fault{At: time.Minute, For: time.Minute, Kind: StockOut}, time.Minute, false},
		{"to its end", Fault{At: time.Minute, For: time.Minute, Kind: StockOut}, 2*time.Minute - 1, false},
		{"after", Fault{At: time.Minute, For: time.Minute, Kind: StockOut}, 2 * time.Minute, true},
		{"of its offering", Fault{For: time.Minute, Kind: StockOut, Offering: "a100"}, 0, false},
		{"of another offering", Fault{For: time.Minute, Kind: StockOut, Offering: "b"}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			catalog := testCatalog()
			catalog.Offerings = append(catalog.Offerings, fleet.Offering{Name: "b", GPU: "a100-80gb", GPUs: 1, Limit: 1})
			w := build(t, Config{Catalog: catalog, Faults: []Fault{c.fault}})
			advance(w, c.at)
			if err := w.Do(t.Context(), "test", buyNode("n")); (err == nil) != c.want {
				t.Errorf("answered %v", err)
			}
		})
	}
}
