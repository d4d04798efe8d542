package policy

import (
	"cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// sessionUnit is the unit of work of sessions in a profile that names none.
const sessionUnit = "session-second"

// longestMean bounds the mean duration of a session, in seconds: a day. Longer ones
// are no sessions, but servers of their own.
const longestMean = 86400

// sessions reads what a profile says of its sessions, and complains about settings
// that only requests have.
func sessions(doc *strictyaml.Document, path string, spec profileSpec, p *fleet.PerformanceProfile) {
	p.Serves, p.Unit = fleet.ServesSessions, cmp.Or(spec.Unit, sessionUnit)
	p.WhenFull = fleet.Full(cmp.Or(spec.WhenFull, string(fleet.FullWaits)))
	if spec.Queue != "" {
		doc.Complain(strictyaml.Key(path, "queue"), "queue has no effect: a session begins on the server with most room, and those that wait stand in one line").OnKey().
			Hint("leave it out; whenFull says whether a session waits for a stream")
	}
	switch at := strictyaml.Key(path, "meanWork"); {
	case spec.MeanWork == nil && doc.Sound(at):
		doc.Complain(path, "serves sessions, and does not say how long they last").
			Hint("add meanWork: the mean duration of a session in seconds, such as 600")
	case p.MeanWork > longestMean:
		doc.Complain(at, "meanWork = %v: sessions of more than a day on average are no sessions", p.MeanWork).
			Hint("give seconds")
	}
}

// checkSessions complains about sessions in a class that lets work wait for hours.
func (r *resolver) checkSessions(path string, m fleet.Model) {
	if m.Profile.Sessions() && m.Kind == fleet.Async {
		r.doc.Complain(path, "%s serves sessions, and its class %s is asynchronous: a live stream cannot be served later", m.Name, m.Class).
			Hint("give it a streaming class, or a profile that serves requests")
	}
}
