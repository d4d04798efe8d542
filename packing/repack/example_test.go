package repack

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Two models sit alone on an A30 each. One GPU carries both, which is worth a move.
func ExampleSolve() {
	need := packing.Problem{
		GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.20", MIG: "a30-24gb", PerNode: 1}},
		Models: []packing.Model{
			{Name: "french", Demand: 40, Throughput: map[string]map[fleet.ProfileName]float64{"a30": {"2g.12gb": 50}}},
			{Name: "german", Demand: 30, Throughput: map[string]map[fleet.ProfileName]float64{"a30": {"2g.12gb": 50}}},
		},
	}
	half := func(model packing.Occupant) GPU {
		return GPU{Slices: []Slice{
			{Slice: packing.Slice{Profile: "2g.12gb", Start: 0, Model: model}},
			{Slice: packing.Slice{Profile: "2g.12gb", Start: 2}},
		}}
	}
	nodes := []Node{
		{Number: 1, Type: "a30", GPUs: []GPU{half("french")}},
		{Number: 2, Type: "a30", GPUs: []GPU{half("german")}},
	}
	plan, err := Solve(nodes, need, Options{
		Keep:    time.Hour,
		Replica: Replica{WarmUp: time.Minute, Drain: time.Minute},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range plan.Steps {
		fmt.Println(step.Describe())
	}
	fmt.Printf("%s an hour, then %s\n", plan.Today, plan.After)
	// Output:
	// start german on node 1 gpu 0 2g.12gb at 2 for 0.01: takes over from a replica that goes
	// drain german on node 2 gpu 0 2g.12gb at 0 for 0.01: its node is given back
	// drain-node node 2 (a30): what it costs is more than it is needed for
	// give-back node 2 (a30): what it costs is more than it is needed for
	// 2.4 an hour, then 1.2
}
