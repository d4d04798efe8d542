package judge_test

import (
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// TestEveryLayoutCanStand: pools that exist, every model on a slice that its pool has,
// GPUs cut without room for one more slice, no layout twice, the cheapest first.
func TestEveryLayoutCanStand(t *testing.T) {
	s := load(t, toy)
	known := map[fleet.ModelName]peer.Known{"transcribe-en": {Peak: 90, Mean: 40}, "transcribe-fr": {Peak: 5, Mean: 1}}
	layouts := judge.Layouts(s.Settings, known, 100)
	if len(layouts) < 3 {
		t.Fatalf("only %d layouts", len(layouts))
	}
	spec, _ := fleet.LookupGPU("a100-80gb")
	for i, l := range layouts {
		if err := l.Setup.Validate(s.Settings); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
		if i > 0 && l.Price < layouts[i-1].Price {
			t.Errorf("%s costs less than %s, which comes before", l.Name, layouts[i-1].Name)
		}
		for _, p := range l.Setup.Pools {
			for profile := range p.Geometry.Counts() {
				if profile != fleet.WholeGPU && len(packing.Fits(spec, p.Geometry, profile)) > 0 {
					t.Errorf("%s: %s has room for one more %s", l.Name, p.Geometry, profile)
				}
			}
		}
	}
	if got := judge.Layouts(s.Settings, known, 2); len(got) != 2 || got[0].Name != layouts[0].Name {
		t.Errorf("the best two are %v", got)
	}
	if err := judge.DefaultSetup(s.Settings).Validate(s.Settings); err != nil {
		t.Error(err)
	}
}

// TestADefaultSetupBuysWhatMayBeBought: a cheap offering of which there is one node is
// no place for traffic that needs more, where there is another.
func TestADefaultSetupBuysWhatMayBeBought(t *testing.T) {
	quiet := replaced(t, "      offerings:\n", "      offerings:\n      - {name: cheap, gpu: a100-80gb, pricePerHour: \"1.00\", limit: 1}\n")
	busy := strings.Replace(quiet, "poisson, peak: 3}", "poisson, peak: 150}", 1)
	for text, cheap := range map[string]bool{quiet: true, busy: false} {
		r, err := judge.NewTrial(load(t, text), 1).Run(t.Context(), judge.Job{Controller: "static-peak"})
		if err != nil {
			t.Fatal(err)
		}
		if *r.Attainment < 0.9 || (r.Cost.Float() < 3.01) != cheap {
			t.Errorf("on its default setup it serves %.3f within the SLO for %s", *r.Attainment, r.Cost.Describe())
		}
	}
}
