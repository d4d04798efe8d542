package console

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// The signals of a model, as metrics and checks name them.
const (
	signalArrivals    = "arrivals"
	signalBacklog     = "backlog"
	signalAttainment  = "attainment"
	signalUtilisation = "utilisation"
)

// signalSummary is one signal over all models of the policy.
type signalSummary struct {
	name     string
	counts   map[fleet.SignalState]int // models in each state
	measured bool                      // of any model, fresh or not
	oldest   time.Duration             // greatest age among what was measured
	cause    string                    // of the first unknown one
}

// known is how many models have a number.
func (s signalSummary) known() int { return s.counts[fleet.SignalValue] + s.counts[fleet.SignalZero] }

// seen is what decisions may know of a model: a measurement older than the policy
// accepts is unknown.
func seen(s State, model fleet.ModelName) fleet.ModelSignals {
	m := s.Record.Inputs.Snapshot.Model(model)
	rules := s.Settings.Policy.Signals
	m.Arrivals, m.Backlog = rules.Fresh(m.Arrivals), rules.Fresh(m.Backlog)
	m.Attainment, m.Utilisation = rules.Fresh(m.Attainment), rules.Fresh(m.Utilisation)
	return m
}

// signalsOf sums the signals up over the models that the policy names: one that
// the snapshot lacks counts as unknown.
func signalsOf(s State) []signalSummary {
	readers := []struct {
		name string
		of   func(fleet.ModelSignals) fleet.Signal
	}{
		{signalArrivals, func(m fleet.ModelSignals) fleet.Signal { return m.Arrivals }},
		{signalBacklog, func(m fleet.ModelSignals) fleet.Signal { return m.Backlog }},
		{signalAttainment, func(m fleet.ModelSignals) fleet.Signal { return m.Attainment }},
		{signalUtilisation, func(m fleet.ModelSignals) fleet.Signal { return m.Utilisation }},
	}
	out := make([]signalSummary, 0, len(readers))
	for _, r := range readers {
		sum := signalSummary{name: r.name, counts: map[fleet.SignalState]int{}}
		for _, m := range s.Settings.Policy.Models {
			raw := r.of(s.Record.Inputs.Snapshot.Model(m.Name))
			if _, measured := raw.Read(); measured {
				sum.oldest, sum.measured = max(sum.oldest, raw.Age()), true
			}
			signal := s.Settings.Policy.Signals.Fresh(raw)
			sum.counts[signal.State()]++
			if signal.State() == fleet.SignalUnknown && sum.cause == "" {
				sum.cause = cause(signal)
			}
		}
		out = append(out, sum)
	}
	return out
}

// cause says why a signal is unknown, also where its source did not.
func cause(s fleet.Signal) string {
	if c := s.Cause(); c != "" {
		return c
	}
	return "its source gave no cause"
}
