package packing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Answer is a layout, what it costs, and a proof of how little any could cost.
type Answer struct {
	GPUsUsed   int    `json:"gpus_used"`            // GPUs that hold a model.
	NodesUsed  int    `json:"nodes_used"`           // Nodes on which they are.
	Cost       Amount `json:"cost_per_hour"`        // Of the whole nodes to be bought; what is paid already costs nothing more.
	LowerBound Amount `json:"lower_bound_per_hour"` // Nothing that serves what the layout serves can cost less.

	// Gap is Cost / LowerBound - 1; absent where the bound is zero and the cost not.
	Gap *float64 `json:"gap,omitempty"`

	Certificate Certificate        `json:"certificate"`
	Unserved    map[string]float64 `json:"unserved"`              // Demand left out, by model.
	Unspread    map[string]int     `json:"unspread,omitempty"`    // Nodes that models are on which must be on more.
	Explain     []string           `json:"explanation,omitempty"` // Why, a sentence for each of them.
	GPUs        []Placed           `json:"gpus"`

	// Truncated says that the caller's limit on time stopped the search. Another run
	// may find another answer; without it the answer depends on the problem only.
	Truncated bool `json:"truncated"`

	// Checked is for the caller to set, after check.Verify has agreed.
	Checked bool `json:"checked"`
	// Milliseconds is for the caller to set, who has a clock.
	Milliseconds float64 `json:"milliseconds"`
}

// Certificate is prices at which the bound can be computed again. A profile that
// is not named has the price 0.
type Certificate struct {
	SlicePrices map[string]map[fleet.ProfileName]string `json:"slice_prices"` // Decimals, by GPU and profile.
	LimitPrices map[string]string                       `json:"limit_prices"` // Decimals, by GPU.
}

func (in *instance) certificate(p proof) Certificate {
	c := Certificate{SlicePrices: map[string]map[fleet.ProfileName]string{}, LimitPrices: map[string]string{}}
	for k, o := range in.offers {
		prices := map[fleet.ProfileName]string{}
		for j := o.first; j < o.end; j++ {
			prices[in.kinds[j].profile] = Amount(p.slices[j]).String()
		}
		c.SlicePrices[o.name] = prices
		c.LimitPrices[o.name] = Amount(p.limits[k]).String()
	}
	return c
}

// Describe draws the layout for people, a line for each GPU, and sums it up.
func (a Answer) Describe() string {
	var out strings.Builder
	width := 0
	for _, g := range a.GPUs {
		width = max(width, len(g.Type))
	}
	for i, g := range a.GPUs {
		fmt.Fprintf(&out, "gpu %-*d  %-*s  node %-3d  %s", len(fmt.Sprint(len(a.GPUs))), i+1, width, g.Type, g.Node, g.draw())
		if g.ID != "" {
			fmt.Fprintf(&out, "  %s", g.ID)
		}
		if g.Fixed {
			out.WriteString("  kept")
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "%d GPUs on %d nodes, %s an hour; at least %s", a.GPUsUsed, a.NodesUsed, a.Cost, a.LowerBound)
	if a.Gap != nil {
		fmt.Fprintf(&out, " (gap %.2f%%)", 100**a.Gap)
	}
	if a.Truncated {
		out.WriteString(", truncated by the limit on time")
	}
	if !a.Checked {
		out.WriteString(", not checked")
	}
	out.WriteByte('\n')
	if len(a.Explain) > 0 {
		out.WriteString("left out:\n")
		for _, text := range a.Explain {
			fmt.Fprintf(&out, "  %s\n", text)
		}
	} else if len(a.Unserved) > 0 {
		fmt.Fprintf(&out, "unserved: %s\n", strings.Join(slices.Sorted(maps.Keys(a.Unserved)), ", "))
	}
	return out.String()
}

// who names the models on a slice, with their variants.
func (s Slice) who() string {
	named := func(m Occupant, variant string) string {
		if variant == "" {
			return string(m)
		}
		return string(m) + ":" + variant
	}
	if s.Empty() {
		return "free"
	}
	if len(s.Models) == 0 {
		return named(s.Model, s.Variant)
	}
	together := make([]string, len(s.Models))
	for i, t := range s.Models {
		together[i] = named(t.Model, t.Variant)
	}
	return strings.Join(together, " + ")
}

// draw writes the slices in the order of their places.
func (p Placed) draw() string {
	parts := make([]string, len(p.Geometry))
	for i, s := range p.Geometry {
		parts[i] = s.who() + " " + string(s.Profile)
	}
	if len(parts) == 0 {
		return "[ empty ]"
	}
	return "[ " + strings.Join(parts, " | ") + " ]"
}
