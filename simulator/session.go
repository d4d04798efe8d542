package simulator

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// sessions is what a server of sessions has on its streams.
type sessions struct {
	perf    fleet.Performance
	running int
	holds   int     // sessions that it holds in real time at this moment
	late    int64   // sessions that run, but not in real time
	ends    []int64 // by stream, when its session ends; 0 where it is free
	came    []int64 // by stream, when its session came
	free    []int32 // streams that were used and are free
}

// newSessionServer is a server of sessions as it was measured.
func newSessionServer(perf fleet.Performance) *replica {
	return &replica{
		load: perf.Load, state: fleet.ReplicaPending, stretch: 1 + perf.Interference,
		sessions: &sessions{perf: perf, holds: perf.Streams},
	}
}

// room is how many more sessions would run in real time.
func (s *sessions) room() int { return s.holds - s.running }

// spent is how long the sessions that run have been there, waiting included.
func (s *sessions) spent(now int64) int64 {
	sum := int64(0)
	for stream, ends := range s.ends {
		if ends > 0 {
			sum += now - s.came[stream]
		}
	}
	return sum
}

// lag finds out how many sessions run, but not in real time: on a GPU that is stuck
// all of them, as media does not wait and nothing is made of it; else those that a
// server took before its neighbours were busy.
func (w *World) lag(r *replica) {
	m, s := r.model, r.sessions
	late := int64(max(0, s.running-s.holds))
	if r.gpu.stuck > 0 {
		late = int64(s.running)
	}
	if late != s.late {
		m.minutes.roll(w.now)
		m.minutes.late.change(late-s.late, w.now)
		s.late = late
	}
}

// weight is what a server counts in the measure of utilisation: its streams, or one.
func (r *replica) weight() int64 {
	if r.sessions != nil {
		return int64(r.sessions.perf.Streams)
	}
	return 1
}

// inFlight is how many requests or sessions the server works on.
func (r *replica) inFlight() int {
	if r.sessions != nil {
		return r.sessions.running
	}
	return len(r.batch)
}

// attend begins a session on the server with most room. Where no stream is free it
// waits for one, or is refused.
func (w *World) attend(m *model, q request) {
	m.times.asked += float64(m.lasts(q)) / 1e9
	if r := m.roomiest(); r != nil && m.waiting.len() == 0 {
		w.play(r, q)
		return
	}
	if m.Profile.WhenFull == fleet.FullRefuses {
		m.drop(q, w.now)
		return
	}
	m.waiting.push(q)
	w.watch(m, &m.waiting, -1)
}

// roomiest finds the ready server with the largest share of its streams free; of
// equal ones the one that has been ready for longest. Nil when none has room.
func (m *model) roomiest() *replica {
	var best *replica
	for _, r := range m.ready {
		s := r.sessions
		if s.room() > 0 && (best == nil || s.room()*best.sessions.holds > best.sessions.room()*s.holds) {
			best = r
		}
	}
	return best
}

// admit lets those who wait begin while there is room.
func (w *World) admit(m *model) {
	m.minutes.roll(w.now)
	w.leave(m, &m.waiting)
	for m.waiting.len() > 0 {
		r := m.roomiest()
		if r == nil {
			return
		}
		w.play(r, m.waiting.pop())
		w.leave(m, &m.waiting)
	}
}

// play begins a session on a server with room. Its end is one event.
func (w *World) play(r *replica, q request) {
	m, s := r.model, r.sessions
	m.latency.add(float64(w.now-q.at) / 1e9)
	stream := int32(len(s.ends))
	if n := len(s.free); n > 0 {
		stream, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.ends, s.came = append(s.ends, 0), append(s.came, 0)
	}
	s.ends[stream], s.came[stream] = w.now+m.lasts(q), q.at
	w.heap.push(event{at: s.ends[stream], kind: evSessionEnds, subject: r.index, detail: stream})
	s.running++
	m.minutes.busy.change(1, w.now)
	if s.running == 1 {
		r.gpu.begin(w.now)
		w.crowd(r.gpu)
	}
	w.lag(r)
}

// sessionEnds frees the stream of a session, unless it was cut before.
func (w *World) sessionEnds(e event) {
	r := w.replicas[e.subject]
	if r == nil || int(e.detail) >= len(r.sessions.ends) || r.sessions.ends[e.detail] != e.at {
		return
	}
	m := r.model
	m.minutes.roll(w.now)
	m.served++
	m.inSLO++ // it began in time, or it would have left
	w.leaveStream(r, e.detail)
	if r.state == fleet.ReplicaDraining && r.sessions.running == 0 {
		m.minutes.up.change(-r.weight(), w.now)
		w.remove(r)
	}
	w.admit(m)
}

// leaveStream frees a stream.
func (w *World) leaveStream(r *replica, stream int32) {
	m, s := r.model, r.sessions
	m.present.leave(s.came[stream], w.now)
	s.ends[stream] = 0
	s.free = append(s.free, stream)
	s.running--
	w.lag(r)
	m.minutes.busy.change(-1, w.now)
	if s.running == 0 {
		r.gpu.end(w.now)
		w.crowd(r.gpu)
	}
}

// cutSessions ends every session on a server that is lost: what they still had to
// run misses.
func (w *World) cutSessions(r *replica) {
	m := r.model
	m.minutes.roll(w.now)
	for stream, ends := range r.sessions.ends {
		if ends > 0 {
			m.dropped++
			m.cut++
			m.miss(request{at: w.now})
			m.refuse(ends - w.now)
			w.leaveStream(r, int32(stream))
		}
	}
}

// crowd tells the servers of sessions on a GPU how busy it is. One that has a busy
// neighbour holds fewer sessions in real time. Those beyond run on, as a session
// that began is never cut; no new one begins until there is room for it.
func (w *World) crowd(g *gpu) {
	grew := false
	for _, r := range g.sessions {
		s := r.sessions
		busy := g.active
		if s.running > 0 {
			busy--
		}
		holds := s.perf.RealTime(busy > 0)
		if holds == s.holds {
			continue
		}
		grew = grew || holds > s.holds
		s.holds = holds
		w.lag(r)
	}
	for i := 0; grew && i < len(g.sessions); i++ {
		w.admit(g.sessions[i].model)
	}
}

// join puts a server of sessions that begins to serve among those of its GPU.
func (w *World) join(r *replica) {
	if !slices.Contains(r.gpu.sessions, r) {
		r.gpu.sessions = append(r.gpu.sessions, r)
	}
	w.crowd(r.gpu)
	w.admit(r.model)
}
