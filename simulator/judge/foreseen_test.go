package judge_test

import (
	"context"
	"strings"
	"testing"
	"time"

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

// TestTheClairvoyantKnowsItsWorldAndNoMore: not what was before, nor what comes after
// the end, nor what signals say, which a schedule does not read.
func TestTheClairvoyantKnowsItsWorldAndNoMore(t *testing.T) {
	busy := strings.NewReplacer("poisson, peak: 3}", "top-of-hour, zone: Europe/London, peak: 15}",
		"seconds: [0.2, 0.5]", "seconds: [2, 5]", "seconds: [0.05, 0.1]", "seconds: [0.5, 1]").Replace(toy)
	result := func(text, controller string) simulator.Result {
		t.Helper()
		r, err := judge.NewTrial(load(t, text), 1).Run(t.Context(), judge.Job{Controller: controller, Duration: 3 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	same := func(a, b simulator.Result) bool {
		return a.Cost.Compare(b.Cost) == 0 && *a.Attainment == *b.Attainment && a.ScaleActions == b.ScaleActions
	}
	before := result(busy, judge.Clairvoyant)
	t.Log(before.Cost, before.Attainment, result(busy, judge.Tessera).Cost)
	for name, text := range map[string]string{
		"history":          strings.Replace(busy, "history: 1h", "history: 9d", 1),
		"what comes after": strings.Replace(busy, "duration: 3h", "duration: 9h\n  faults: [{kind: node-death, at: 4h}]", 1),
		"signals":          strings.Replace(busy, "  traffic:", "  faults: [{kind: metrics-lying, at: 30m, for: 1h, factor: 5}]\n  traffic:", 1),
	} {
		if got := result(text, judge.Clairvoyant); !same(before, got) {
			t.Errorf("with other %s it does otherwise: %s in place of %s", name, got.Cost.Describe(), before.Cost.Describe())
		}
		if name != "what comes after" && same(result(busy, judge.Tessera), result(text, judge.Tessera)) {
			t.Errorf("%s means nothing even to Tessera: the test says nothing", name)
		}
	}
}

// TestWithoutAScheduleTheLoopIsFittedToItsWorld: sessions have no schedule. The loop
// that is told the traffic keeps the targets then, for less than the loop that is not,
// and a reader is told.
func TestWithoutAScheduleTheLoopIsFittedToItsWorld(t *testing.T) {
	world := strings.NewReplacer("poisson, peak: 3}", "poisson, peak: 0.5}", "poisson, peak: 0.3}", "poisson, peak: 0.05}",
		"      - name: asr\n", "      - name: asr\n        serves: sessions\n        meanWork: 300\n",
		"a100-80gb/1g.10gb: {", "a100-80gb/1g.10gb: {streams: 4, ", "a100-80gb/whole: {", "a100-80gb/whole: {streams: 40, ").Replace(toy)
	s := load(t, world)
	best, tessera := runOf(t, judge.NewTrial(s, 1), judge.Clairvoyant), runOf(t, judge.NewTrial(s, 1), judge.Tessera)
	for name, a := range best.AttainmentByModel {
		if a < 0.9 {
			t.Errorf("%s has %v of 0.9", name, a)
		}
	}
	if best.Cost.Float() > 0.95*tessera.Cost.Float() {
		t.Errorf("the clairvoyant pays %s, Tessera %s", best.Cost.Describe(), tessera.Cost.Describe())
	}
	if !strings.Contains(strings.Join(best.Notes, "\n"), "no schedule") {
		t.Errorf("its notes are %q", best.Notes)
	}
	if board := judge.BoardOf(s.Name, s.Settings, []simulator.Result{tessera, best}); len(board.Notes) != len(best.Notes) {
		t.Errorf("the board notes %q", board.Notes)
	}
}
