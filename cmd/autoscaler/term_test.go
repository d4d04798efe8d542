package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/console"
	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// stillWorld is a cluster without anything in it, whose past may be out of reach. It
// counts the loops that were made for it and their ticks.
type stillWorld struct {
	loops, ticks atomic.Int64
	pastGone     atomic.Bool
	uncounted    string // a model that has no past, whatever becomes of that of the others
	inside       atomic.Int64
	busy         atomic.Int64 // how long a look takes, whatever its context says
}

func (w *stillWorld) start(context.Context) {}
func (w *stillWorld) synced() error         { return nil }
func (w *stillWorld) use(control.Settings)  {}

func (w *stillWorld) ports() control.Ports {
	w.loops.Add(1)
	return control.Ports{Observer: w, Actuator: w, Journal: &journal{}, Historian: w}
}

func (w *stillWorld) Observe(_ context.Context, now time.Time) (fleet.Snapshot, error) {
	w.ticks.Add(1)
	w.inside.Add(1)
	defer w.inside.Add(-1)
	time.Sleep(time.Duration(w.busy.Load()))
	return fleet.Snapshot{At: now}, nil
}

func (w *stillWorld) Do(context.Context, fleet.PlanID, fleet.Step) error { return control.ErrWithheld }

func (w *stillWorld) Settle(context.Context, fleet.PlanID, fleet.Snapshot) error { return nil }

func (w *stillWorld) History(_ context.Context, m fleet.ModelName, _ time.Time) ([]forecast.Observation, error) {
	if w.pastGone.Load() && string(m) != w.uncounted {
		return nil, errors.New("connection refused")
	}
	return nil, nil
}

// leading makes a member over a still world.
func leading(c *clusterConfig, w *stillWorld) *member {
	log := slog.New(slog.DiscardHandler)
	b := console.NewBoard(prometheus.NewRegistry(), console.Build{})
	m := newMember(service{mode: console.ModeActive}, c, b, newWatch(nil, nil, log), &journal{}, log)
	m.around = w
	return m
}

// The loop of a term ends with the term, the tick under way included, and the next
// term begins with a loop of its own.
func TestTheEndOfATermIsTheEndOfItsLoop(t *testing.T) {
	w := &stillWorld{}
	c := read(t, inCluster())
	synctest.Test(t, func(t *testing.T) {
		m := leading(c, w)
		for term := range int64(3) {
			ctx, lose := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				m.lead(ctx)
			}()
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			if w.loops.Load() != term+1 || w.ticks.Load() < 20*(term+1) {
				t.Errorf("%d loops, %d ticks in term %d", w.loops.Load(), w.ticks.Load(), term)
			}
			w.busy.Store(int64(3 * time.Second))
			time.Sleep(14*time.Second + time.Millisecond) // into the next tick
			lose()
			synctest.Wait()
			if m.idling() || w.inside.Load() == 0 {
				t.Error("a tick is not over, and the process looks idle")
			}
			<-ended
			if !m.idling() {
				t.Error("the term is over, and something is due")
			}
			if w.inside.Load() != 0 {
				t.Error("the term is over and a tick is not")
			}
			w.busy.Store(0)
			after := w.ticks.Load()
			time.Sleep(10 * time.Minute)
			if w.ticks.Load() != after {
				t.Errorf("%d ticks after the term", w.ticks.Load()-after)
			}
		}
	})
}

// A loop that had to begin without its past gives way to one that has it.
func TestALoopWithoutItsPastGivesWayToOneWithIt(t *testing.T) {
	w := &stillWorld{}
	c := read(t, inCluster())
	w.pastGone.Store(true)
	w.uncounted = string(c.settings.Policy.Models[0].Name)
	synctest.Test(t, func(t *testing.T) {
		m := leading(c, w)
		m.settings.Policy.Models = append(m.settings.Policy.Models, fleet.Model{Name: "another", Profile: m.settings.Policy.Models[0].Profile})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.lead(ctx)
		}()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if w.loops.Load() != 1 || w.ticks.Load() < 30 {
			t.Errorf("without a past: %d loops, %d ticks", w.loops.Load(), w.ticks.Load())
		}
		w.pastGone.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if w.loops.Load() != 2 {
			t.Errorf("%d loops though the past can be read again", w.loops.Load())
		}
		time.Sleep(10 * time.Minute)
		if w.loops.Load() != 2 {
			t.Errorf("%d loops though nothing changed", w.loops.Load())
		}
		stop()
		<-ended
	})
}

