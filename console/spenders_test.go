package console

import (
	"html"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

func TestModelsBearWhatIsCommitted(t *testing.T) {
	s := fixture()
	shares, err := spendersOf(s)
	if err != nil {
		t.Fatal(err)
	}
	// A node is shared by four memory slices of French and two of German; the other one
	// starts, with four of German.
	for model, want := range map[fleet.ModelName]string{"transcribe-fr": "3.38", "transcribe-de": "6.76", "transcribe-no": "0"} {
		if got := shares[model]; got.Compare(fleet.PerHour(dollars(want))) != 0 {
			t.Errorf("%s bears %s, want %s", model, got, want)
		}
	}
	// What nobody uses falls to all in proportion.
	n := s.Record.Inputs.Snapshot.Nodes[1]
	n.ID = "node-00003"
	s.Record.Inputs.Snapshot.Nodes = append(s.Record.Inputs.Snapshot.Nodes, n)
	if shares, err = spendersOf(s); err != nil {
		t.Fatal(err)
	}
	sum := fleet.Rate{}
	for _, r := range shares {
		sum = sum.Add(r)
	}
	if cost, _ := outlayOf(s); sum != cost.whole {
		t.Errorf("the models bear %s of %s", sum, cost.whole)
	}
	if got := shares["transcribe-fr"]; got.Compare(fleet.PerHour(dollars("5.07"))) != 0 {
		t.Errorf("a third of three nodes is %s", got)
	}
}

func TestTheCostOfAUnitIsAbsentWhileUnknown(t *testing.T) {
	s := fixture()
	for i := range s.Settings.Policy.Models {
		s.Settings.Policy.Models[i].Profile.MeanWork = 10
	}
	m, _ := s.Settings.Policy.Model("transcribe-fr")
	rate := fleet.PerHour(dollars("3.38"))
	each, known := unitCostOf(s, m, rate)
	if want := 3.38 / (30 * 0.999 * 10 * 3600) * 1000; !known || math.Abs(each-want) > 1e-12 {
		t.Errorf("a thousand units cost %v (known %v), want %v", each, known, want)
	}
	for name, signals := range map[string]fleet.ModelSignals{
		"nothing comes":           {Arrivals: fleet.Measured(0, 0, 1), Attainment: fleet.Measured(1, 0, 1)},
		"all of it is late":       {Arrivals: fleet.Measured(30, 0, 1), Attainment: fleet.Measured(0, 0, 1)},
		"arrivals are unknown":    {Arrivals: fleet.Unknown("no series"), Attainment: fleet.Measured(1, 0, 1)},
		"nobody saw what is late": {Arrivals: fleet.Measured(30, 0, 1), Attainment: fleet.Unknown("no series")},
	} {
		signals.Model = "transcribe-fr"
		s.Record.Inputs.Snapshot.Models[1] = signals
		if each, known := unitCostOf(s, m, rate); known {
			t.Errorf("%s: a thousand units cost %v", name, each)
		}
	}
	b, _, _ := board()
	b.Publish(s)
	for line := range strings.Lines(exposed(t, b)) {
		if strings.HasPrefix(line, "tessera_model_cost_per_thousand_units_dollars") && strings.Contains(line, "transcribe-fr") {
			t.Errorf("unknown has a value: %s", line)
		}
	}
}

// TestABudgetOfWorkThatNobodyMeasuredIsUnknown: neither zero on the page nor a sample;
// once it is measured, both are there.
func TestABudgetOfWorkThatNobodyMeasuredIsUnknown(t *testing.T) {
	s := fixture()
	s.Settings.Policy.Budgets = []policy.Budget{{Per: policy.ThousandUnits, Amount: dollars("0.3"), Group: "meetings", OnExceeded: policy.Hold, Unit: "token"}}
	b, _, _ := board()
	b.Publish(s)
	const sample = `tessera_budget_remaining_dollars{group="meetings",per="thousand-units"}`
	if text := exposed(t, b); strings.Contains(text, sample) {
		t.Error("what is left of an unknown is told")
	}
	page := html.UnescapeString(get(t, NewServer("", b), "/").Body.String())
	if !strings.Contains(page, "per thousand tokens, over the trailing day, meetings") || !strings.Contains(page, "unknown</b> of $0.3000") {
		t.Error("the page does not say that the cost of work is unknown")
	}
	s.Record.Inputs.Memory.UnitMeters = map[fleet.GroupName]policy.UnitMeter{
		"meetings": {At: noon, Hours: []policy.UnitHour{{Begin: noon, Known: 2 * time.Hour, Money: dollars("10"), Units: 50_000}}},
	}
	b.Publish(s)
	if text := exposed(t, b); !strings.Contains(text, sample+" 0.1") {
		t.Error("what is left of thirty cents after twenty is not told")
	}
	page = html.UnescapeString(get(t, NewServer("", b), "/").Body.String())
	if !strings.Contains(page, "$0.2000</b> of $0.3000") {
		t.Error("the page does not say what the work cost")
	}
}

// TestAShadowPriceIsToldOfCapsThatArePaced, and of no other.
func TestAShadowPriceIsToldOfCapsThatArePaced(t *testing.T) {
	s := fixture()
	b, _, _ := board()
	b.Publish(s)
	if text := exposed(t, b); strings.Contains(text, "tessera_budget_shadow_price") {
		t.Error("a price is told though no cap is paced")
	}
	s.Record.Inputs.Memory.Pacings = []control.Pacing{{Budget: policy.Budget{Per: policy.Day, Amount: dollars("9"), Group: "meetings"}, Price: 1.5}}
	b.Publish(s)
	if text := exposed(t, b); !strings.Contains(text, `tessera_budget_shadow_price{group="meetings",per="day"} 1.5`) {
		t.Error("the shadow price of a day is not told")
	}
}
