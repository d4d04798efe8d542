package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Fresh returns the signal, or an unknown in its place where it is older than the
// policy accepts.
func (s Signals) Fresh(signal fleet.Signal) fleet.Signal {
	if _, known := signal.Read(); known && s.MaxAge > 0 && signal.Age() > s.MaxAge {
		return fleet.Unknown(fmt.Sprintf("the newest sample is %v old, at most %v is accepted", signal.Age(), s.MaxAge))
	}
	return signal
}

// blind names the first signal that scale-down of a model rests on and that is
// unknown, with its cause.
func (s Signals) blind(m fleet.ModelSignals) (name, cause string, unknown bool) {
	for _, c := range []struct {
		name   string
		signal fleet.Signal
	}{{"arrivals", m.Arrivals}, {"backlog", m.Backlog}} {
		fresh := s.Fresh(c.signal)
		if _, known := fresh.Read(); !known {
			return c.name, cmp.Or(fresh.Cause(), "never measured"), true
		}
	}
	return "", "", false
}

// Blindness remembers since when models have been without a signal, so that a
// hold does not last unseen. Its state is plain data and can be recorded and
// restored.
type Blindness struct {
	Models []BlindModel `json:"models"` // sorted by model
}

// BlindModel is a model whose arrivals or backlog are unknown, and since when.
type BlindModel struct {
	Model  fleet.ModelName `json:"model"`
	Signal string          `json:"signal"`
	Cause  string          `json:"cause"`
	Since  time.Time       `json:"since"`
}

// Observe brings the memory up to a snapshot.
func (b *Blindness) Observe(p Policy, s fleet.Snapshot) {
	var now []BlindModel
	for _, m := range p.Models {
		signal, cause, unknown := p.Signals.blind(s.Model(m.Name))
		if !unknown {
			continue
		}
		entry := BlindModel{Model: m.Name, Signal: signal, Cause: cause, Since: s.At}
		i, found := slices.BinarySearchFunc(b.Models, m.Name, func(x BlindModel, n fleet.ModelName) int { return cmp.Compare(x.Model, n) })
		if found {
			entry.Since = b.Models[i].Since
		}
		now = append(now, entry)
	}
	b.Models = now
}

// Overdue lists, as reasons for an alert, the models that have been held by an
// unknown for longer than the policy's MaxHold.
func (b Blindness) Overdue(p Policy, at time.Time) []fleet.Reason {
	var out []fleet.Reason
	for _, m := range b.Models {
		if held := at.Sub(m.Since); held > p.Signals.MaxHold {
			out = append(out, fleet.Because(fleet.ReasonHeldUnknown,
				"subject", m.Model, "signal", m.Signal, "cause", m.Cause, "for", held, "limit", p.Signals.MaxHold))
		}
	}
	return out
}
