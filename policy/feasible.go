package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// checkFeasible complains about a model that no slice which the policy may buy
// can serve within its service level, naming each slice and why.
func (r *resolver) checkFeasible(path string, m fleet.Model, p Policy) {
	var reasons []string
	for _, v := range m.Profile.Variants {
		for _, perf := range v.Slices {
			why := r.unfit(m, v, perf, p)
			if why == "" {
				return
			}
			reasons = append(reasons, fmt.Sprintf("%s on %s: %s", v.Name, perf.Kind, why))
		}
	}
	r.doc.Complain(path, "%s (%s) cannot be served within its service level, %s, on any slice:\n          %s",
		m.Name, m.Class, m.SLO, strings.Join(reasons, "\n          ")).
		Hint("relax the class, add an offering, or give a faster variant")
}

// unfit says why a variant on a kind of slice does not serve the model, or
// nothing where it does.
func (r *resolver) unfit(m fleet.Model, v fleet.Variant, perf fleet.Performance, p Policy) string {
	offered := false
	for _, o := range r.catalog.Offerings {
		offered = offered || p.Buys(o.Name) && offers(o, perf)
	}
	switch {
	case v.Accuracy < m.AccuracyFloor:
		return fmt.Sprintf("accuracy %v is below the floor of %v", v.Accuracy, m.AccuracyFloor)
	case !offered && perf.Kind.GPU == fleet.CPU:
		return fmt.Sprintf("no offering that may be bought has a CPU node with %dMi", perf.MemoryMiB)
	case !offered:
		return fmt.Sprintf("no offering that may be bought has %s", perf.Kind.GPU)
	case r.sizer.Capacity(m, perf, 1) > 0:
		return ""
	}
	alone := time.Duration(curveOf(perf).at(1) * float64(time.Second)).Round(time.Millisecond)
	if alone > m.SLO.Limit {
		return fmt.Sprintf("one request alone takes %v with busy neighbours", alone)
	}
	return fmt.Sprintf("one request alone takes %v with busy neighbours on average, and too many take longer than %v", alone, m.SLO.Limit)
}
