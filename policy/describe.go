package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// Describe prints the resolved policy for people: the caps, what may be bought,
// and for every model its class, its service level and the slices on which it can
// run, with what one replica carries.
func (p Policy) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy %s in %s\n", cmp.Or(p.Name, "without a name"), p.Currency)
	for _, budget := range p.Budgets {
		over := ""
		if budget.Per == ThousandUnits {
			over = " over the trailing day"
		}
		fmt.Fprintf(&b, "  at most %s%s: %s\n", budget, over, budget.OnExceeded)
	}
	fmt.Fprintf(&b, "  may buy %s\n", join(p.Offerings))
	fmt.Fprintf(&b, "  ticks every %s, plans every %s; at most %d nodes bought in a plan and %d draining; scale-down after %s\n",
		text(p.Ticks.Fast), text(p.Ticks.Plan), p.ScaleUp.MaxNodes, p.ScaleDown.MaxNodes, text(p.ScaleDown.StabilizationWindow))
	fmt.Fprintf(&b, "  a signal counts for %s; a hold without one is reported after %s\n", text(p.Signals.MaxAge), text(p.Signals.MaxHold))
	z := NewSizer()
	for _, m := range p.Models {
		p.describeModel(&b, z, m)
	}
	return b.String()
}

func (p Policy) describeModel(b *strings.Builder, z *Sizer, m fleet.Model) {
	fmt.Fprintf(b, "%s: %s (%s), %s, profile %s\n", m.Name, m.Class, m.Kind, m.SLO, m.Profile.Name)
	for _, field := range []struct{ name, text string }{
		{"language", string(m.Language)}, {"group", string(m.Group)},
	} {
		if field.text != "" {
			fmt.Fprintf(b, "  %s %s\n", field.name, field.text)
		}
	}
	fmt.Fprintf(b, "  %d to %d replicas, sized for the %v quantile of demand\n", m.MinReplicas, m.MaxReplicas, p.Quantile(m.Name))
	if p.KeepsErrorBudget(m.Name) {
		b.WriteString("  the misses that its target allows are never spent\n")
	}
	if !m.Value.IsZero() {
		fmt.Fprintf(b, "  worth %s per %s\n", m.Value, m.Profile.Unit)
	}
	for _, v := range m.Profile.Variants {
		for _, perf := range v.Slices {
			fmt.Fprintf(b, "  %s on %s: %s\n", v.Name, perf.Kind, carries(z, m, v, perf))
		}
	}
}

// carries says what one replica carries, or why none would do.
func carries(z *Sizer, m fleet.Model, v fleet.Variant, perf fleet.Performance) string {
	if v.Accuracy < m.AccuracyFloor {
		return fmt.Sprintf("accuracy %v is below the floor of %v", v.Accuracy, m.AccuracyFloor)
	}
	capacity := z.Capacity(m, perf, 1)
	if capacity <= 0 {
		return "too slow for the service level"
	}
	if m.Profile.Sessions() {
		return fmt.Sprintf("%.4g sessions/s a replica, %.4g each of ten; %d streams at once, %d beside busy neighbours",
			capacity, z.Capacity(m, perf, 10)/10, perf.RealTime(false), perf.RealTime(true))
	}
	return fmt.Sprintf("%.4g requests/s a replica, %.4g each of ten", capacity, z.Capacity(m, perf, 10)/10)
}

// text prints a duration as a file holds it.
func text(d time.Duration) string { return strictyaml.FormatDuration(d) }

func join[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}
