package batch

import (
	"flag"
	"fmt"
	"testing"
)

var ablation = flag.Bool("ablation", false, "print what each part of the method is worth on the M4 hourly series")

// holdouts are how many points before the end of training the scored ones end.
// The first is the hold-out that gates; the others helped to choose the design.
var holdouts = []int{0, 48, 96, 144}

// m4Row are scores of one recipe: of the first hold-out over all series, and
// the mean over all hold-outs of each half.
func m4Row(t *testing.T, all []hourly, name string, r recipe) {
	t.Helper()
	first := scoreM4(t, all, 0, r, anySeries)
	row := fmt.Sprintf("| %s | %.2f / %.3f / %.3f | %.3f", name, first.sMAPE/first.series, first.mase/first.series, first.owa(), first.ofSeasonal())
	var msis, covered float64
	for _, half := range []bool{true, false} {
		var of float64
		for _, before := range holdouts {
			s := scoreM4(t, all, before, r, func(h hourly) bool { return h.tuned == half })
			of += s.ofSeasonal() / float64(len(holdouts))
			msis += s.msis / s.series / float64(2*len(holdouts))
			covered += s.covered / s.series / float64(2*len(holdouts))
		}
		row += fmt.Sprintf(" | %.4f", of)
	}
	fmt.Printf("%s | %.2f / %.3f | %.2f / %.3f |\n", row, first.msis/first.series, first.covered/first.series, msis, covered)
}

// TestAblation prints the tables of the documentation:
//
//	go test ./forecast/batch -run TestAblation -ablation -v
func TestAblation(t *testing.T) {
	if !*ablation {
		t.Skip("a table for people: ask for it with -ablation")
	}
	all := m4(t)
	fmt.Println("| recipe | last 48: sMAPE / MASE / OWA | of sNaive's OWA | four hold-outs of sNaive: tuned half | kept-aside half | MSIS / coverage: last 48 | four hold-outs |")
	fmt.Println("|---|---|---|---|---|---|---|")
	m4Row(t, all, "whole", whole)
	m4Row(t, all, "best expert alone by back-test", recipe{hard: true})
	m4Row(t, all, "equal weights", recipe{flat: true})
	names := expertNames(t, all[0].values)
	for _, name := range names {
		m4Row(t, all, "without "+name, recipe{without: name})
	}
	for _, name := range names {
		m4Row(t, all, "only "+name, recipe{only: name})
	}
	m4Row(t, all, "band on plain values", recipe{band: bandRecipe{plain: true}})
	m4Row(t, all, "band without growth curve", recipe{band: bandRecipe{perLead: true}})
	m4Row(t, all, "band of one width", recipe{band: bandRecipe{oneWidth: true}})
	m4Row(t, all, "band without own tails", recipe{band: bandRecipe{noOwn: true}})
}

// expertNames lists the experts that take part in a forecast of values.
func expertNames(t *testing.T, values []float64) []string {
	t.Helper()
	s := seasons{24, 168}
	h, ok := clean(values, s)
	if !ok {
		t.Fatal("no values")
	}
	var names []string
	for _, e := range plan(h, s, m4Steps).experts(whole) {
		names = append(names, e.name)
	}
	return names
}
