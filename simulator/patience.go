package simulator

// Callers leave in the instant in which they have waited for longer than their
// patience, not when a server would have come to them: a queue that is looked at
// holds nobody who is gone. One event for each line, at the time when its first
// leaves, is enough, because a line is in order of age.

// watch makes sure that an event stands in the heap for the first in the line to
// leave. Owner is the index of the replica whose line it is, -1 for the model's.
func (w *World) watch(m *model, l *line, owner int32) {
	if m.patience == forever || l.len() == 0 {
		return
	}
	leaves := l.first().at + m.patience + 1
	if l.alarm == 0 || leaves < l.alarm {
		l.alarm = leaves
		w.heap.push(event{at: leaves, kind: evPatience, subject: m.index, detail: owner})
	}
}

// patienceEnds drops those in a line who have waited too long.
func (w *World) patienceEnds(e event) {
	m := w.models[e.subject]
	l := &m.waiting
	if e.detail >= 0 {
		r := w.replicas[e.detail]
		if r == nil {
			return // its line was moved to others, who watch it
		}
		l = &r.queue
	}
	if l.alarm != e.at {
		return // an earlier one took its place
	}
	l.alarm = 0
	m.minutes.roll(w.now)
	w.leave(m, l)
	w.watch(m, l, e.detail)
}

// leave drops those at the head of the line who have waited too long.
func (w *World) leave(m *model, l *line) {
	for l.len() > 0 && w.now-l.first().at > m.patience {
		m.drop(l.pop(), w.now)
	}
}
