package explain

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/packing"
)

// Words explains the GPU to people, a sentence a line.
func (g GPU) Words() []string {
	if len(g.Models) == 0 {
		return []string{fmt.Sprintf("gpu %d (%s) is empty and costs %s an hour", g.GPU+1, g.Type, g.Mixed)}
	}
	out := []string{fmt.Sprintf("gpu %d (%s as %s) costs %s an hour for %s%s", g.GPU+1, g.Type, g.Geometry, g.Mixed, names(g.Models), idle(g.Idle))}
	out = append(out, "  "+g.compare())
	for _, m := range g.Models {
		out = append(out, "  "+m.words())
	}
	if g.NextBest != nil {
		out = append(out, "  "+g.NextBest.words(g.Mixed))
	}
	return append(out, g.changes()...)
}

func names(models []Model) string {
	all := make([]string, len(models))
	for i, m := range models {
		all[i] = m.Name
	}
	return strings.Join(all, ", ")
}

func idle(a packing.Amount) string {
	if a == 0 {
		return ""
	}
	return fmt.Sprintf(", %s of it for slices without a model", round(a))
}

// compare sets mixed against dedicated and shared.
func (g GPU) compare() string {
	dedicated, shared := "on whole GPUs of its own not every model fits", "on equal shares not every model fits"
	if g.Dedicated != nil {
		dedicated = fmt.Sprintf("whole GPUs for each model would cost %s", *g.Dedicated)
	}
	if g.Shared != nil {
		shared = fmt.Sprintf("equal shares would cost %s", *g.Shared)
	}
	return fmt.Sprintf("as it is %s; %s; %s", g.Mixed, dedicated, shared)
}

func (m Model) words() string {
	all := make([]string, len(m.Slices))
	for i, s := range m.Slices {
		all[i] = string(s)
	}
	text := fmt.Sprintf("%s: %g on %s, which is %s of the GPU and worth %s in the certificate", m.Name, m.Serves, strings.Join(all, " and "), round(m.Share), round(m.Worth))
	if m.Whole != nil {
		text += fmt.Sprintf("; by itself it would need %s of %s", *m.Whole, m.On)
	}
	return text
}

func (a Alternative) words(now packing.Amount) string {
	if a.Cost == now {
		return fmt.Sprintf("cut as %s it would do as well", a.Geometry)
	}
	return fmt.Sprintf("cut in the next best way, %s, it would cost %s: %s for what it lacks for %s", a.Geometry, round(a.Cost), round(a.Cost-now),
		strings.Join(slices.Sorted(maps.Keys(a.Lacks)), ", "))
}

// changes says what would make the GPU look different.
func (g GPU) changes() []string {
	var out []string
	for _, m := range g.Models {
		if m.Room > 0 {
			out = append(out, fmt.Sprintf("  %s may grow by %g before it needs another slice", m.Name, trim(m.Room)))
		} else {
			out = append(out, fmt.Sprintf("  %s needs another slice as soon as it grows", m.Name))
		}
	}
	if g.NextBest != nil && g.NextBest.Cost > g.Mixed {
		for _, name := range slices.Sorted(maps.Keys(g.NextBest.Lacks)) {
			out = append(out, fmt.Sprintf("  if %s asked for %g less, the next best way would do for it", name, trim(g.NextBest.Lacks[name])))
		}
	}
	return out
}

// round shortens an amount to a tenth of a thousandth.
func round(a packing.Amount) packing.Amount { return (a + 50_000) / 100_000 * 100_000 }

// trim shortens a quantity for reading.
func trim(x float64) float64 { return digits(x, 4) }

// digits is a number with so many significant digits.
func digits(x float64, n int) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64) // It has just been printed.
	return out
}
