package simulator

import (
	"math"
	"math/rand/v2"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// model is one model's traffic, queue, servers and counters.
type model struct {
	fleet.Model
	index    int32
	sessions bool // it serves sessions
	source   traffic.Source
	next     request // the arrival whose event is in the heap
	waiting  line    // the central queue; with least load, what no server was ready for when it came
	ready    []*replica
	starting int   // replicas that are pending
	readyAt  int64 // when a replica last became ready
	patience int64 // how long a request waits before its caller leaves, or a session before it is refused
	draws    *rand.Rand

	arrived, served, inSLO, dropped int64
	workInSLO                       float64 // of the requests in inSLO, in average requests
	cut                             int64   // in service, as their server was lost
	lateStarting, deadlineMissed    int64
	latency                         latencies // of a session: until it begins
	times                           sessionTimes
	minutes                         minutes
	present                         presence
}

// forever is the patience of those who never leave.
const forever = math.MaxInt64

func newModel(spec fleet.Model, index int32, patience float64, intoMinute int64) *model {
	m := &model{Model: spec, index: index, patience: forever, readyAt: -1, minutes: newMinutes(intoMinute)}
	if m.sessions = spec.Profile.Sessions(); m.sessions {
		m.patience, m.minutes.times = int64(spec.SLO.Limit), &m.times
		return m
	}
	if spec.Kind == fleet.Streaming && patience > 0 {
		if limit := patience * float64(spec.SLO.Limit); limit < forever/2 {
			m.patience = int64(limit)
		}
	}
	return m
}

// complete counts a served request.
func (m *model) complete(q request, now int64) {
	took := now - q.at
	m.served++
	m.present.leave(q.at, now)
	m.latency.add(float64(took) / 1e9)
	inTime := took <= int64(m.SLO.Limit)
	m.minutes.ended(inTime)
	if inTime {
		m.inSLO++
		m.workInSLO += q.work
		return
	}
	m.miss(q)
}

// drop counts a request whose caller left, or a session that was refused.
func (m *model) drop(q request, now int64) {
	m.dropped++
	m.present.leave(q.at, now)
	if m.sessions {
		m.refuse(m.lasts(q))
	} else {
		m.minutes.ended(false)
	}
	m.miss(q)
}

// miss counts a request that missed its SLO, and whether it did while capacity
// of its model was starting or had started since it came.
func (m *model) miss(q request) {
	if m.Kind == fleet.Async {
		m.deadlineMissed++
	}
	if m.whileStarting(q) {
		m.lateStarting++
	}
}

func (m *model) whileStarting(q request) bool { return m.starting > 0 || m.readyAt > q.at }

// backlog is how many requests wait for a server.
func (m *model) backlog() int {
	n := m.waiting.len()
	for _, r := range m.ready {
		n += r.queue.len()
	}
	return n
}
