package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// bearers is who bore the cost, divided in one way.
type bearers struct {
	By    string
	Parts []bearer
}

// bearer is who bore how much of the cost.
type bearer struct{ Name, Cost, Share, Width string }

// bearersOf shows who bore the cost, by group, by language and by model; a division of
// one part says nothing and is left out.
func bearersOf(s Summary) []bearers {
	var out []bearers
	for _, d := range []struct {
		by, none string
		cost     map[string]float64
	}{
		{"group", "models without a group", s.Result.CostByGroup},
		{"language", "models without a language", s.Result.CostByLanguage},
	} {
		if parts := partsOf(s, d.cost, d.none); len(parts) > 0 && (d.by == "group" || len(parts) > 1) {
			out = append(out, bearers{d.by, parts})
		}
	}
	return out
}

// partsOf lists parts of the cost, the dearest first. What fell to nobody is a line of
// its own.
func partsOf(s Summary, by map[string]float64, without string) []bearer {
	total := s.Result.Cost.Float()
	if total <= 0 || len(by) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(by))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(by[b], by[a]) })
	var out []bearer
	rest := total
	add := func(name string, cost float64) {
		part := min(1, cost/total)
		out = append(out, bearer{name, amountOf(s, cost), fmt.Sprintf("%.1f%%", 100*part), coordinate(100 * part)})
	}
	for _, name := range names {
		rest -= by[name]
		add(cmp.Or(name, without), by[name])
	}
	if rest >= 0.01 {
		add("no model at all", rest)
	}
	return out
}
