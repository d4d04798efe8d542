package kube

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Backoff is an offering of which the last that was asked for did not come.
type Backoff struct {
	Offering fleet.OfferingName `json:"offering"`
	Wait     time.Duration      `json:"wait"` // it doubles
	Until    time.Time          `json:"until"`
}

// Backoff finds until when none of an offering is asked for; the zero Backoff where
// nothing stands in the way.
func (l *Ledger) Backoff(o fleet.OfferingName) Backoff {
	for _, b := range l.Backoffs {
		if b.Offering == o {
			return b
		}
	}
	return Backoff{Offering: o}
}

// BackOff lets an offering rest after a purchase that failed: first as long as given,
// then twice as long each time, and no longer than most.
func (l *Ledger) BackOff(o fleet.OfferingName, now time.Time, first, most time.Duration) Backoff {
	b := l.Backoff(o)
	b.Wait = min(max(2*b.Wait, first), most)
	b.Until = now.Add(b.Wait)
	l.Recover(o)
	i, _ := slices.BinarySearchFunc(l.Backoffs, o, func(x Backoff, o fleet.OfferingName) int { return cmp.Compare(x.Offering, o) })
	l.Backoffs = slices.Insert(l.Backoffs, i, b)
	return b
}

// Recover forgets that purchases of an offering failed.
func (l *Ledger) Recover(o fleet.OfferingName) {
	l.Backoffs = slices.DeleteFunc(l.Backoffs, func(b Backoff) bool { return b.Offering == o })
}
