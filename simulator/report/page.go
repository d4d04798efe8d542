package report

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// page is what the template sees: text that is ready to be read, and drawings.
type page struct {
	Style    template.CSS
	Security string

	Scenario, Controller, Seed, Policy string
	From, To, Span                     string
	Verdict                            verdict
	Headline                           string
	Notices                            []notice
	Tiles                              []tile

	Fleet, Money *plot
	Sampled      string   // the step of the timeline
	Capped       bool     // the chart of spending has a line for the hourly cap
	Caps         string   // the budgets
	CapCosts     []string // what they cost in attainment, by this run and by those without them
	Harmless     string   // how many models a cap left short at no cost
	Days         []date
	Models       modelTable
	Bearers      []bearers
	Decisions    []entry
	Tally        tally
	Offerings    []offering

	Facts                  []fact
	Hash, Command, Version string
}

// notice is something that a reader must know before any number.
type notice struct {
	Bad  bool
	Text string
}

// tile is a number at a glance.
type tile struct {
	Name, Value, Unit, Note string
	Bad                     bool
	Share                   string // of a small bar in hundredths; empty without one
}

// offering is a price that the run reckoned with.
type offering struct{ Name, What, Price, Purchase, Region, Source string }

// fact is a name and a number.
type fact struct{ Name, Value string }

func pageOf(s Summary) page {
	r := s.Result
	decisions := decisionsOf(r.Purchases)
	models := modelsOf(s)
	p := page{
		Style: template.CSS(styleText), Security: securityPolicy(styleText),
		Scenario: r.Scenario, Controller: r.Controller, Seed: strconv.FormatUint(r.Seed, 10), Policy: s.Settings.Policy.Name,
		From: s.Start.UTC().Format("Mon 2 Jan 2006 15:04"), To: s.Start.Add(s.Duration).UTC().Format("Mon 2 Jan 2006 15:04"), Span: span(s.Duration),
		Notices: noticesOf(s), Tiles: tilesOf(s, models), Models: models,
		Fleet: fleetPlot(s, decisions), Money: moneyPlot(s), Caps: budgetsOf(s), Days: datesOf(s),
		Bearers: bearersOf(s), Decisions: entriesOf(decisions), Tally: tallyOf(decisions), Offerings: offeringsOf(s), Facts: factsOf(s),
		Hash: r.Hash, Command: s.Command, Version: s.Version,
	}
	p.Verdict, p.Headline = headline(s, models)
	p.CapCosts, p.Harmless = capCostsOf(s)
	_, p.Capped = drawnCap(s)
	if every := sampledEvery(s); every > 0 {
		p.Sampled = span(every)
	}
	return p
}

// headline is the run in a sentence.
func headline(s Summary, t modelTable) (verdict, string) {
	text := fmt.Sprintf("%s requests for %s", count(s.Result.Requests), money(s.Result.Cost))
	switch {
	case t.Judged == 0:
		return verdict{"open", "–", "Nothing to judge"}, text + "."
	case t.Missed == 0:
		return verdict{"met", "✓", "Every model met its SLO"}, text + "."
	case t.Judged == 1:
		return verdict{"missed", "✗", "The model missed its SLO"}, text + "."
	}
	return verdict{"missed", "✗", fmt.Sprintf("%d of %d models missed their SLO", t.Missed, t.Judged)}, text + "; furthest off: " + t.Worst + "."
}

func noticesOf(s Summary) []notice {
	r := s.Result
	var out []notice
	if r.Truncated {
		out = append(out, notice{true, "A wall-clock limit stopped the solver at least once: another run may decide differently."})
	}
	if r.BudgetViolations > 0 {
		out = append(out, notice{true, fmt.Sprintf("A hard cap of the budget was broken at %s.", counted(r.BudgetViolations, "tick"))})
	}
	for _, name := range slices.Sorted(maps.Keys(r.TrafficScale)) {
		out = append(out, notice{false, fmt.Sprintf("The traffic of %s is the recording multiplied by %s.", name, strconv.FormatFloat(r.TrafficScale[name], 'g', -1, 64))})
	}
	for _, name := range slices.Sorted(maps.Keys(r.IgnoredRows)) {
		rows := "rows are"
		if r.IgnoredRows[name] == 1 {
			rows = "row is"
		}
		out = append(out, notice{false, fmt.Sprintf("%s %s left out of the trace: %q is no model of this scenario.", count(int64(r.IgnoredRows[name])), rows, name)})
	}
	return out
}

