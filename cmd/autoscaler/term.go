package main

import (
	"context"
	"time"

	"github.com/tessera-autoscaler/tessera/console"
	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// How long a new loop waits for the past before it begins without, and how often the
// past is asked for. A loop without a past forecasts from what it sees.
const (
	primeWithin = 30 * time.Second
	primeEvery  = 5 * time.Second
	pastEvery   = time.Minute // of a loop that began without
)

// lead runs loops until ctx ends, and returns when the last tick is over. Each loop
// begins anew: what an earlier term remembered is stale. A loop that began without
// its past gives way to another as soon as the past can be read.
func (m *member) lead(ctx context.Context) {
	m.board.Lead()
	if m.mode == console.ModeActive {
		defer m.board.StandBy("")
	}
	for first := true; ctx.Err() == nil; first = false {
		m.serve(ctx, first)
	}
}

// serve runs one loop until ctx ends or another loop is asked for.
func (m *member) serve(ctx context.Context, patient bool) {
	m.mu.Lock()
	settings, version, around := m.settings, m.version, m.around
	m.mu.Unlock()
	ports := around.ports()
	loop := control.NewLoop(ports, settings, m.log)
	until := time.Now().Add(primeWithin)
	err := loop.Prime(ctx, time.Now())
	for err != nil && patient && time.Now().Before(until) {
		m.troubles.note("history", "HistoryUnreadable", "the demand of the past cannot be read, so that the forecast begins from what is seen: "+err.Error())
		if !wait(ctx, primeEvery) {
			return
		}
		loop = control.NewLoop(ports, settings, m.log)
		err = loop.Prime(ctx, time.Now())
	}
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		m.troubles.note("history", "HistoryUnreadable")
	}
	runner := control.NewRunner(loop, settings.Policy.Ticks.Fast, time.Now, m.publish(loop))
	m.board.Expect(settings.Policy.Ticks.Fast)
	m.install(runner, version)
	runner.Start()
	m.until(ctx, ports.Historian, settings, err == nil)
	_ = runner.Stop(context.Background()) // it waits as long as it takes: nothing of this loop may go on
	m.measuring.Store(false)
	m.install(nil, version) // not before: a tick that never ends is to be seen as no sign of life
}

// install makes a runner the one that new settings go to, and hands it those that
// came while it was made.
func (m *member) install(r *control.Runner, version int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runner = r
	if r != nil && m.version != version {
		r.Use(m.settings)
	}
}

// until waits for the end of a loop: that of ctx, the wish for another, or, where
// the past could not be read, the time at which it can.
func (m *member) until(ctx context.Context, past control.Historian, s control.Settings, primed bool) {
	ticker := time.NewTicker(pastEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.again:
			return
		case <-ticker.C:
			if !primed && readable(ctx, past, s.Policy.Models) {
				return
			}
		}
	}
}

// readable tells whether the past can be read: of the first model that has one, or,
// where none has, of all. One that nobody ever counted says nothing of the others.
func readable(ctx context.Context, past control.Historian, models []fleet.Model) bool {
	now := time.Now()
	for _, m := range models {
		seen, err := past.History(ctx, m.Name, now)
		if err != nil {
			return false
		}
		if len(seen) > 0 {
			break
		}
	}
	return true
}

// publish shows what a tick gave.
func (m *member) publish(loop *control.Loop) func(control.Record, time.Duration, error) {
	world := m.config.describe()
	return func(record control.Record, took time.Duration, err error) {
		m.measuring.Store(err == nil)
		if err != nil {
			m.board.TickFailed(err)
			m.troubles.note("tick", "TickFailed", "the newest tick gave no decision: "+err.Error())
			return
		}
		m.troubles.note("tick", "TickFailed")
		if len(record.Plan.Steps) > 0 {
			m.log.Info("plan", "id", string(record.Plan.ID), "steps", len(record.Plan.Steps), "headline", record.Plan.Headline(), "mode", m.mode)
		}
		m.tellDoubts(record.Inputs.Snapshot.Doubts)
		failed, at := m.watch.state()
		m.board.Publish(console.State{
			Record: record, Settings: loop.Settings(), World: world, Mode: m.mode,
			Took: took, PolicyError: failed, PolicyLoadedAt: at,
		})
	}
}

// tellDoubts tells what a tick found that people should mend. That no metrics can be
// read is said by their check, and not a second time.
func (m *member) tellDoubts(doubts []fleet.Doubt) {
	metrics := ""
	var sentences []string
	for _, d := range doubts {
		if d.Subject == metricsCheck {
			metrics = d.Cause
			continue
		}
		sentences = append(sentences, d.Subject+": "+d.Cause)
	}
	m.metricsAre(metrics)
	m.troubles.note("doubts", "Doubt", sentences...)
}
