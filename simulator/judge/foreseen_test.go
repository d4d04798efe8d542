package judge_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

func runOf(t *testing.T, trial *judge.Trial, controller string) simulator.Result {
	t.Helper()
	r, err := trial.Run(context.Background(), judge.Job{Controller: controller, Bound: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheClairvoyantIsCheaperThanTesseraAndNoCheaperThanTheBound: in the same world it
// keeps every target for less, and says the same each time.
func TestTheClairvoyantIsCheaperThanTesseraAndNoCheaperThanTheBound(t *testing.T) {
	s := load(t, strings.Replace(toy, "poisson, peak: 3}", "poisson, peak: 60}", 1))
	for seed := range uint64(2) {
		trial := judge.NewTrial(s, seed+1)
		best, tessera := runOf(t, trial, judge.Clairvoyant), runOf(t, trial, judge.Tessera)
		for _, m := range s.Settings.Policy.Models {
			if a := best.ByModel[string(m.Name)].Attainment; a == nil || *a < m.SLO.Target {
				t.Errorf("seed %d: %s has %v, and %v is its target", seed+1, m.Name, a, m.SLO.Target)
			}
		}
		if best.Cost.Compare(tessera.Cost) >= 0 {
			t.Errorf("seed %d: the clairvoyant pays %s, Tessera %s", seed+1, best.Cost.Describe(), tessera.Cost.Describe())
		}
		if best.CostLowerBoundUSD == nil || best.Cost.Float() < *best.CostLowerBoundUSD {
			t.Errorf("seed %d: %s is less than the bound", seed+1, best.Cost.Describe())
		}
		if again := runOf(t, judge.NewTrial(s, seed+1), judge.Clairvoyant); again.Hash != best.Hash {
			t.Errorf("seed %d: two runs, two hashes", seed+1)
		}
	}
}
