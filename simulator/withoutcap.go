package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// WithoutCap is what came out of the same world where one cap only alerts.
type WithoutCap struct {
	Cap        string          `json:"cap"` // such as "$62.00 per hour"
	Group      fleet.GroupName `json:"group,omitempty"`
	Cost       fleet.Money     `json:"cost"`
	Attainment *float64        `json:"attainment,omitempty"`
	// Points are the percentage points of attainment that each model would have had
	// more; below zero, less. Models of which nothing was judged are absent.
	Points map[string]float64 `json:"points_by_model"`
}

// toldPoints is how many models the sentence of a run without a cap names.
const toldPoints = 3

// String tells it in a sentence, the models that would have gained most first.
func (w WithoutCap) String() string {
	whose := ""
	if w.Group != "" {
		whose = " for " + string(w.Group)
	}
	names := slices.Sorted(maps.Keys(w.Points))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(w.Points[b], w.Points[a]) })
	var parts []string
	for _, name := range names[:min(toldPoints, len(names))] {
		if w.Points[name] >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f points more", name, w.Points[name]))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no model more than a hundredth of a point"}
	}
	return fmt.Sprintf("without the cap of %s%s all costs %s, and of attainment has %s", w.Cap, whose, w.Cost.Describe(), strings.Join(parts, ", "))
}
