package control

import (
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// startable tells whether a server of a model can be started at a place: the world
// may start anything, or there is a place for it. No GPU is bought for a server that
// nobody deployed.
func (d *decider) startable(m fleet.ModelName, at fleet.Place) bool {
	places := d.in.Snapshot.Model(m).Places
	return places == nil || slices.Contains(places, at)
}

// unavailable finds why none of an offering can be had now.
func (d *decider) unavailable(o fleet.OfferingName) (fleet.Reason, bool) {
	for _, u := range d.in.Snapshot.Unavailable {
		if u.Offering == o && d.in.Now.Before(u.Until) {
			return fleet.Because(fleet.ReasonHeldStock, "subject", o, "until", clock(u.Until), "cause", u.Cause), true
		}
	}
	return fleet.Reason{}, false
}

// theirs says of every model that somebody holds whether it has what it needs.
func (d *decider) theirs() []fleet.Reason {
	var out []fleet.Reason
	for i, m := range d.models() {
		hold, held := d.in.Snapshot.Held(m.Name)
		if need := d.needs[i]; held && need.Have < need.Lead {
			out = append(out, policy.HeldBy(hold, fmt.Sprintf("%s, which needs %s and has %s,", m.Name, rate(need.Lead), rate(need.Have))))
		}
	}
	return out
}
