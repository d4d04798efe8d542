package policy

import (
	"github.com/tessera-autoscaler/tessera/fleet"
)

// free tells whether nobody holds a model's replicas.
func (g *guard) free(subject string, model fleet.ModelName) (fleet.Reason, bool) {
	hold, held := g.snapshot.Held(model)
	if !held {
		return fleet.Reason{}, true
	}
	return HeldBy(hold, subject), false
}

// HeldBy is the reason for which something waits while somebody holds a model.
func HeldBy(hold fleet.Hold, subject string) fleet.Reason {
	until := "they give it back"
	if !hold.Until.IsZero() {
		until = hold.Until.UTC().Format("Mon 15:04")
	}
	return fleet.Because(fleet.ReasonHeldHuman,
		"subject", subject, "by", hold.By, "since", hold.Since.UTC().Format("Mon 15:04"), "until", until)
}
