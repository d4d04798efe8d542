package simulator

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// replica is one server of a model on a slice: of requests in batches, or of sessions.
type replica struct {
	id       fleet.ReplicaID
	index    int32
	model    *model
	variant  fleet.VariantName
	slice    fleet.SliceID
	node     *node
	gpu      *gpu
	load     fleet.Delay // of its weights
	stretch  float64     // by which busy neighbours lengthen a batch: 1 + interference
	perBatch []float64   // seconds of a batch of i+1 average requests
	pace     float64     // seconds a request at best, for routing
	state    fleet.ReplicaState
	since    int64
	loading  bool // its weights are being loaded: a ready event is in the heap
	stages   []fleet.Stage
	queue    line // with least load: what was routed here and waits
	batch    []request
	serving  service   // of the batch
	sessions *sessions // nil for a server of requests
}

// newServer is a server of what the model serves.
func newServer(m *model, perf fleet.Performance) *replica {
	if m.sessions {
		return newSessionServer(perf)
	}
	return newReplica(perf)
}

// newReplica is a server of requests as it was measured. It takes batches up to the largest
// that was measured, and no more at once than it holds streams.
func newReplica(perf fleet.Performance) *replica {
	most := perf.MaxBatch()
	if perf.Streams > 0 {
		most = min(most, perf.Streams)
	}
	r := &replica{load: perf.Load, stretch: 1 + perf.Interference, batch: make([]request, 0, most), state: fleet.ReplicaPending}
	for size := 1; size <= most; size++ {
		seconds := perf.BatchSeconds(size)
		r.perBatch = append(r.perBatch, seconds)
		if pace := seconds / float64(size); size == 1 || pace < r.pace {
			r.pace = pace
		}
	}
	return r
}

// ahead is the time until a new request would start here, in seconds of work
// ahead at full speed.
func (r *replica) ahead() float64 { return float64(r.queue.n+len(r.batch)) * r.pace }

// arrive counts one request of the model and routes it.
func (w *World) arrive(m *model, q request) {
	m.minutes.roll(w.now)
	m.arrived++
	m.minutes.arrivals++
	m.present.enter(w.now)
	w.route(m, q)
}

// route hands a request to a server, or lets it wait for one. With least load it
// waits in the model's line only where no server is ready, or others wait there
// still; the servers then take from that line as they fall idle, and arrivals go
// to the end of it until it is empty. So what a cold start has piled up is shared
// by all who come to serve it.
func (w *World) route(m *model, q request) {
	if m.sessions {
		w.attend(m, q)
		return
	}
	if m.Profile.Queue == fleet.CentralQueue || len(m.ready) == 0 || m.waiting.len() > 0 {
		m.waiting.push(q)
		if r := m.idle(); r != nil {
			w.serve(r)
		}
		w.watch(m, &m.waiting, -1)
		return
	}
	r := m.leastLoaded()
	r.queue.push(q)
	if len(r.batch) == 0 {
		w.serve(r)
	}
	w.watch(m, &r.queue, r.index)
}

// idle finds the fastest ready server that does nothing, nil when all work.
func (m *model) idle() *replica {
	var best *replica
	for _, r := range m.ready {
		if len(r.batch) == 0 && (best == nil || r.pace < best.pace) {
			best = r
		}
	}
	return best
}

// leastLoaded finds the ready server with the least work ahead; of equal ones
// the fastest, then the one that has been ready for longest. One at least is.
func (m *model) leastLoaded() *replica {
	var best *replica
	least := 0.0
	for _, r := range m.ready {
		ahead := r.ahead()
		if best == nil || ahead < least || ahead == least && r.pace < best.pace {
			best, least = r, ahead
		}
	}
	return best
}

// serve lets an idle server take the next batch: whatever waits, up to its
// largest batch.
func (w *World) serve(r *replica) {
	m := r.model
	queue := &m.waiting
	w.leave(m, queue)
	if queue.len() == 0 {
		queue = &r.queue
		w.leave(m, queue)
	}
	work := 0.0
	for len(r.batch) < len(r.perBatch) && queue.len() > 0 {
		q := queue.pop()
		r.batch = append(r.batch, q)
		work += q.work
	}
	if len(r.batch) == 0 {
		return
	}
	seconds := r.perBatch[len(r.batch)-1] * work / float64(len(r.batch))
	if r.gpu.active > 0 {
		seconds *= r.stretch
	}
	r.gpu.begin(w.now)
	w.crowd(r.gpu)
	m.minutes.busy.change(1, w.now)
	w.run(r, int64(seconds*1e9))
}

// finish completes a server's batch and lets it take the next, or go.
func (w *World) finish(r *replica) {
	m := r.model
	m.minutes.roll(w.now)
	for _, q := range r.batch {
		m.complete(q, w.now)
	}
	r.batch = r.batch[:0]
	r.gpu.end(w.now)
	w.crowd(r.gpu)
	m.minutes.busy.change(-1, w.now)
	if r.state == fleet.ReplicaDraining {
		m.minutes.up.change(-1, w.now)
		w.remove(r)
		return
	}
	w.serve(r)
}

// begin makes a loaded server ready and lets it take from what waits.
func (w *World) begin(r *replica) {
	m := r.model
	m.minutes.roll(w.now)
	r.state, r.since, r.loading = fleet.ReplicaReady, w.now, false
	m.starting--
	m.readyAt = w.now
	m.ready = append(m.ready, r)
	m.minutes.up.change(r.weight(), w.now)
	if r.sessions != nil {
		w.join(r)
		return
	}
	w.serve(r)
}

// drain takes a server out of the routing. What it serves it finishes; what
// waits at it is routed anew, the oldest first.
func (w *World) drain(r *replica) {
	m := r.model
	m.minutes.roll(w.now)
	was := r.state
	r.state, r.since = fleet.ReplicaDraining, w.now
	if was == fleet.ReplicaPending {
		m.starting--
		w.remove(r)
		return
	}
	m.ready = without(m.ready, r)
	for r.queue.len() > 0 {
		w.route(m, r.queue.pop())
	}
	if r.inFlight() == 0 {
		m.minutes.up.change(-r.weight(), w.now)
		w.remove(r)
	}
}

// remove frees the server's slice.
func (w *World) remove(r *replica) {
	w.settle(r.node.bill)
	w.replicas[r.index] = nil
	w.byReplica[r.id] = nil
	r.node.replicas = without(r.node.replicas, r)
	r.gpu.sessions = without(r.gpu.sessions, r)
	w.divide(r.node)
}

// without takes one of them out of the list.
func without[T comparable](list []T, one T) []T {
	if i := slices.Index(list, one); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
