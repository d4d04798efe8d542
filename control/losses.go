package control

import (
	"maps"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	// spotHours and otherHours are the node-hours in which a node is taken to be lost
	// before any was seen: of spot offerings, which sellers take back, and of others, which
	// die.
	spotHours, otherHours = 24.0, 720.0
	// hoursKept is how many node-hours are remembered.
	hoursKept = 5000.0
	// lossesMatter is the share of the misses that a target allows which losses of nodes
	// may use before a model is spread over two.
	lossesMatter = 0.1
)

// Losses are what was seen of nodes that were lost: that went without being given back, or
// of which somebody gave notice.
type Losses struct {
	At    time.Time                           `json:"at,omitzero"`     // of the newest look
	Ready map[fleet.NodeID]fleet.OfferingName `json:"ready,omitempty"` // nodes, at the newest look
	Of    map[fleet.OfferingName]Lost         `json:"of,omitempty"`
}

// Lost counts the nodes of an offering that were lost in so many node-hours.
type Lost struct {
	Nodes float64 `json:"nodes"`
	Hours float64 `json:"hours"`
}

// since counts the nodes that were lost since the newest look, by offering.
func (l Losses) since(s fleet.Snapshot) map[fleet.OfferingName]int {
	var out map[fleet.OfferingName]int
	for id, offering := range l.Ready {
		if n, there := s.Node(id); !there || !n.LostAt.IsZero() {
			if out == nil {
				out = map[fleet.OfferingName]int{}
			}
			out[offering]++
		}
	}
	return out
}

// look counts what was lost and how long what is ready was at risk.
func (l Losses) look(s fleet.Snapshot, now time.Time) Losses {
	hours := 0.0
	if !l.At.IsZero() {
		hours = max(0, now.Sub(l.At).Hours())
	}
	next := Losses{At: now, Ready: map[fleet.NodeID]fleet.OfferingName{}, Of: map[fleet.OfferingName]Lost{}}
	maps.Copy(next.Of, l.Of)
	for name, n := range l.since(s) {
		lost := next.Of[name]
		if lost.Hours >= hoursKept {
			lost.Nodes, lost.Hours = lost.Nodes/2, lost.Hours/2
		}
		lost.Nodes += float64(n)
		next.Of[name] = lost
	}
	for _, n := range s.Nodes {
		if n.State != fleet.NodeReady || !n.LostAt.IsZero() { // a notice counts once
			continue
		}
		next.Ready[n.ID] = n.Offering
		lost := next.Of[n.Offering]
		lost.Hours += hours
		next.Of[n.Offering] = lost
	}
	return next
}

// forget leaves out the nodes that a plan drains: it may give them back at once.
func (l Losses) forget(steps []fleet.Step) {
	for _, step := range steps {
		if drain, ok := step.(fleet.DrainNode); ok {
			delete(l.Ready, drain.Node)
		}
	}
}

// perHour is how often a node of an offering is lost.
func (l Losses) perHour(o fleet.Offering) float64 {
	prior := otherHours
	if o.Purchase == fleet.Spot {
		prior = spotHours
	}
	seen := l.Of[o.Name]
	return (1 + seen.Nodes) / (prior + seen.Hours)
}

// atRisk tells whether losses of the node on which all servers of a model stand use more
// of the misses that its target allows than may be: what comes while a new node starts is
// lost.
func (d *decider) atRisk(m fleet.Model, on fleet.NodeID) bool {
	n, _ := d.view.Node(on)
	o, known := d.settings.Catalog.Offering(n.Offering)
	if !known {
		return false
	}
	stated, _ := d.asked.Policy.Model(m.Name)
	return d.memory.Losses.perHour(o)*d.horizons.lead.Hours() > lossesMatter*(1-stated.SLO.Target)
}
