package simulator

import "github.com/tessera-autoscaler/tessera/fleet"

// service is the time in which a server serves its batch.
type service struct {
	ticket uint64 // of the event at its end; 0 while there is none
	ends   int64
	left   int64 // nanoseconds that were still to come when the GPU got stuck
}

// run begins the service of a server's batch. On a GPU that is stuck nothing ends.
func (w *World) run(r *replica, takes int64) {
	r.serving = service{ends: w.now + takes, left: takes}
	if r.gpu.stuck == 0 {
		w.resume(r)
	}
}

// resume puts the end of what is left to serve into the heap.
func (w *World) resume(r *replica) {
	r.serving.ends = w.now + r.serving.left
	r.serving.ticket = w.heap.push(event{at: r.serving.ends, kind: evBatchDone, subject: r.index})
}

// batchDone ends a service, unless it was cut or hangs.
func (w *World) batchDone(e event) {
	if r := w.replicas[e.subject]; r != nil && r.serving.ticket == e.ticket {
		w.finish(r)
	}
}

// seize makes a GPU stuck: what is served on it does not end, and neither does what
// begins to be. Sessions end with their media, and nothing of it runs in real time
// meanwhile. Loading goes on: it needs the GPU only at its end.
func (w *World) seize(n *node, g *gpu) {
	g.stuck++
	for _, r := range n.replicas {
		if r.gpu == g && r.serving.ticket != 0 && len(r.batch) > 0 {
			r.serving.ticket, r.serving.left = 0, r.serving.ends-w.now
		}
	}
	for _, r := range g.sessions {
		w.lag(r)
	}
}

// release lets a GPU that was stuck go on where it stood.
func (w *World) release(n *node, g *gpu) {
	if g.stuck--; g.stuck > 0 {
		return
	}
	for _, r := range n.replicas {
		if r.gpu == g && len(r.batch) > 0 {
			w.resume(r)
		}
	}
	for _, r := range g.sessions {
		w.lag(r)
	}
}

// halt takes a server out of service at once, and returns what is to be served
// elsewhere. What was in service is cut: a caller who waits for it gets nothing, a
// session misses its rest, and asynchronous work, which nobody confirmed, comes again.
// What waited at the server waits on.
func (w *World) halt(r *replica) []request {
	m := r.model
	m.minutes.roll(w.now)
	switch r.state {
	case fleet.ReplicaPending:
		m.starting--
	case fleet.ReplicaReady:
		m.ready = without(m.ready, r)
		m.minutes.up.change(-r.weight(), w.now)
	case fleet.ReplicaDraining:
		m.minutes.up.change(-r.weight(), w.now)
	}
	var again []request
	if r.sessions != nil {
		r.gpu.sessions = without(r.gpu.sessions, r)
		w.cutSessions(r)
	}
	if len(r.batch) > 0 {
		r.gpu.end(w.now)
		w.crowd(r.gpu)
		m.minutes.busy.change(-1, w.now)
	}
	for _, q := range r.batch {
		m.cut++
		if m.Kind == fleet.Async {
			again = append(again, q)
		} else {
			m.drop(q, w.now)
		}
	}
	r.batch, r.serving = r.batch[:0], service{}
	for r.queue.len() > 0 {
		again = append(again, r.queue.pop())
	}
	return again
}

// crash lets a server begin anew on its slice, from the loading of its weights.
func (w *World) crash(r *replica) {
	again := w.halt(r)
	r.state, r.since, r.loading = fleet.ReplicaPending, w.now, false
	r.model.starting++
	w.startLoading(r)
	for _, q := range again {
		w.route(r.model, q)
	}
}

// lose takes a node away at once, with all that is on it. It is paid up to now.
func (w *World) lose(n *node) {
	w.settle(n.bill)
	type orphans struct {
		of   *model
		work []request
	}
	var all []orphans
	for _, g := range n.gpus { // so that nobody begins beside a neighbour who goes first
		g.sessions = nil
	}
	for _, r := range n.replicas { // all of them, before any work goes to others
		all = append(all, orphans{r.model, w.halt(r)})
		w.replicas[r.index], w.byReplica[r.id] = nil, nil
	}
	n.replicas = nil
	w.end(n, w.now)
	w.lost++
	for _, o := range all {
		for _, q := range o.work {
			w.route(o.of, q)
		}
	}
}
