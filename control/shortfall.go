package control

import (
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// trifle is a rate, in requests a second, below which nothing is lacking: one
// request in eleven days.
const trifle = 1e-6

// shortfall is what a model lacks by a time.
type shortfall struct {
	model      fleet.Model
	lacks      float64 // requests a second
	atMost     int     // further replicas that the policy allows; 0 is any number
	need, have string  // for people
	by         time.Time
}

// horizon is a need that is looked at, and when it is due.
type horizon struct {
	of func(Need) float64
	by time.Time
}

// soon is what every model must have when what is begun now serves: on a fast
// tick on a warm slice, else on a new node.
func (d *decider) soon() horizon {
	if d.in.Pace == Fast {
		return horizon{func(n Need) float64 { return n.Now }, d.in.Now.Add(d.horizons.load)}
	}
	return horizon{func(n Need) float64 { return n.Lead }, d.in.Now.Add(d.horizons.lead)}
}

// kept is what every model must have until capacity bought now has earned its
// keep.
func (d *decider) kept() horizon {
	return horizon{func(n Need) float64 { return n.Keep }, d.in.Now.Add(d.horizons.keep)}
}

// short lists the models whose staying servers, those on the nodes without left
// out, carry less than a horizon asks. A model below its least number of replicas
// lacks at least a trifle, which any slice covers. What somebody holds lacks
// nothing that could be given to it.
func (d *decider) short(h horizon, without ...fleet.NodeID) []shortfall {
	var out []shortfall
	for i, m := range d.models() {
		if _, held := d.in.Snapshot.Held(m.Name); held {
			continue
		}
		pool := filter(d.staying(m.Name), func(s server) bool { return !slices.Contains(without, s.node) })
		if m.MaxReplicas > 0 && len(pool) >= m.MaxReplicas {
			continue // the policy wants no more of it, whatever comes
		}
		need, have := h.of(d.needs[i]), capacity(d.sizer, m, pool)
		s := shortfall{model: m, lacks: need - have, need: rate(need), have: rate(have), by: h.by}
		if m.MaxReplicas > 0 {
			s.atMost = m.MaxReplicas - len(pool)
		}
		if s.lacks < trifle && len(pool) < m.MinReplicas {
			s.lacks, s.need, s.have = trifle, fmt.Sprintf("at least %d replicas", m.MinReplicas), fmt.Sprint(len(pool))
		}
		if s.lacks >= trifle {
			out = append(out, s)
		}
	}
	return out
}
