package simulator

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// checkLaws are the invariants of the world at any instant.
func checkLaws(t *rapid.T, w *World) {
	r := w.Result()
	if err := w.conserved(r); err != nil {
		t.Fatal(err)
	}
	if r.IdleGPUHours < -1e-12 || r.IdleGPUHours > r.GPUHours {
		t.Fatalf("%v GPU-hours idle of %v that were paid", r.IdleGPUHours, r.GPUHours)
	}
	type tally struct{ pending, ready, up, busy, late int }
	byModel := map[*model]tally{}
	for _, n := range w.live {
		if w.byNode[n.ID] != n || w.nodes[n.index] != n {
			t.Fatalf("node %s is gone and still there", n.ID)
		}
		for i, g := range n.gpus {
			active, ofSessions := 0, 0
			for _, r := range n.replicas {
				if r.gpu != g {
					continue
				}
				c := byModel[r.model]
				switch r.state {
				case fleet.ReplicaPending:
					c.pending++
				case fleet.ReplicaReady:
					c.ready++
					c.up += int(r.weight())
				case fleet.ReplicaDraining:
					c.up += int(r.weight())
				}
				if r.inFlight() > 0 {
					active++
				}
				if r.sessions != nil {
					c.busy += r.sessions.running
					c.late += checkSessions(t, w, r)
					if slices.Contains(g.sessions, r) {
						ofSessions++
					}
				} else {
					c.busy += min(1, len(r.batch))
				}
				byModel[r.model] = c
				checkServer(t, w, n, i, r)
			}
			if g.active != active {
				t.Fatalf("%s/%d counts %d servers at work, %d are", n.ID, i, g.active, active)
			}
			if len(g.sessions) != ofSessions {
				t.Fatalf("%s/%d has servers of sessions that are gone", n.ID, i)
			}
		}
	}
	for _, m := range w.models {
		got := tally{m.starting, len(m.ready), int(m.minutes.up.n), int(m.minutes.busy.n), int(m.minutes.late.n)}
		if got != byModel[m] {
			t.Fatalf("%s counts %+v servers, there are %+v", m.Name, got, byModel[m])
		}
		checkLine(t, w, m, &m.waiting)
		free := m.idle
		if m.sessions {
			free = m.roomiest
		}
		if m.waiting.len() > 0 && free() != nil {
			t.Fatalf("%s has a free server and %d wait", m.Name, m.waiting.len())
		}
	}
}

func checkServer(t *rapid.T, w *World, n *node, gpu int, r *replica) {
	works := r.inFlight() > 0 || r.queue.len() > 0
	switch {
	case works && r.state == fleet.ReplicaPending:
		t.Fatalf("%s serves before it is ready", r.id)
	case r.state != fleet.ReplicaPending && (n.ReadyAt.IsZero() || n.GPUs[gpu].Reshaping):
		t.Fatalf("%s is %s and its node is starting or its GPU being reshaped", r.id, r.state)
	case r.state == fleet.ReplicaDraining && (r.inFlight() == 0 || r.queue.len() > 0):
		t.Fatalf("%s drains with %d in service and %d waiting", r.id, r.inFlight(), r.queue.len())
	case r.queue.len() > 0 && (len(r.batch) == 0 || r.model.waiting.len() > 0):
		t.Fatalf("%s has a queue while it is free, or while older ones wait elsewhere", r.id)
	case r.sessions == nil && len(r.batch) > len(r.perBatch):
		t.Fatalf("%s serves %d at once, at most %d", r.id, len(r.batch), len(r.perBatch))
	}
	if _, there := n.Kind(r.slice); !there {
		t.Fatalf("%s is on a slice that is not there", r.id)
	}
	checkLine(t, w, r.model, &r.queue)
}

