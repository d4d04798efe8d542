package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Observe builds a snapshot of the world as a controller can see it at its
// present time: through scrapes, and through the faults that hold.
func (w *World) Observe(_ context.Context, now time.Time) (fleet.Snapshot, error) {
	if at := w.time(w.now); !now.Equal(at) {
		return fleet.Snapshot{}, fmt.Errorf("observe at %s: the world is at %s", now, at)
	}
	s := fleet.Snapshot{
		At: now, Spend: w.spend(), Nodes: make([]fleet.Node, 0, len(w.live)), Models: make([]fleet.ModelSignals, 0, len(w.models)),
		Unavailable: w.unavailable(),
	}
	live := w.seen[:0]
	for _, n := range w.live {
		view := n.Node
		view.GPUs, view.Stages = slices.Clone(n.GPUs), over(n.Stages, now)
		s.Nodes = append(s.Nodes, view)
		live = append(live, n.replicas...)
	}
	// Pointers are sorted, because whole replicas are long.
	slices.SortFunc(live, func(a, b *replica) int { return cmp.Compare(a.id, b.id) })
	s.Replicas = make([]fleet.Replica, 0, len(live))
	for _, r := range live {
		s.Replicas = append(s.Replicas, w.replicaView(r))
	}
	w.seen = live
	for _, m := range w.models {
		s.Models = append(s.Models, w.sees(m))
	}
	s.Sort()
	return s, nil
}

// replicaView is a replica as it is seen. In flight is what it works on; what
// waits at it is backlog.
func (w *World) replicaView(r *replica) fleet.Replica {
	view := fleet.Replica{
		ID: r.id, Model: r.model.Name, Variant: r.variant, Slice: r.slice, State: r.state,
		Since: w.time(r.since), InFlight: missing, Stages: over(r.stages, w.time(w.now)),
	}
	if !w.hidden(r.model) {
		view.InFlight = fleet.Measured(float64(r.inFlight()), 0, 1)
	}
	return view
}
