package explain

import (
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// change is one thing that might have been other, in settings and inputs of its own.
type change struct {
	kind    string
	subject string
	text    string // "without the cap of $20.00 per hour"
	apply   func(*control.Settings, *control.Inputs)
}

// Scaled is the input with the demand of one model multiplied: what came, what waits, what is
// foreseen, and the need of the last minutes that is remembered; of a model of sessions also
// what runs. What is unknown stays unknown.
func Scaled(in control.Inputs, m fleet.Model, by float64) control.Inputs {
	times := func(s fleet.Signal) fleet.Signal {
		if v, known := s.Read(); known {
			return fleet.Measured(v*by, s.Age(), 1)
		}
		return s
	}
	in.Snapshot.Models = slices.Clone(in.Snapshot.Models)
	for i := range in.Snapshot.Models {
		if seen := &in.Snapshot.Models[i]; seen.Model == m.Name {
			seen.Arrivals, seen.Backlog = times(seen.Arrivals), times(seen.Backlog)
		}
	}
	if m.Profile.Sessions() {
		in.Snapshot.Replicas = slices.Clone(in.Snapshot.Replicas)
		for i := range in.Snapshot.Replicas {
			if r := &in.Snapshot.Replicas[i]; r.Model == m.Name {
				r.InFlight = times(r.InFlight)
			}
		}
	}
	in.Forecasts = slices.Clone(in.Forecasts)
	for i := range in.Forecasts {
		if f := &in.Forecasts[i]; f.Model == m.Name {
			f.Path.Points = slices.Clone(f.Path.Points)
			for j := range f.Path.Points {
				p := &f.Path.Points[j]
				p.Mean *= by
				p.Quantiles = slices.Clone(p.Quantiles)
				for k := range p.Quantiles {
					p.Quantiles[k] *= by
				}
			}
		}
	}
	peaks := make(map[fleet.ModelName]policy.Peaks, len(in.Memory.Peaks))
	for name, p := range in.Memory.Peaks {
		if name == m.Name {
			p.Queue = slices.Clone(p.Queue)
			for i := range p.Queue {
				p.Queue[i].Value *= by
			}
		}
		peaks[name] = p
	}
	if in.Memory.Peaks != nil {
		in.Memory.Peaks = peaks
	}
	return in
}

// changes lists what else might have been other: caps, unknowns, and what stood in the
// way.
func changes(s control.Settings, in control.Inputs) []change {
	var out []change
	for i, b := range s.Policy.Budgets {
		if b.Hard() {
			out = append(out, change{"cap", b.String(), fmt.Sprintf("without the cap of %s", b), func(s *control.Settings, _ *control.Inputs) {
				s.Policy.Budgets = slices.Delete(slices.Clone(s.Policy.Budgets), i, i+1)
			}})
		}
	}
	out = append(out, unknowns(s, in)...)
	for i, h := range in.Snapshot.Holds {
		what := "the whole fleet"
		if h.Model != "" {
			what = string(h.Model)
		}
		out = append(out, change{"hold", what, fmt.Sprintf("had %s not held %s", h.By, what), func(_ *control.Settings, in *control.Inputs) {
			in.Snapshot.Holds = slices.Delete(slices.Clone(in.Snapshot.Holds), i, i+1)
		}})
	}
	for i, u := range in.Snapshot.Unavailable {
		out = append(out, change{"stock", string(u.Offering), fmt.Sprintf("had %s been to be had", u.Offering), func(_ *control.Settings, in *control.Inputs) {
			in.Snapshot.Unavailable = slices.Delete(slices.Clone(in.Snapshot.Unavailable), i, i+1)
		}})
	}
	if slices.ContainsFunc(in.Snapshot.Doubts, func(d fleet.Doubt) bool { return d.Money }) {
		out = append(out, change{"doubt", "money", "had all that is spent been known", func(_ *control.Settings, in *control.Inputs) {
			in.Snapshot.Doubts = slices.DeleteFunc(slices.Clone(in.Snapshot.Doubts), func(d fleet.Doubt) bool { return d.Money })
		}})
	}
	return out
}

// unknowns supposes of each signal that is unknown that it were known: arrivals as
// foreseen, or none where nothing is; no backlog; and all within the service level.
func unknowns(s control.Settings, in control.Inputs) []change {
	var out []change
	for i, seen := range in.Snapshot.Models {
		if _, ours := s.Policy.Model(seen.Model); !ours {
			continue
		}
		for _, c := range []struct {
			name   string
			signal fleet.Signal
			value  float64
			of     func(*fleet.ModelSignals) *fleet.Signal
		}{
			{"arrivals", seen.Arrivals, foreseen(in, seen.Model), func(m *fleet.ModelSignals) *fleet.Signal { return &m.Arrivals }},
			{"backlog", seen.Backlog, 0, func(m *fleet.ModelSignals) *fleet.Signal { return &m.Backlog }},
			{"attainment", seen.Attainment, 1, func(m *fleet.ModelSignals) *fleet.Signal { return &m.Attainment }},
		} {
			if _, known := s.Policy.Signals.Fresh(c.signal).Read(); known {
				continue
			}
			text := fmt.Sprintf("had the %s of %s been known (as %.3g)", c.name, seen.Model, c.value)
			out = append(out, change{"signal", string(seen.Model) + " " + c.name, text, func(_ *control.Settings, in *control.Inputs) {
				in.Snapshot.Models = slices.Clone(in.Snapshot.Models)
				*c.of(&in.Snapshot.Models[i]) = fleet.Measured(c.value, 0, 1)
			}})
		}
	}
	return out
}

// foreseen is the median of the arrivals of now.
func foreseen(in control.Inputs, model fleet.ModelName) float64 {
	for _, f := range in.Forecasts {
		if f.Model == model && f.Path.Basis != forecast.BasisNone {
			return f.Path.Quantile(0.5, 0)
		}
	}
	return 0
}
