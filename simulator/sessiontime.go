package simulator

// sessionTimes are the seconds of media of a model's sessions.
type sessionTimes struct {
	asked   float64 // of all that came
	refused float64 // of those that were refused, and the rest of those that were cut
	late    float64 // in which sessions ran, but not in real time, in whole minutes
}

// longest bounds a session, in nanoseconds: a year.
const longest = 365 * 24 * 3600 * 1e9

// lasts is how long a session runs, in nanoseconds: one at least, so that it ends
// after it begins.
func (m *model) lasts(q request) int64 {
	return int64(min(max(q.work*m.Profile.MeanWork*1e9, 1), longest))
}

// millisecond is the grain in which the attainment of sessions is measured while
// they run: small beside a session, and large enough that a minute of all of them
// fits a counter.
const millisecond = 1_000_000

// refuse counts nanoseconds of sessions that will never run.
func (m *model) refuse(nanos int64) {
	m.times.refused += float64(nanos) / 1e9
	m.minutes.count(nanos/millisecond, 0)
}

// ran closes a minute of sessions: what ran in it, and how much of that in real
// time. Models of requests have no such time.
func (c *minutes) ran(busy, late int64) {
	if c.times == nil {
		return
	}
	c.times.late += float64(late) / 1e9
	c.count(busy/millisecond, (busy-late)/millisecond)
}

// soFar is what ended since the start, up to now; of sessions with what ran in the
// minute that is not closed yet.
func (c *minutes) soFar(now int64) outcome {
	sum := c.ever
	if c.times != nil {
		busy, late := c.busy.pending(now), c.late.pending(now)
		sum.all += busy / millisecond
		sum.inSLO += (busy - late) / millisecond
	}
	return sum
}

// within is the seconds of sessions that are still to run: of those that wait, and
// the rest of those that run.
func (w *World) within(m *model) float64 {
	seconds := 0.0
	for i := range m.waiting.len() {
		seconds += float64(m.lasts(*m.waiting.at(i))) / 1e9
	}
	for _, n := range w.live {
		for _, r := range n.replicas {
			if r.model != m || r.sessions == nil {
				continue
			}
			for _, ends := range r.sessions.ends {
				if ends > 0 {
					seconds += float64(ends-w.now) / 1e9
				}
			}
		}
	}
	return seconds
}

// sumSessions fills in what became of the sessions of a model: the seconds of media
// that were asked for, those that ran in real time, and their share, without what is
// still within at the end. It returns how many sessions the share speaks of, those
// that do not wait, and so many of them as the share is.
func (w *World) sumSessions(m *model, r *ModelResult) (judged int64, hits float64) {
	m.minutes.roll(w.now)
	late := m.times.late + float64(m.minutes.late.pending(w.now))/1e9
	due := m.times.asked - w.within(m)
	inTime := max(0, due-m.times.refused-late)
	r.SessionSeconds, r.RealTimeSeconds = new(m.times.asked), new(inTime)
	if judged = m.arrived - int64(m.waiting.len()); judged > 0 && due > 0 {
		r.Attainment = new(min(1, inTime/due))
		hits = *r.Attainment * float64(judged)
	}
	return judged, hits
}
