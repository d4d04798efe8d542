package control

import (
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestAnUndividedGPUHoldsNoFewerThanTheLeast: one undivided GPU that promises more than two
// small slices takes the place of both, unless two replicas are the least.
func TestAnUndividedGPUHoldsNoFewerThanTheLeast(t *testing.T) {
	o := fleet.Offering{Name: "a100", GPU: "a100-80gb"}
	used := []packing.Slice{{Profile: "1g.10gb", Start: 0, Model: "transcribe-en"}, {Profile: "1g.10gb", Start: 1, Model: "transcribe-en"}}
	for least, want := range map[int]bool{0: true, 1: true, 2: false, 3: false} {
		d := &decider{promised: map[fleet.OfferingName][]promised{o.Name: {{
			model: "transcribe-en", growth: 8, price: 1, carries: map[fleet.ProfileName]float64{"1g.10gb": 1, "7g.80gb": 10},
		}}}}
		d.settings.Policy = policy.Policy{Models: []fleet.Model{{Name: "transcribe-en", MinReplicas: least}}}
		if slice, ok := d.undivide(o, used, 0); ok != want {
			t.Errorf("where %d replicas are the least: %v, %v", least, slice, ok)
		}
	}
}
