package simulator

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestSignalsBeforeTheFirstWholeMinute are unknown, except for the backlog, which
// is counted now. A minute is one of the clock: a world that begins in the middle
// of one has counted none at its end.
func TestSignalsBeforeTheFirstWholeMinute(t *testing.T) {
	for _, c := range []struct {
		name  string
		start time.Time
		first time.Duration // when the first whole minute is over
	}{
		{"on the minute", start, time.Minute},
		{"in the middle of one", start.Add(20 * time.Second), 100 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t, Config{Start: c.start, Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Sources: feed("m", at(1, 50*time.Second, 51*time.Second, 500*time.Hour))})
			advance(w, c.first-1)
			s := observe(t, w).Model("m")
			for name, signal := range map[string]fleet.Signal{"arrivals": s.Arrivals, "attainment": s.Attainment, "utilisation": s.Utilisation} {
				if signal.State() != fleet.SignalUnknown || signal.Cause() == "" {
					t.Errorf("%s are %s", name, signal)
				}
			}
			if n, ok := s.Backlog.Read(); !ok || n != 3 {
				t.Errorf("the backlog is %s, want 3", s.Backlog)
			}
			advance(w, c.first)
			want := 3.0
			if c.first > time.Minute {
				want = 2
			}
			s = observe(t, w).Model("m")
			if got, ok := s.Arrivals.Read(); !ok || math.Abs(got*60-want) > 1e-9 || s.Arrivals.Age() != 0 {
				t.Errorf("%s arrivals a second, %v old; want %v a minute, fresh", s.Arrivals, s.Arrivals.Age(), want)
			}
			if s.Utilisation.State() != fleet.SignalUnknown {
				t.Errorf("utilisation %s without a server", s.Utilisation)
			}
			advance(w, c.first+90*time.Second)
			if s = observe(t, w).Model("m"); s.Arrivals.State() != fleet.SignalZero || s.Arrivals.Age() != 30*time.Second {
				t.Errorf("of a minute without requests: %s, %v old; want a confirmed zero of 30 s", s.Arrivals, s.Arrivals.Age())
			}
		})
	}
}

// TestMissingMetricsHideEverySignal, in flight included, and only signals: nodes,
// replicas and bills come from elsewhere. Afterwards what was counted is there.
func TestMissingMetricsHideEverySignal(t *testing.T) {
	w := build(t, Config{
		Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Sources: feed("m", plain(t, "m", 2, time.Hour, 1)),
		Faults: []Fault{{At: 5 * time.Minute, For: 5 * time.Minute, Kind: MetricsMissing}},
	})
	serveWith(t, w, "m", 3)
	for _, c := range []struct {
		at    time.Duration
		known bool
	}{{5*time.Minute - 1, true}, {5 * time.Minute, false}, {10*time.Minute - 1, false}, {10 * time.Minute, true}} {
		advance(w, c.at)
		s := observe(t, w)
		m := s.Model("m")
		for name, signal := range map[string]fleet.Signal{
			"arrivals": m.Arrivals, "backlog": m.Backlog, "attainment": m.Attainment, "utilisation": m.Utilisation, "in flight": s.Replicas[0].InFlight,
		} {
			if known := signal.State() != fleet.SignalUnknown; known != c.known {
				t.Errorf("at %v: %s is %s", c.at, name, signal)
			}
		}
		if len(s.Nodes) != 1 || len(s.Replicas) != 3 || s.Spend.Day.IsZero() {
			t.Errorf("at %v there are %d nodes, %d replicas, spend %s", c.at, len(s.Nodes), len(s.Replicas), s.Spend.Day)
		}
	}
}

// TestUtilisationOfAMinuteInWhichAServerGoes: by hand, two servers for half of
// the minute and one for the other half, of which one is always at work. Nothing
// else happens in that minute.
func TestUtilisationOfAMinuteInWhichAServerGoes(t *testing.T) {
	w := build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 200)}, Sources: feed("m", at(1))})
	serveWith(t, w, "m", 2)
	advance(w, 90*time.Second)
	idle := fleet.ReplicaID("r0")
	if len(w.byReplica[idle].batch) > 0 {
		idle = "r1"
	}
	do(t, w, fleet.StopReplica{Replica: idle})
	advance(w, 2*time.Minute)
	if got, _ := observe(t, w).Model("m").Utilisation.Read(); math.Abs(got-60.0/90) > 1e-12 {
		t.Errorf("utilisation is %v, want 60 s of work in 90 s of servers", got)
	}
}

// twin keeps every request and every change of the servers of a model and reads
// the signals from them by looking at all.
type twin struct {
	arrived []int64
	ended   []ending
	levels  []levelAt
}

type ending struct {
	at    int64
	inSLO bool
}

// levelAt is the number of servers that are up and at work from a time on.
type levelAt struct {
	at       int64
	up, busy int64
}

// see reads off what changed since it last looked; it looks after every event.
func (d *twin) see(w *World, m *model) {
	for range m.arrived - int64(len(d.arrived)) {
		d.arrived = append(d.arrived, w.now)
	}
	inSLO := 0
	for _, e := range d.ended {
		if e.inSLO {
			inSLO++
		}
	}
	for i := range m.served + m.dropped - int64(len(d.ended)) {
		d.ended = append(d.ended, ending{w.now, i < m.inSLO-int64(inSLO)})
	}
	now := levelAt{at: w.now}
	for _, n := range w.live {
		for _, r := range n.replicas {
			if r.model == m && r.state != fleet.ReplicaPending {
				now.up++
				now.busy += int64(min(1, len(r.batch)))
			}
		}
	}
	d.levels = append(d.levels, now)
}

