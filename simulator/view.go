package simulator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Observe builds a snapshot of the world as a controller can see it at its
// present time. Signals hidden by a fault are unknown.
func (w *World) Observe(_ context.Context, now time.Time) (fleet.Snapshot, error) {
	if at := w.time(w.now); !now.Equal(at) {
		return fleet.Snapshot{}, fmt.Errorf("observe at %s: the world is at %s", now, at)
	}
	hidden := w.metricsMissing()
	s := fleet.Snapshot{At: now, Spend: w.spend(), Nodes: make([]fleet.Node, 0, len(w.live)), Models: make([]fleet.ModelSignals, 0, len(w.models))}
	for _, n := range w.live {
		view := n.Node
		view.GPUs = slices.Clone(n.GPUs)
		s.Nodes = append(s.Nodes, view)
		for _, r := range n.replicas {
			s.Replicas = append(s.Replicas, w.replicaView(r, hidden))
		}
	}
	for _, m := range w.models {
		signals := m.signals(w.now)
		if hidden {
			signals = fleet.ModelSignals{Model: m.Name, Arrivals: missing, Backlog: missing, Attainment: missing, Utilisation: missing}
		}
		s.Models = append(s.Models, signals)
	}
	s.Sort()
	return s, nil
}

// missing is what every signal is while metrics are missing.
var missing = fleet.Unknown("metrics are missing")

// replicaView is a replica as it is seen. In flight is what it works on; what
// waits at it is backlog.
func (w *World) replicaView(r *replica, hidden bool) fleet.Replica {
	view := fleet.Replica{
		ID: r.id, Model: r.model.Name, Variant: r.variant, Slice: r.slice, State: r.state,
		Since: w.time(r.since), InFlight: missing,
	}
	if !hidden {
		view.InFlight = fleet.Measured(float64(r.inFlight()), 0, 1)
	}
	return view
}
