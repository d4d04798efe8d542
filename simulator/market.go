package simulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// For how long an offering is taken to be unavailable after a purchase that was
// refused, as in a cluster: longer each time that the next is refused too.
const (
	firstRest = 5 * time.Minute
	mostRest  = 30 * time.Minute
)

// rest is an offering that could not be had lately. The world refuses nothing for
// that; it tells it, so that a controller can ask elsewhere.
type rest struct {
	wait  time.Duration
	until time.Time
	cause string
}

// unsold remembers that a purchase was refused. Others that are refused before the
// rest is over change nothing.
func (w *World) unsold(o fleet.OfferingName, cause Refusal) {
	now, last := w.time(w.now), w.rests[o]
	if now.Before(last.until) {
		return
	}
	wait := min(max(2*last.wait, firstRest), mostRest)
	w.rests[o] = rest{wait: wait, until: now.Add(wait), cause: "the last that was asked for was refused: " + string(cause)}
}

// unavailable lists the offerings that could not be had lately, sorted by name.
func (w *World) unavailable() []fleet.Unavailable {
	var out []fleet.Unavailable
	for o, r := range w.rests {
		if w.time(w.now).Before(r.until) {
			out = append(out, fleet.Unavailable{Offering: o, Until: r.until, Cause: r.cause})
		}
	}
	slices.SortFunc(out, func(a, b fleet.Unavailable) int { return cmp.Compare(a.Offering, b.Offering) })
	return out
}
