package observe

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// Signals measure. What could not be measured is unknown in the reading; an error
// means that nobody could be asked.
type Signals interface {
	control.Historian
	Read(ctx context.Context, now time.Time) (prometheus.Reading, error)
	// Use takes the models of a policy that was loaded anew.
	Use(models []fleet.Model)
}

// looker shows the cluster; it is a *cluster.Watcher.
type looker interface {
	Look(ctx context.Context, now time.Time, s control.Settings) (cluster.View, error)
}

// freshFor is for how long a reading is used again: a tick looks at the fleet once
// to decide and once before it acts.
const freshFor = 5 * time.Second

// Observer sees the fleet for the loop. It is safe for concurrent use.
type Observer struct {
	control.Historian
	cluster looker
	signals Signals

	mu       sync.Mutex
	settings control.Settings
	begun    time.Time // when the cluster was first seen

	reading sync.Mutex // one at a time asks
	last    measured
	asked   time.Time // when the last was measured; zero: never
}

var (
	_ control.Observer  = (*Observer)(nil)
	_ control.Historian = (*Observer)(nil)
)

// New makes an observer of a cluster that is watched and signals that are measured.
func New(w *cluster.Watcher, s Signals, settings control.Settings) *Observer {
	return join(w, s, settings)
}

func join(c looker, s Signals, settings control.Settings) *Observer {
	o := &Observer{Historian: s, cluster: c, signals: s}
	o.Use(settings)
	return o
}

// Use takes settings into force from the next look on.
func (o *Observer) Use(s control.Settings) {
	o.mu.Lock()
	o.settings = s
	o.mu.Unlock()
	o.signals.Use(s.Policy.Models)
	o.reading.Lock()
	o.asked = time.Time{} // the models may be others
	o.reading.Unlock()
}

// Observe builds a snapshot. A signal that cannot be measured is unknown in it; the
// error is that the cluster cannot be seen, and then there is no snapshot.
func (o *Observer) Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error) {
	o.mu.Lock()
	settings := o.settings
	o.mu.Unlock()
	view, err := o.cluster.Look(ctx, now, settings)
	if err != nil {
		return fleet.Snapshot{}, fmt.Errorf("see the cluster: %w", err)
	}
	if view.Ledger.SpentAt.IsZero() { // as in shadow mode, where nobody writes it
		view.Ledger.SpentAt = o.since(now)
	}
	m := o.measure(ctx, now)
	s := fleet.Snapshot{
		At: now, Nodes: view.Nodes, Replicas: m.inFlight(view), Models: m.models(view, settings),
		Spend: accrue(view, settings, now), Holds: view.Holds, Sequence: view.Ledger.Sequence,
		Doubts: slices.Concat(view.Doubts, m.Doubts, m.unawakened(view, settings)), Unavailable: unavailable(view.Ledger, now),
	}
	s.Sort()
	return s, nil
}

// unavailable are the offerings of which the last that was asked for did not come.
func unavailable(l kube.Ledger, now time.Time) []fleet.Unavailable {
	var out []fleet.Unavailable
	for _, b := range l.Backoffs {
		if now.Before(b.Until) {
			out = append(out, fleet.Unavailable{Offering: b.Offering, Until: b.Until, Cause: "the last that was asked for was given up"})
		}
	}
	return out
}

// since is when the cluster was first seen.
func (o *Observer) since(now time.Time) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.begun.IsZero() {
		o.begun = now
	}
	return o.begun
}

// measure reads the signals, or the last reading again, a little older.
func (o *Observer) measure(ctx context.Context, now time.Time) measured {
	o.reading.Lock()
	defer o.reading.Unlock()
	if gone := now.Sub(o.asked); !o.asked.IsZero() && gone >= 0 && gone < freshFor {
		return o.last.older(gone)
	}
	o.last, o.asked = measured{}, now
	if o.last.Reading, o.last.cause = o.signals.Read(ctx, now); o.last.cause != nil {
		o.last.Doubts = []fleet.Doubt{{Subject: "prometheus", Cause: o.last.cause.Error()}}
	}
	return o.last
}
