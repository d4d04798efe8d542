package explain_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// onNodes lists what a plan does to nodes, in a way of the test's own.
func onNodes(t *testing.T, s control.Settings, in control.Inputs) string {
	t.Helper()
	d, err := control.Decide(s, policy.NewSizer(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, step := range d.Plan.Steps {
		switch step := step.(type) {
		case fleet.BuyNode:
			out = append(out, "buy "+string(step.Offering))
		case fleet.DrainNode, fleet.KeepNode, fleet.ReturnNode:
			out = append(out, string(step.Kind())+" "+step.Subject())
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// What is said to change a plan changes it: decided just within the named factor the plan
// does the same to nodes, at the factor it does not, and the two are next to each other.
func TestTheNamedFactorIsTrue(t *testing.T) {
	lines := journalOf(t)
	settings := settingsOf(t, lines)
	named := 0
	for i, e := range entries(t, lines) {
		bought := slices.ContainsFunc(e.Plan.Steps, func(s fleet.Step) bool { return s.Kind() == fleet.KindBuyNode })
		if !bought {
			continue
		}
		in := inputsOf(t, lines[i+1])
		got, err := explain.Explain(settings, lines[i+1])
		if err != nil {
			t.Fatal(err)
		}
		if !got.Replayed || got.Now != nil {
			t.Errorf("%s does not replay", got.Plan)
		}
		base := onNodes(t, settings, in)
		for _, w := range got.WhatIf {
			if w.Kind != "demand" {
				continue
			}
			named++
			m, _ := settings.Policy.Model(fleet.ModelName(w.Subject))
			within, at := onNodes(t, settings, explain.Scaled(in, m, w.Within)), onNodes(t, settings, explain.Scaled(in, m, w.Factor))
			if within != base || at == base {
				t.Errorf("%s: %s\nthe plan %s\nwithin   %s\nat       %s", got.Plan, w.Text, base, within, at)
			}
			if apart := math.Abs(math.Log(w.Factor / w.Within)); apart == 0 || apart > math.Log(1.0021) {
				t.Errorf("%s: between %v and %v there is room for another", got.Plan, w.Within, w.Factor)
			}
			if (w.Factor < 1) != (w.Within > w.Factor) {
				t.Errorf("%s: %v is not further out than %v", got.Plan, w.Factor, w.Within)
			}
			if strings.HasPrefix(w.Differs, "nothing would have been bought") && strings.Contains(at, "buy") {
				t.Errorf("%s: %s, and it is %s", got.Plan, w.Differs, at)
			}
			if !strings.Contains(w.Text, fmt.Sprintf("%.3g/s", w.Then)) || !strings.Contains(w.Text, w.Subject) {
				t.Errorf("it does not say what it found: %s", w.Text)
			}
		}
	}
	if named < 4 {
		t.Errorf("only %d factors were named", named)
	}
}

// No change of demand within the range that was found to change nothing changes
// anything, on a grid of the test's own, but for one within a stride of the search.
func TestNothingNearerChangesThePlan(t *testing.T) {
	lines := journalOf(t)
	settings := settingsOf(t, lines)
	i := slices.IndexFunc(entries(t, lines), func(e explain.Entry) bool { return len(e.Plan.Candidates) > 0 && e.Plan.At.Hour() > 5 })
	if i < 0 {
		t.Fatal("nothing is bought later on: the test needs another scenario")
	}
	in := inputsOf(t, lines[i+1])
	got, err := explain.Explain(settings, lines[i+1])
	if err != nil {
		t.Fatal(err)
	}
	base := onNodes(t, settings, in)
	for _, m := range settings.Policy.Models {
		least, most := 0.25, 4.0
		for _, w := range got.WhatIf {
			switch {
			case w.Kind != "demand" || w.Subject != string(m.Name):
			case w.Factor < 1:
				least = w.Factor
			default:
				most = w.Factor
			}
		}
		for f := least * 1.01; f < most/1.01; f *= 1.09 {
			if now := onNodes(t, settings, explain.Scaled(in, m, f)); now != base {
				t.Errorf("at %.3g of %s, between %.3g and %.3g: %s in place of %s", f, m.Name, least, most, now, base)
			}
		}
	}
}

// A cap that stands in the way is named, and without it the purchase is made.
func TestTheCapThatStoodInTheWay(t *testing.T) {
	lines := journalOf(t, `amount: "36"`, `amount: "6"`)
	settings := settingsOf(t, lines)
	for i, e := range entries(t, lines) {
		if !slices.ContainsFunc(e.Plan.Held, func(r fleet.Reason) bool { return r.Code == fleet.ReasonHeldBudget }) || e.Plan.At.Hour() == 5 {
			continue
		}
		got, err := explain.Explain(settings, lines[i+1])
		if err != nil {
			t.Fatal(err)
		}
		j := slices.IndexFunc(got.WhatIf, func(w explain.WhatIf) bool { return w.Kind == "cap" })
		if j < 0 {
			t.Fatalf("%s was held by a cap, and it says only %v", got.Plan, got.WhatIf)
		}
		if text := got.WhatIf[j].Text; !strings.HasPrefix(text, "without the cap of $6.00 per hour, ") || !strings.Contains(text, "× a2-ultragpu-1g would have been bought") {
			t.Error(text)
		}
		if c := got.Money.Caps[0]; c.Before != fleet.Micros(5_070_000, "USD") || c.Amount != fleet.Micros(6_000_000, "USD") {
			t.Errorf("%v of %v are counted", c.Before, c.Amount)
		}
		rich := settings
		rich.Policy.Budgets = nil
		if now := onNodes(t, rich, inputsOf(t, lines[i+1])); !strings.Contains(now, "buy") {
			t.Errorf("without a cap it is %q", now)
		}
		return
	}
	t.Fatal("no plan was held by the cap: the test needs another scenario")
}

// Every unknown is tried, with what it is taken to be.
func TestUnknownsAreSupposedKnown(t *testing.T) {
	lines := journalOf(t)
	got, err := explain.Explain(settingsOf(t, lines), lines[1])
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got.Unmoved, "\n")
	for _, w := range got.WhatIf {
		all += "\n" + w.Text
	}
	for _, says := range []string{"arrivals of transcribe-en", "arrivals of transcribe-fr", "attainment of transcribe-fr been known (as 1)"} {
		if !strings.Contains(all, says) {
			t.Errorf("at the first tick nothing is said of the %s:\n%s", says, all)
		}
	}
	if strings.Contains(all, "backlog") {
		t.Errorf("the backlog was known:\n%s", all)
	}
}

// A record of another program is told, and it is said that it is one.
func TestAPlanThatIsDecidedOtherwiseToday(t *testing.T) {
	lines := journalOf(t)
	settings := settingsOf(t, lines)
	settings.Catalog.Offerings[0].Limit = 0
	got, err := explain.Explain(settings, lines[1])
	if err != nil {
		t.Fatal(err)
	}
	if got.Replayed || got.Now == nil || len(got.Now.Steps) > 0 || len(got.Steps) == 0 {
		t.Errorf("replayed %v as %v; recorded %d steps", got.Replayed, got.Now, len(got.Steps))
	}
}

// Scaling by one changes nothing, and scaling is of one model alone.
func TestScaledLeavesTheRestAlone(t *testing.T) {
	lines := journalOf(t)
	settings := settingsOf(t, lines)
	in := inputsOf(t, lines[len(lines)-1])
	before := fmt.Sprint(in)
	m := settings.Policy.Models[0]
	twice := explain.Scaled(in, m, 2)
	if fmt.Sprint(in) != before {
		t.Error("it changed what it was given")
	}
	was, _ := in.Snapshot.Models[0].Arrivals.Read()
	is, _ := twice.Snapshot.Models[0].Arrivals.Read()
	if is != 2*was || twice.Forecasts[0].Path.Points[3].Mean != 2*in.Forecasts[0].Path.Points[3].Mean ||
		twice.Memory.Peaks[m.Name].Max() != 2*in.Memory.Peaks[m.Name].Max() {
		t.Error("not all of the demand is twice as much")
	}
	if fmt.Sprint(twice.Snapshot.Models[1], twice.Forecasts[1]) != fmt.Sprint(in.Snapshot.Models[1], in.Forecasts[1]) {
		t.Error("another model is touched")
	}
}
