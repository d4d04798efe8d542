package control_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// wednesday is the early morning of a day like those before it, of which two weeks are known.
var wednesday = monday.Add(54 * time.Hour)

// west is a stage on a day on which the least valuable work comes first: summaries when
// Paris is at work, and captions, worth most, when Los Angeles is.
func west(t *testing.T, p policy.Policy) *stage {
	t.Helper()
	wholeDays(t)
	cfg := simulator.Config{
		Start: wednesday, Catalog: smallCatalog(), Models: p.Models, Seed: 3, Patience: 20,
		Sources: map[fleet.ModelName]traffic.Source{}, Past: map[fleet.ModelName]simulator.Past{},
	}
	for _, g := range []traffic.Generated{
		{Model: "summarize", Zone: "Europe/Paris", Peak: 40},
		{Model: "transcribe-en", Zone: "America/Los_Angeles", Peak: 30},
		{Model: "transcribe-fr", Zone: "Europe/Paris", Peak: 2},
	} {
		g.Shape = traffic.ShapeOfficeHours
		source, err := traffic.NewGenerated(g, wednesday, 18*time.Hour, 3)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[g.Model], cfg.Past[g.Model] = source, g.History(wednesday, 14*24*time.Hour, time.Minute, 3)
	}
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: world, tape: &tape{}, at: wednesday}
	s.loop = control.NewLoop(control.Ports{Observer: world, Actuator: world, Journal: s.tape, Historian: world},
		control.Settings{Policy: p, Catalog: smallCatalog()}, slog.New(slog.DiscardHandler))
	return s
}

// minutes ticks once a minute for a while.
func (s *stage) minutes(t *testing.T, span time.Duration, after func(control.Record)) {
	t.Helper()
	for range span / time.Minute {
		s.run(t, 15*time.Second, after)
		s.at = s.at.Add(45 * time.Second)
	}
}

// valued says what the work of the small policy is worth: captions much, summaries little.
func valued(budgets ...policy.Budget) policy.Policy {
	p := smallPolicy()
	p.Budgets, p.Ticks = budgets, policy.Ticks{Fast: time.Minute, Plan: time.Minute}
	for i, micros := range []int64{100, 4000, 4000} { // summarize, transcribe-en, transcribe-fr
		p.Models[i].Value = fleet.Micros(micros, "USD")
	}
	return p
}

// TestADayThatIsShortOfMoneyKeepsItForWhatIsWorthMost: with a fifth less than the day
// needs, summaries give way in the morning, and captions meet their target until the
// end of it. Nothing is committed above the cap, and every decision can be repeated.
func TestADayThatIsShortOfMoneyKeepsItForWhatIsWorthMost(t *testing.T) {
	free := west(t, valued())
	free.minutes(t, 18*time.Hour, nil)
	need := free.world.Result().Cost

	limit := policy.Budget{Per: policy.Day, Amount: need.Share(4, 5), OnExceeded: policy.Hold}
	p := valued(limit)
	s := west(t, p)
	reasons, gave := 0, map[fleet.ModelName]bool{}
	s.minutes(t, 18*time.Hour, func(r control.Record) {
		for _, pace := range r.Inputs.Memory.Pacings {
			for _, m := range pace.Yields {
				gave[m] = true
			}
			if (pace.Price > 0) != (len(pace.Yields) > 0) {
				t.Errorf("at %s the shadow price is %v while %v give way", r.Inputs.Now, pace.Price, pace.Yields)
			}
		}
		for _, why := range r.Plan.Held {
			if why.Code == fleet.ReasonPaced {
				reasons++
			}
		}
	})
	got := s.world.Result()
	t.Logf("the day needs %s; of %s %s were spent; attainment %v", need, limit.Amount, got.Cost, got.AttainmentByModel)
	if share := got.AttainmentByModel["transcribe-en"]; share < 0.99 {
		t.Errorf("transcribe-en, worth most, has an attainment of %.4f under %s", share, limit)
	}
	if limit.Amount.Share(105, 100).Less(got.Cost) || got.BudgetViolations > 0 {
		t.Errorf("%s were spent under %s, with %d violations", got.Cost, limit, got.BudgetViolations)
	}
	if !gave["summarize"] || gave["transcribe-en"] || reasons == 0 {
		t.Errorf("%v gave way, for %d reasons", gave, reasons)
	}
	for i := 0; i < len(s.tape.lines); i += 251 {
		then, now, err := control.Replay(control.Settings{Policy: p, Catalog: smallCatalog()}, s.tape.lines[i])
		if err != nil || !bytes.Equal(then, now) {
			t.Fatalf("record %d decides otherwise when it is repeated: %v", i, err)
		}
	}
}

// TestAGenerousDayAndMonthChangeNothing: not one step.
func TestAGenerousDayAndMonthChangeNothing(t *testing.T) {
	free := west(t, valued())
	free.minutes(t, 18*time.Hour, nil)
	need := free.world.Result().Cost
	s := west(t, valued(
		policy.Budget{Per: policy.Day, Amount: need.Share(6, 5), OnExceeded: policy.Hold},
		policy.Budget{Per: policy.Month, Amount: need.Times(31), OnExceeded: policy.Shed},
	))
	s.minutes(t, 18*time.Hour, nil)
	if len(s.tape.records) != len(free.tape.records) {
		t.Fatal("there are not as many ticks")
	}
	for i, r := range s.tape.records {
		if a, b := len(r.Plan.Steps), len(free.tape.records[i].Plan.Steps); a != b {
			t.Fatalf("at %s there are %d steps, without a cap %d: %v", r.Inputs.Now, a, b, r.Inputs.Memory.Pacings)
		}
	}
	if got := s.world.Result().Cost; got.Compare(need) != 0 {
		t.Errorf("%s were spent, without a cap %s", got, need)
	}
}
