package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestCandidatesSayWhatIsTrue over a day of purchases from two offerings, some of
// them under a cap: one is chosen, prices compare as the verdicts say, and waiting
// leaves something unserved.
func TestCandidatesSayWhatIsTrue(t *testing.T) {
	wholeDays(t)
	p := smallPolicy()
	catalog := smallCatalog()
	dear := catalog.Offerings[0]
	dear.Name, dear.Price = "a100-dear", fleet.PerHour(dollars(6))
	catalog.Offerings = append(catalog.Offerings, dear)
	p.Offerings = append(p.Offerings, dear.Name)
	p.Budgets = []policy.Budget{{Per: policy.Hour, Amount: dollars(16), OnExceeded: policy.Hold}}
	s := newStage(t, p, 18, 9)
	s.loop.Use(control.Settings{Policy: p, Catalog: catalog})
	purchases, lacking := 0, 0
	s.run(t, 14*time.Hour, func(r control.Record) {
		codes := map[fleet.ReasonCode]int{}
		for _, why := range r.Plan.Held {
			codes[why.Code]++
		}
		if lacking += codes[fleet.ReasonNoCapacity]; codes[fleet.ReasonHeldBudget] > 0 && codes[fleet.ReasonNoCapacity] == 0 {
			t.Errorf("%s: a cap is said to hold what nothing lacks: %v", r.Plan.ID, r.Plan.Held)
		}
		if len(r.Plan.Candidates) == 0 {
			return
		}
		purchases++
		checkCandidates(t, r.Plan)
	})
	if purchases < 3 || lacking == 0 {
		t.Errorf("%d purchases were valued, and the cap left something lacking %d times", purchases, lacking)
	}
}

func checkCandidates(t *testing.T, p fleet.Plan) {
	t.Helper()
	var chosen, wait []fleet.Candidate
	for _, c := range p.Candidates {
		if c.Chosen {
			chosen = append(chosen, c)
		}
		if c.Name == "wait" {
			wait = append(wait, c)
		}
	}
	if len(chosen) != 1 || len(wait) != 1 || wait[0].Unmet == "" || !wait[0].Price.Hourly().IsZero() {
		t.Fatalf("%s", p.Describe())
	}
	for _, c := range p.Candidates {
		more := c.Price.Compare(chosen[0].Price)
		switch {
		case strings.Contains(c.Verdict, "-$"),
			strings.Contains(c.Verdict, " more") && strings.HasPrefix(c.Verdict, "costs") && more <= 0,
			strings.Contains(c.Verdict, " less") && more >= 0,
			strings.Contains(c.Verdict, "the same") && more != 0,
			c.Unmet != "" && !strings.Contains(c.Verdict, c.Unmet):
			t.Errorf("%s: %q\n%s", c.Name, c.Verdict, p.Describe())
		}
	}
}
