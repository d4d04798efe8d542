package fleet_test

import (
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestANodeFallsToItsModelsByMemorySlices, and to groups as to their models together.
func TestANodeFallsToItsModelsByMemorySlices(t *testing.T) {
	node := fleet.Node{ID: "n", GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{
		{Profile: "1g.10gb", Start: 0}, {Profile: "1g.10gb", Start: 1}, {Profile: "3g.40gb", Start: 4},
	}}}}
	on := func(id fleet.ReplicaID, m fleet.ModelName, start int) fleet.Replica {
		return fleet.Replica{ID: id, Model: m, Slice: fleet.SliceID{GPU: fleet.GPUID{Node: "n"}, Start: start}}
	}
	replicas := []fleet.Replica{on("r1", "fr", 0), on("r2", "de", 4), on("r3", "fr", 1), on("r4", "fr", 7)} // there is no slice at 7
	got := fleet.ModelWeights(node, replicas)
	if len(got) != 2 || got[0] != (fleet.ModelWeight{Model: "de", Slices: 4}) || got[1] != (fleet.ModelWeight{Model: "fr", Slices: 2}) {
		t.Errorf("the node falls to %v", got)
	}
	groups := fleet.GroupWeights(node, replicas, func(fleet.ModelName) fleet.GroupName { return "speech" })
	if len(groups) != 1 || groups[0].Slices != 6 {
		t.Errorf("of the group it is %v", groups)
	}
	if idle := fleet.ModelWeights(node, nil); len(idle) != 0 {
		t.Errorf("a node without replicas falls to %v", idle)
	}
}

// TestSmallAmountsCanBeCompared: with four decimals, or two digits below a hundredth.
func TestSmallAmountsCanBeCompared(t *testing.T) {
	for micros, want := range map[int64]string{
		0: "$0.00", 1: "$0.000001", 12: "$0.000012", 412: "$0.00041", 4_120: "$0.0041", 12_340: "$0.0123", 312_400: "$0.3124",
		1_000_000: "$1.00", 12_345_600: "$12.35", -5_000: "-$0.01",
	} {
		if got := fleet.Micros(micros, "USD").DescribeFine(); got != want {
			t.Errorf("%d millionths are %s, want %s", micros, got, want)
		}
	}
	if got := fleet.Micros(12_340, "CHF").DescribeFine(); got != "0.0123 CHF" {
		t.Errorf("francs are %s", got)
	}
}
