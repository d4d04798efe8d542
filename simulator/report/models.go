package report

import (
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// modelRow is a model against its promise.
type modelRow struct {
	Name, Language, Class, Group string
	Colour                       int // of the language; 0 for none
	Requests, Dropped, Waiting   string
	Attained, Target, Limit      string
	Verdict                      verdict
	Bar                          *bar
	P50, P95, P99                string
	Cost, PerThousand, Unit      string // Unit is empty where no unit was served in time
}

// verdict says in a sign and in words whether a promise was kept.
type verdict struct{ Class, Sign, Text string }

// bar is the share that was served within its SLO, on a scale that begins at a
// floor common to all models, in hundredths of its length.
type bar struct{ Width, Target string }

// modelTable is all models, and all of them together.
type modelTable struct {
	Rows   []modelRow
	Total  modelRow
	Floor  string // where the bars begin
	Missed int
	Judged int
	Worst  string // the model furthest below its target, with its attainment
}

// colours is how many colours the style sheet has for languages.
const colours = 10

// modelsOf sets each model's result beside what its class promises.
func modelsOf(s Summary) modelTable {
	known := map[string]fleet.Model{}
	var names []string
	for _, m := range s.Settings.Policy.Models {
		names, known[string(m.Name)] = append(names, string(m.Name)), m
	}
	for _, name := range slices.Sorted(maps.Keys(s.Result.ByModel)) {
		if _, ok := known[name]; !ok {
			names = append(names, name)
		}
	}
	tint := tints(s.Settings.Policy.Models)
	floor := floorOf(s)
	t := modelTable{Floor: target(floor), Total: totalOf(s.Result)}
	furthest := 0.0
	for _, name := range names {
		m, promised := known[name]
		got := s.Result.ByModel[name]
		row := modelRow{
			Name: name, Language: string(m.Language), Class: string(m.Class), Group: string(m.Group), Colour: tint[m.Language],
			Requests: count(got.Requests), Dropped: count(got.Dropped), Waiting: count(got.Waiting), Attained: none,
			Target: none, P50: latency(got.P50), P95: latency(got.P95), P99: latency(got.P99), Verdict: verdict{"open", "–", "not judged"},
		}
		row.Cost, row.PerThousand, row.Unit = costOf(s, name)
		if m.Profile.Sessions() {
			row.Class += ", sessions"
		}
		if promised {
			row.Target, row.Limit = target(m.SLO.Target), span(m.SLO.Limit)
		}
		if got.Attainment != nil {
			row.Attained = percent(*got.Attainment)
		}
		if promised && got.Attainment != nil {
			t.Judged++
			row.Verdict = verdict{"met", "✓", "met"}
			row.Bar = &bar{coordinate(100 * (*got.Attainment - floor) / (1 - floor)), coordinate(100 * (m.SLO.Target - floor) / (1 - floor))}
			if short := m.SLO.Target - *got.Attainment; short > 0 {
				t.Missed++
				row.Verdict = verdict{"missed", "✗", "missed by " + points(short)}
				if short > furthest {
					furthest, t.Worst = short, name+", "+row.Attained
				}
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// points prints a difference of shares in percentage points, and a miss never as
// nothing.
func points(short float64) string {
	if short < 1e-4 {
		return "less than 0.01 points"
	}
	return number(short*100) + " points"
}

// costOf tells what a model bore of the bill, and what a thousand units of its work
// within the SLO cost.
func costOf(s Summary, model string) (cost, perThousand, unit string) {
	cost, perThousand = none, none
	if v, known := s.Result.CostByModel[model]; known {
		cost = amountOf(s, v)
	}
	if u := s.Result.UnitCostByModel[model]; u.PerThousand != nil {
		perThousand, unit = fine(fleet.Micros(int64(*u.PerThousand*1e6), s.Result.Cost.Currency())), u.Unit
	}
	return cost, perThousand, unit
}

func totalOf(r simulator.Result) modelRow {
	row := modelRow{Cost: money(r.Cost), Requests: count(r.Requests), Dropped: count(r.Dropped), Waiting: count(r.Waiting), Attained: none}
	if r.Attainment != nil {
		row.Attained = percent(*r.Attainment)
	}
	return row
}

// floorOf is a round share below every attainment and every target: promises lie
// so near to one that bars from zero would all look alike.
func floorOf(s Summary) float64 {
	least := 1.0
	for _, m := range s.Settings.Policy.Models {
		least = min(least, m.SLO.Target)
		if a := s.Result.ByModel[string(m.Name)].Attainment; a != nil {
			least = min(least, *a)
		}
	}
	for _, floor := range []float64{0.99, 0.95, 0.9, 0.8, 0.5} {
		if floor < least {
			return floor
		}
	}
	return 0
}

// tints gives each language a colour, in their order. The language always stands
// beside it in words.
func tints(models []fleet.Model) map[fleet.Language]int {
	var languages []fleet.Language
	for _, m := range models {
		if m.Language != "" {
			languages = append(languages, m.Language)
		}
	}
	slices.Sort(languages)
	out := map[fleet.Language]int{}
	for i, l := range slices.Compact(languages) {
		out[l] = i%colours + 1
	}
	return out
}
