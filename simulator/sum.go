package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Result sums the world up, as if it ended now.
func (w *World) Result() Result {
	money := w.accounts()
	out := Result{
		SimulatedSeconds: float64(w.now) / 1e9, AttainmentByModel: map[string]float64{}, ByModel: map[string]ModelResult{},
		Cost: money.total.sum(), NodesLost: w.lost, ScaleActions: w.actions, Reconfigurations: w.reconfigurations, Events: w.events,
	}
	out.CostByGroup = inUnits(by(&money, &money.total, groupOf))
	out.CostByModel = inUnits(by(&money, &money.total, modelOf))
	out.CostByLanguage = inUnits(by(&money, &money.total, languageOf))
	if w.catalog.Currency == "USD" {
		out.CostUSD = new(out.Cost.Float())
	}
	w.sumModels(&out)
	w.sumUnits(&out, by(&money, &money.total, modelOf))
	gpus := w.gpuTimes()
	out.GPUHours, out.IdleGPUHours = gpus.paid.inHours(), gpus.idled.inHours()
	return out
}

// sumModels fills in what became of the requests. Those that wait or are being
// served are judged only where they are late already: what is still in time is
// left out of attainment. The attainment of all is the mean of the models', each
// weighed by its requests, or by its sessions, that are judged.
func (w *World) sumModels(out *Result) {
	left := w.outstanding()
	var inSLO, judged float64
	for i, m := range w.models {
		r := ModelResult{
			Requests: m.arrived, Served: m.served, Dropped: m.dropped, Cut: m.cut, Waiting: left[i].all, InSLO: m.inSLO,
			Mean: m.latency.mean(), P50: m.latency.at(0.5), P95: m.latency.at(0.95), P99: m.latency.at(0.99),
		}
		due, hits := m.arrived-left[i].inTime, float64(m.inSLO)
		switch {
		case m.sessions:
			due, hits = w.sumSessions(m, &r)
		case due > 0:
			r.Attainment = new(hits / float64(due))
		}
		if r.Attainment != nil {
			out.AttainmentByModel[string(m.Name)] = *r.Attainment
			inSLO, judged = inSLO+hits, judged+float64(due)
		}
		out.ByModel[string(m.Name)] = r
		out.Requests += r.Requests
		out.Served += r.Served
		out.Dropped += r.Dropped
		out.Waiting += r.Waiting
		out.DeadlineMissed += m.deadlineMissed
		out.LateWhileStarting += m.lateStarting + left[i].lateStarting
		if m.Kind == fleet.Async {
			out.DeadlineMissed += left[i].all - left[i].inTime
		}
	}
	if judged > 0 {
		out.Attainment = new(inSLO / judged)
	}
}

// unfinished counts the requests of a model that wait or are being served: all,
// those that are not late yet, and those late while capacity was starting; and the
// nanoseconds that all of them were there.
type unfinished struct{ all, inTime, lateStarting, spent int64 }

// outstanding counts what is unfinished, by model.
func (w *World) outstanding() []unfinished {
	out := make([]unfinished, len(w.models))
	count := func(m *model, q request) {
		u := &out[m.index]
		u.all++
		u.spent += w.now - q.at
		switch {
		case w.now-q.at <= int64(m.SLO.Limit):
			u.inTime++
		case m.whileStarting(q):
			u.lateStarting++
		}
	}
	for _, m := range w.models {
		for i := range m.waiting.len() {
			count(m, *m.waiting.at(i))
		}
	}
	for _, n := range w.live {
		for _, r := range n.replicas {
			for i := range r.queue.len() {
				count(r.model, *r.queue.at(i))
			}
			for _, q := range r.batch {
				count(r.model, q)
			}
			if r.sessions != nil {
				u := &out[r.model.index]
				u.all += int64(r.sessions.running)
				u.spent += r.sessions.spent(w.now)
			}
		}
	}
	return out
}

// Sample is the fleet now.
func (w *World) Sample() Sample {
	s := Sample{At: w.time(w.now), Rate: fleet.PerHour(fleet.Micros(0, w.catalog.Currency))}
	for _, r := range w.reserved {
		s.Rate = s.Rate.Add(r.bill.rate)
	}
	for _, n := range w.live {
		s.Nodes++
		s.Rate = s.Rate.Add(n.offering.Price)
		if n.offering.GPU == fleet.CPU {
			continue
		}
		s.GPUs += len(n.gpus)
		if n.ReadyAt.IsZero() {
			s.Starting += len(n.gpus)
		}
	}
	for _, m := range w.models {
		m.minutes.roll(w.now)
		s.Replicas += len(m.ready)
		s.Arrivals += float64(m.minutes.lastArrivals) / time.Minute.Seconds()
	}
	return s
}
