package judge

import (
	"slices"
	"testing"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// TestWhoKeepsTheTargetsComesBeforeWhoPaysLess, who lacks less before who lacks more,
// and of equals the one that was tried first.
func TestWhoKeepsTheTargetsComesBeforeWhoPaysLess(t *testing.T) {
	of := func(shortfall float64, cost int64, actions, turn int) tried {
		return tried{shortfall: shortfall, turn: turn, result: simulator.Result{Cost: fleet.Micros(cost, "USD"), ScaleActions: actions}}
	}
	want := []tried{of(0, 5, 9, 7), of(0, 6, 1, 6), of(0, 6, 2, 3), of(0, 6, 2, 4), of(0.01, 1, 1, 2), of(0.02, 1, 1, 1)}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, compareTried)
	for i := range want {
		if got[i].turn != want[i].turn {
			t.Errorf("in place %d is the one of turn %d, want %d", i, got[i].turn, want[i].turn)
		}
	}
}

// TestRegretIsOverTheSameWorld: the same scenario, seed and length.
func TestRegretIsOverTheSameWorld(t *testing.T) {
	of := func(controller, scenario string, seed uint64, seconds float64, cost int64) simulator.Result {
		return simulator.Result{Controller: controller, Scenario: scenario, Seed: seed, SimulatedSeconds: seconds, Cost: fleet.Micros(cost, "USD")}
	}
	results := []simulator.Result{
		of(Clairvoyant, "b", 1, 60, 10), of(Clairvoyant, "a", 2, 60, 20), of(Clairvoyant, "a", 1, 30, 30), of(Clairvoyant, "a", 1, 60, 40),
		of(Tessera, "a", 1, 60, 50), of(Tessera, "a", 3, 60, 50),
	}
	Against(results)
	if r := results[4].RegretClairvoyant; r == nil || *r != 0.25 {
		t.Errorf("the regret of 50 over 40 is %v", r)
	}
	if r := results[5].RegretClairvoyant; r != nil {
		t.Errorf("the regret over nobody is %v", *r)
	}
}

// TestABoardTellsWhoBreaksACap, on average over the seeds.
func TestABoardTellsWhoBreaksACap(t *testing.T) {
	runs := []simulator.Result{
		{Scenario: "a", Controller: "hpa", Seed: 1, BudgetViolations: 2},
		{Scenario: "a", Controller: "hpa", Seed: 2, BudgetViolations: 4},
		{Scenario: "a", Controller: Tessera, Seed: 1},
	}
	board := BoardOf("a", control.Settings{}, runs)
	if v := board.Rows[0].Violations; v.Mean != 3 {
		t.Errorf("2 and 4 are %v on average", v.Mean)
	}
	if v := board.Rows[1].Violations; v.Mean != 0 {
		t.Errorf("none is %v", v.Mean)
	}
}