// between counts what lies in [from, to).
func (d *twin) between(from, to int64) (arrived, ended, inSLO, up, busy int64) {
	for _, at := range d.arrived {
		if from <= at && at < to {
			arrived++
		}
	}
	for _, e := range d.ended {
		if from <= e.at && e.at < to {
			ended++
			if e.inSLO {
				inSLO++
			}
		}
	}
	for i, l := range d.levels {
		end := int64(math.MaxInt64)
		if i+1 < len(d.levels) {
			end = d.levels[i+1].at
		}
		if width := min(end, to) - max(l.at, from); width > 0 {
			up, busy = up+width*l.up, busy+width*l.busy
		}
	}
	return arrived, ended, inSLO, up, busy
}

// TestSignalsAreWhatADumbTwinCounts: arrivals and utilisation of the last whole
// minute, attainment of the last five, whenever one looks and however rarely.
func TestSignalsAreWhatADumbTwinCounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := testModel("m", rapid.SampledFrom([]fleet.Queue{fleet.CentralQueue, fleet.LeastLoad}).Draw(rt, "queue"), 6, 8)
		m.SLO.Limit = 9 * time.Second
		if rapid.Bool().Draw(rt, "long service") { // minutes pass without an event
			measure(&m).Seconds = []float64{200, 250}
			m.SLO.Limit = 4 * time.Minute
		}
		measure(&m).Load = fleet.Fixed(time.Duration(rapid.Int64Range(0, int64(5*time.Minute)).Draw(rt, "load")))
		into := time.Duration(rapid.SampledFrom([]int64{0, 0, 1, 59_999_999_999, 20_000_000_000}).Draw(rt, "into the minute"))
		var requests []time.Duration
		for i, gap := range rapid.SliceOfN(rapid.Int64Range(0, 20_000_000_000), 0, 60).Draw(rt, "gaps") {
			requests = append(requests, time.Duration(gap))
			if i > 0 {
				requests[i] += requests[i-1]
			}
			if i%17 == 16 {
				requests[i] += 4 * time.Minute // a quiet time
			}
		}
		w := build(t, Config{Start: start.Add(into), Models: []fleet.Model{m}, Patience: 3, Sources: feed("m", at(requests...))})
		stop := time.Duration(rapid.Int64Range(0, int64(15*time.Minute)).Draw(rt, "stop"))
		do(t, w, buyNode("n"), startOn("n", 0, "m", "r0"), startOn("n", 1, "m", "r1"))
		var d twin
		look := map[int]bool{}
		for _, minute := range rapid.SliceOfN(rapid.IntRange(0, 25), 1, 8).Draw(rt, "looks") {
			look[minute] = true
		}
		d.see(w, w.models[0])
		for minute := range 25 {
			at := time.Duration(minute)*time.Minute + 17*time.Second
			for len(w.heap.events) > 0 && w.heap.events[0].at <= int64(at) {
				if w.heap.events[0].at > int64(stop) && stop >= 0 {
					advance(w, stop)
					do(t, w, fleet.StopReplica{Replica: "r0"})
					d.see(w, w.models[0])
					stop = -1
					continue
				}
				w.AdvanceTo(w.time(w.heap.events[0].at))
				d.see(w, w.models[0])
			}
			advance(w, at)
			if look[minute] {
				d.compare(rt, w)
			}
		}
	})
}

// compare checks the signals of the world against the twin.
func (d *twin) compare(t *rapid.T, w *World) {
	s := w.models[0].signals(w.now)
	now := w.time(w.now)
	end := int64(now.Truncate(time.Minute).Sub(w.start)) // of the last whole minute
	const minute = int64(time.Minute)
	if end-minute < 0 {
		if s.Arrivals.State() != fleet.SignalUnknown {
			t.Fatalf("arrivals %s before a whole minute has passed", s.Arrivals)
		}
		return
	}
	arrived, _, _, up, busy := d.between(end-minute, end)
	first := int64(0) // of the first whole minute
	if into := minuteOffset(w.start); into > 0 {
		first = minute - into
	}
	_, ended, inSLO, _, _ := d.between(max(first, end-attainmentMinutes*minute), end)
	if got, ok := s.Arrivals.Read(); !ok || math.Abs(got*60-float64(arrived)) > 1e-9 {
		t.Fatalf("at %v arrivals are %s, the twin counts %d in the minute", now, s.Arrivals, arrived)
	}
	if got, ok := s.Attainment.Read(); ok != (ended > 0) || ok && got != float64(inSLO)/float64(ended) {
		t.Fatalf("at %v attainment is %s, the twin counts %d of %d", now, s.Attainment, inSLO, ended)
	}
	if got, ok := s.Utilisation.Read(); ok != (up > 0) || ok && math.Abs(got-float64(busy)/float64(up)) > 1e-12 {
		t.Fatalf("at %v utilisation is %s, the twin has %d of %d", now, s.Utilisation, busy, up)
	}
}
