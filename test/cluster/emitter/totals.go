package emitter

import "time"

// Totals is what truly became of a model's requests:
// Arrived = Served + Waiting + Running + Cut.
type Totals struct {
	Arrived     int
	Served      int // late ones included
	Late        int // of Served: later than the model's SLO
	Waiting     int
	Running     int
	Cut         int // lost because their pod went while they ran
	Redelivered int // interrupted like that, but delivered again by Kafka
}

// Totals of a model now.
func (e *Emitter) Totals(model string) Totals {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	t := e.model(model)
	return Totals{
		Arrived: t.arrived, Served: len(t.delays), Late: t.late, Waiting: len(t.waiting),
		Running: t.running(), Cut: t.cut, Redelivered: t.redelivered,
	}
}

// Cut is how many requests or sessions of a model were lost because their pod went.
func (e *Emitter) Cut(model string) int { return e.Totals(model).Cut }

// Attainment is the share, 0 to 1, of a model's requests that were answered within the
// SLO, of those decided by now: served, cut, or still waiting or running though the
// SLO is over. Of a session the SLO bounds the time to its beginning. False means
// that none is decided.
func (e *Emitter) Attainment(model string, slo time.Duration) (float64, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	t := e.model(model)
	good, bad := 0, t.cut
	for _, d := range t.delays {
		if d <= slo {
			good++
		} else {
			bad++
		}
	}
	for _, r := range t.waiting {
		if e.now.Sub(r.arrived) > slo {
			bad++
		}
	}
	for _, s := range t.servers {
		for _, w := range s.running {
			// What runs and is not yet late may still be: a request by its end, a session
			// by its beginning, which is past.
			switch delay := w.finish.Sub(w.arrived) - t.Stream; {
			case t.Stream > 0 && delay <= slo:
				good++
			case t.Stream > 0 || e.now.Sub(w.arrived) > slo:
				bad++
			}
		}
	}
	if good+bad == 0 {
		return 0, false
	}
	return float64(good) / float64(good+bad), true
}

// Running is how many requests or sessions the server of a pod runs. False means that
// the pod has no server.
func (e *Emitter) Running(namespace, pod string) (int, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	for _, t := range e.models {
		for _, s := range t.servers {
			if s.present && s.namespace == namespace && s.name == pod {
				return len(s.running), true
			}
		}
	}
	return 0, false
}

// Servers is how many servers of a model take new work.
func (e *Emitter) Servers(model string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.model(model).servers {
		if s.taking {
			n++
		}
	}
	return n
}
