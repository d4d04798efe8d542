package simulator

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// sees is what a controller is told of a model: what is measured, through the
// faults that hold, in the order of the scenario.
func (w *World) sees(m *model) fleet.ModelSignals {
	late := time.Duration(0)
	for _, f := range w.faults {
		if f.Kind == MetricsDelayed && f.holds(w.now) && f.concerns(m.Name) {
			late = max(late, f.By)
		}
	}
	s := w.measures(m, w.scraping.Delay+late)
	for i, f := range w.faults {
		if !f.holds(w.now) || !f.concerns(m.Name) {
			continue
		}
		switch f.Kind {
		case MetricsFrozen:
			s = w.remembered(i, m, s, time.Duration(w.now)-f.At)
		case MetricsFlatline:
			s = w.remembered(i, m, s, 0)
		case MetricsLying:
			if v, known := s.Arrivals.Read(); known {
				s.Arrivals = fleet.Measured(v*f.Factor, s.Arrivals.Age(), 1)
			}
		case MetricsNaN:
			s.Arrivals = fleet.Measured(math.NaN(), s.Arrivals.Age(), 1)
		case MetricsMissing:
			s.Arrivals, s.Backlog, s.Attainment, s.Utilisation = missing, missing, missing, missing
		}
	}
	return s
}

// remembered are the signals as they were seen when a fault began, so much older.
func (w *World) remembered(fault int, m *model, now fleet.ModelSignals, older time.Duration) fleet.ModelSignals {
	if w.strikes[fault].seen == nil {
		return now // it begins in this instant
	}
	s := w.strikes[fault].seen[m.index]
	for _, signal := range []*fleet.Signal{&s.Arrivals, &s.Backlog, &s.Attainment, &s.Utilisation} {
		*signal = signal.Aged(older)
	}
	return s
}

// hidden tells whether nothing is measured of a model.
func (w *World) hidden(m *model) bool {
	for _, f := range w.faults {
		if f.Kind == MetricsMissing && f.holds(w.now) && f.concerns(m.Name) {
			return true
		}
	}
	return false
}

// missing is what every signal is while metrics are missing.
var missing = fleet.Unknown("metrics are missing")