func tilesOf(s Summary, t modelTable) []tile {
	r := s.Result
	cost := tile{Name: "Cost", Value: money(r.Cost), Note: money(r.Cost.Share(int64(1e9), max(1, int64(s.Duration.Hours()*1e9)))) + " an hour on average"}
	each := tile{Name: "Per 1,000 served", Value: none, Note: "nothing was served"}
	if r.Served > 0 {
		each.Value, each.Note = fine(r.Cost.Share(1000, r.Served)), fmt.Sprintf("%s served of %s", count(r.Served), count(r.Requests))
	}
	within := tile{Name: "Within SLO", Value: none, Note: "nothing to judge"}
	if r.Attainment != nil {
		within.Value, within.Note = percent(*r.Attainment), "every model on target"
		if within.Bad = t.Missed > 0; within.Bad {
			within.Note = fmt.Sprintf("%d of %d below target", t.Missed, t.Judged)
		}
	}
	hours := tile{Name: "GPU-hours", Value: number(r.GPUHours), Note: "none was paid"}
	if r.GPUHours > 0 {
		idle := min(1, r.IdleGPUHours/r.GPUHours)
		hours.Note = fmt.Sprintf("%.1f%% idle, %s hours", 100*idle, number(r.IdleGPUHours))
		hours.Share = coordinate(100 * idle)
	}
	late := tile{Name: "Late while starting", Value: count(r.LateWhileStarting), Note: "no request waited for capacity"}
	if r.LateWhileStarting > 0 && r.Requests > 0 {
		late.Note = fmt.Sprintf("%.3g%% of the requests", 100*float64(r.LateWhileStarting)/float64(r.Requests))
	}
	budget := tile{Name: "Budget violations", Value: count(int64(r.BudgetViolations)), Bad: r.BudgetViolations > 0, Note: "no purchase was held back"}
	switch {
	case r.BudgetsHeld > 0:
		budget.Note = fmt.Sprintf("purchases held back %s", counted(r.BudgetsHeld, "time"))
	case len(s.Settings.Policy.Budgets) == 0:
		budget.Note = "the policy sets no budget"
	}
	return []tile{cost, each, within, hours, late, budget}
}

// fine prints an amount with the digits that it takes to compare small ones.
func fine(m fleet.Money) string { return grouped(m.DescribeFine()) }

// budgetsOf lists the caps that the policy sets.
func budgetsOf(s Summary) string {
	text := ""
	for _, b := range s.Settings.Policy.Budgets {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s (%s)", grouped(b.String()), b.OnExceeded)
	}
	return text
}

// capCostsOf tells what the caps cost the models, and how many lost nothing.
func capCostsOf(s Summary) (costs []string, harmless string) {
	free := 0
	for _, c := range s.Result.CostOfCaps {
		if c.Points == nil || *c.Points < 0.005 {
			free++
			continue
		}
		costs = append(costs, c.String())
	}
	for _, w := range s.Result.WithoutCap {
		costs = append(costs, "Run again without it: "+w.String())
	}
	if free > 0 {
		harmless = "Models that a cap left short at no cost: " + count(int64(free)) + "."
	}
	return costs, harmless
}

func offeringsOf(s Summary) []offering {
	var out []offering
	for _, name := range s.Settings.Policy.Offerings {
		o, ok := s.Settings.Catalog.Offering(name)
		if !ok {
			continue
		}
		what := fmt.Sprintf("%d × %s", o.GPUs, o.GPU)
		if o.GPU == fleet.CPU {
			what = fmt.Sprintf("%d CPUs", o.CPUs)
		}
		out = append(out, offering{string(o.Name), what, perHour(o.Price), string(o.Purchase), o.Region, o.Source})
	}
	return out
}

func factsOf(s Summary) []fact {
	r := s.Result
	return []fact{
		{"Served", count(r.Served)},
		{"Dropped", count(r.Dropped)},
		{"Waiting at the end", count(r.Waiting)},
		{"Deadlines missed", count(r.DeadlineMissed)},
		{"Steps carried out", count(int64(r.ScaleActions))},
		{"GPUs cut anew", count(int64(r.Reconfigurations))},
		{"Simulated events", count(r.Events)},
	}
}