// Settings of another pace are taken by a loop of that pace.
func TestAnotherPaceIsAnotherLoop(t *testing.T) {
	w := &stillWorld{}
	c := read(t, inCluster())
	synctest.Test(t, func(t *testing.T) {
		m := leading(c, w)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.lead(ctx)
		}()
		time.Sleep(time.Minute)
		s := m.settings
		s.Policy.Name = "edited"
		m.use(s)
		time.Sleep(time.Minute)
		if w.loops.Load() != 1 {
			t.Errorf("%d loops for another name", w.loops.Load())
		}
		s.Policy.Ticks.Fast = time.Second
		m.use(s)
		time.Sleep(time.Second)
		before := w.ticks.Load()
		time.Sleep(time.Minute)
		if n := w.ticks.Load() - before; w.loops.Load() != 2 || n < 58 {
			t.Errorf("%d loops, %d ticks in a minute", w.loops.Load(), n)
		}
		stop()
		<-ended
	})
}

// An age that grows is no news; another thing is.
func TestTroublesAreToldOnce(t *testing.T) {
	var told []string
	tr := newTroubles(console.NewBoard(prometheus.NewRegistry(), console.Build{}), slog.New(slog.DiscardHandler))
	tr.tellBy(func(_, sentence string) { told = append(told, sentence) })
	tr.note("x", "X", "the newest sample is 35s old")
	tr.note("x", "X", "the newest sample is 50s old")
	tr.note("x", "X", "the newest sample is 1m5s old", "two series for one model")
	tr.note("x", "X")
	tr.note("x", "X", "the newest sample is 35s old")
	if len(told) != 3 {
		t.Errorf("told %q", told)
	}

	told = nil
	tr.note("y", "Y", "node gpu-7: it has no label", "read tcp 10.0.0.5:53412->10.0.0.1:9090: reset", "only 3 of 12 targets are up (25 %)")
	tr.note("y", "Y", "node gpu-7: it has no label", "node gpu-8: it has no label", "read tcp 10.0.0.5:53413->10.0.0.1:9090: reset", "only 5 of 12 targets are up (41 %)")
	tr.note("y", "Y", "node gpu-7: it has no label", "node gpu-8: it has no label", "model 7b-chat: no Deployment")
	tr.note("y", "Y", "node gpu-7: it has no label", "node gpu-8: it has no label", "model 8b-chat: no Deployment")
	if len(told) != 6 {
		t.Errorf("told %q", told)
	}
}

// That no metrics can be read is one trouble, whoever finds it, until the next tick
// that reads some.
func TestMetricsThatCannotBeReadAreOneTrouble(t *testing.T) {
	var told []string
	m := leading(read(t, inCluster()), &stillWorld{})
	m.troubles.tellBy(func(_, sentence string) { told = append(told, sentence) })
	tick := m.publish(control.NewLoop(control.Ports{}, m.settings, m.log))
	record := control.Record{}
	record.Inputs.Snapshot.Doubts = []fleet.Doubt{{Subject: "prometheus", Cause: "connection refused"}, {Subject: "node gpu-7", Cause: "it has no label"}}
	for range 3 {
		tick(record, 0, nil)
		m.metricsAre("connection refused") // what a look finds
	}
	if len(told) != 2 || !strings.Contains(told[0], "connection refused): start Prometheus") {
		t.Errorf("told %q", told)
	}
	tick(control.Record{}, 0, nil)
	tick(record, 0, nil)
	if len(told) != 4 {
		t.Errorf("after it was mended and came back: told %q", told)
	}
}