// checkSessions: a server of sessions knows how many it has, which of them end later,
// and what its neighbours leave it. It returns how many are late.
func checkSessions(t *rapid.T, w *World, r *replica) int {
	s, running, busy := r.sessions, 0, false
	for stream, ends := range s.ends {
		if ends == 0 {
			continue
		}
		running++
		if ends <= w.now || s.came[stream] > w.now {
			t.Fatalf("%s has a session that came at %d and ends at %d, and it is %d", r.id, s.came[stream], ends, w.now)
		}
	}
	for _, other := range r.node.replicas {
		busy = busy || other != r && other.gpu == r.gpu && other.inFlight() > 0
	}
	switch {
	case running != s.running || running > s.perf.Streams || len(s.free) != len(s.ends)-running:
		t.Fatalf("%s counts %d sessions and %d free of %d streams, %d run", r.id, s.running, len(s.free), s.perf.Streams, running)
	case slices.Contains(r.gpu.sessions, r) != (r.state != fleet.ReplicaPending):
		t.Fatalf("%s is %s, and its GPU knows otherwise", r.id, r.state)
	case r.state != fleet.ReplicaPending && s.holds != s.perf.RealTime(busy):
		t.Fatalf("%s holds %d in real time, beside busy neighbours: %v", r.id, s.holds, busy)
	}
	if r.gpu.stuck > 0 {
		return running
	}
	return max(0, running-s.holds)
}

// checkLine: a line is in order of age and holds nobody who has left, and an
// alarm is set for the first who will.
func checkLine(t *rapid.T, w *World, m *model, l *line) {
	for i := range l.len() {
		if i > 0 && l.at(i).at < l.at(i-1).at || w.now-l.at(i).at > m.patience {
			t.Fatalf("%s has a line out of order, or one in it who is gone", m.Name)
		}
	}
	if m.patience < forever && l.len() > 0 && (l.alarm == 0 || l.alarm > l.first().at+m.patience+1) {
		t.Fatalf("%s has a line that nobody watches", m.Name)
	}
}

// checkBills: each node costs its rate times its life or its minimum billing,
// whichever is longer; they add up to the total, and so do the models, the groups and
// the languages.
func checkBills(t *rapid.T, w *World, lives map[fleet.NodeID]*life) {
	sum, hours := fleet.Micros(0, "USD"), 0.0
	for id, l := range lives {
		o, _ := w.catalog.Offering(l.offering)
		paid := w.Now().Sub(l.from)
		if !l.till.IsZero() {
			paid = max(l.till.Sub(l.from), o.MinimumBilling)
		}
		want := o.Price.For(paid)
		if n := w.byNode[id]; n != nil {
			if got := n.bill.paid.Add(n.bill.due(w.now)); got.Compare(want) != 0 {
				t.Fatalf("%s costs %s, its rate for %v is %s", id, got, paid, want)
			}
		}
		sum = sum.Add(want)
		if o.GPU != fleet.CPU {
			hours += paid.Hours() * float64(o.GPUs)
		}
	}
	r := w.Result()
	if r.Cost.Compare(sum) != 0 {
		t.Fatalf("the world costs %s, its nodes %s", r.Cost, sum)
	}
	if diff := r.GPUHours - hours; diff > 1e-9 || diff < -1e-9 {
		t.Fatalf("%v GPU-hours were paid, the nodes have %v", r.GPUHours, hours)
	}
	money := w.accounts()
	for name, a := range map[string]*tally{"total": &money.total, "day": &money.day, "month": &money.month} {
		shares := fleet.Micros(0, "USD")
		for _, s := range a.shares() {
			if s.Micros() < 0 {
				t.Fatalf("%s: a model pays %s", name, s)
			}
			shares = shares.Add(s)
		}
		if !a.borne().IsZero() && shares.Compare(a.sum()) != 0 {
			t.Fatalf("%s: the models pay %s of %s", name, shares, a.sum())
		}
		if groups := summed(by(&money, a, groupOf)); groups.Compare(shares) != 0 {
			t.Fatalf("%s: the groups pay %s, their models %s", name, groups, shares)
		}
		if languages := summed(by(&money, a, languageOf)); languages.Compare(shares) != 0 {
			t.Fatalf("%s: the languages pay %s, their models %s", name, languages, shares)
		}
	}
}

// summed is all money of a map.
func summed[K comparable](money map[K]fleet.Money) fleet.Money {
	sum := fleet.Micros(0, "USD")
	for _, m := range money {
		sum = sum.Add(m)
	}
	return sum
}
