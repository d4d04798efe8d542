package simulator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// every is an average request so often, until an end.
func every(d, until time.Duration) *list {
	var times []time.Duration
	for t := d; t < until; t += d {
		times = append(times, t)
	}
	return at(times...)
}

// struck is a world of one model "m" with a second's service on n slices of one
// GPU, and a request every two seconds for ten minutes.
func struck(t *testing.T, kind fleet.ClassKind, queue fleet.Queue, n int, faults ...Fault) *World {
	t.Helper()
	m := testModel("m", queue, 1)
	m.Kind = kind
	measure(&m).Load = fleet.Fixed(10 * time.Second)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", every(2*time.Second, 10*time.Minute)), Faults: faults})
	serveWith(t, w, "m", n)
	return w
}

// balanced fails where something was lost or made.
func balanced(t *testing.T, w *World) Result {
	t.Helper()
	r := w.Result()
	if err := w.conserved(r); err != nil {
		t.Error(err)
	}
	return r
}

// TestNodeDeath: the node, its servers and its bill end at once. What streamed is
// dropped, asynchronous work comes again, and what waited waits on.
func TestNodeDeath(t *testing.T) {
	for _, kind := range []fleet.ClassKind{fleet.Streaming, fleet.Async} {
		for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
			t.Run(fmt.Sprint(kind, queue), func(t *testing.T) {
				at := 4*time.Minute + 500*time.Millisecond
				w := struck(t, kind, queue, 1, Fault{At: at, Kind: NodeDeath})
				advance(w, at-1)
				if s := observe(t, w); len(s.Nodes) != 1 || s.Replicas[0].InFlight.State() != fleet.SignalValue {
					t.Fatalf("before it there are %s", s.Describe())
				}
				advance(w, at)
				s, r := observe(t, w), balanced(t, w)
				if len(s.Nodes) != 0 || len(s.Replicas) != 0 {
					t.Errorf("after it there are %s", s.Describe())
				}
				dropped, waiting := int64(1), int64(0)
				if kind == fleet.Async {
					dropped, waiting = 0, 1
				}
				if m := r.ByModel["m"]; m.Cut != 1 || m.Dropped != dropped || m.Waiting != waiting || r.NodesLost != 1 {
					t.Errorf("%d nodes were lost, and of the model %+v", r.NodesLost, m)
				}
				advance(w, time.Hour)
				paid := testCatalog().Offerings[0].Price.For(at)
				if r := balanced(t, w); r.Cost.Compare(paid) != 0 || math.Abs(r.GPUHours-at.Hours()) > 1e-9 {
					t.Errorf("it cost %s and %v GPU-hours, want %s and %v", r.Cost, r.GPUHours, paid, at.Hours())
				}
				for _, step := range []fleet.Step{fleet.DrainNode{Node: "n"}, fleet.StopReplica{Replica: "r0"}, fleet.ReturnNode{Node: "n"}} {
					if err := w.Do(t.Context(), "test", step); err != nil {
						t.Errorf("what is gone needs no %s, and it is refused: %v", step.Kind(), err)
					}
				}
			})
		}
	}
}

// TestNodeDeathStrikesSoMany: the nodes that are up, of the offering, as drawn for the
// seed and the fault; those that start are spared.
func TestNodeDeathStrikesSoMany(t *testing.T) {
	left := func(seed uint64) []fleet.NodeID {
		catalog := testCatalog()
		other := catalog.Offerings[0]
		other.Name, other.Lead.Node = "b100", fleet.Fixed(time.Hour)
		catalog.Offerings = append(catalog.Offerings, other)
		w := build(t, Config{Catalog: catalog, Seed: seed, Faults: []Fault{{At: time.Minute, Kind: NodeDeath, Count: 3}}})
		for i := range 8 {
			do(t, w, buyNode(fleet.NodeID(fmt.Sprintf("n%d", i))))
		}
		late := buyNode("late")
		late.Offering = "b100"
		do(t, w, late)
		advance(w, 2*time.Minute)
		var out []fleet.NodeID
		for _, n := range observe(t, w).Nodes {
			out = append(out, n.ID)
		}
		return out
	}
	one := left(1)
	if len(one) != 6 || !slices.Contains(one, "late") {
		t.Errorf("left are %v", one)
	}
	if !slices.Equal(one, left(1)) {
		t.Error("the same seed strikes others")
	}
	differ := false
	for seed := range uint64(5) {
		differ = differ || !slices.Equal(one, left(seed))
	}
	if !differ {
		t.Error("every seed strikes the same")
	}
}

// TestGPUStuck: nothing completes while it holds, the servers are seen to be busy all
// the time, and afterwards they go on where they stood.
func TestGPUStuck(t *testing.T) {
	at := 2*time.Minute + 500*time.Millisecond
	w := struck(t, fleet.Streaming, fleet.CentralQueue, 1, Fault{At: at, For: 3 * time.Minute, Kind: GPUStuck})
	advance(w, at)
	served := w.Result().Served
	advance(w, 5*time.Minute)
	s, r := observe(t, w), balanced(t, w)
	m := s.Model("m")
	if u, known := m.Utilisation.Read(); !known || u != 1 {
		t.Errorf("utilisation reads %v", m.Utilisation)
	}
	if m.Attainment.State() == fleet.SignalZero || r.Served != served {
		t.Errorf("attainment reads %v, and %d were served of which %d before", m.Attainment, r.Served, served)
	}
	if backlog, _ := m.Backlog.Read(); backlog < 80 {
		t.Errorf("backlog reads %v", m.Backlog)
	}
	if idle := r.IdleGPUHours * 3600; math.Abs(idle-61) > 0.5 { // the load, and half of the time once what waited was served
		t.Errorf("idle were %v GPU-seconds", idle)
	}
	// The service that hung had half a second to go.
	advance(w, at+3*time.Minute+500*time.Millisecond-1)
	if got := w.Result().Served; got != served {
		t.Errorf("before its time %d are served", got-served)
	}
	advance(w, at+3*time.Minute+500*time.Millisecond)
	if got := w.Result().Served; got != served+1 {
		t.Errorf("in its time %d are served", got-served)
	}
	advance(w, time.Hour)
	if r := balanced(t, w); r.Waiting != 0 || r.Served != r.Requests {
		t.Errorf("in the end %d wait, and %d of %d are served", r.Waiting, r.Served, r.Requests)
	}
}

// TestGPUStuckHoldsWhoComesLater too, and ends as the node goes.
func TestGPUStuckHoldsWhoComesLater(t *testing.T) {
	w := struck(t, fleet.Async, fleet.LeastLoad, 2,
		Fault{At: 90 * time.Second, For: time.Hour, Kind: GPUStuck}, Fault{At: 2 * time.Minute, For: time.Minute, Kind: GPUStuck}, Fault{At: 5 * time.Minute, Kind: NodeDeath})
	advance(w, 90*time.Second)
	served := w.Result().Served
	do(t, w, startOn("n", 2, "m", "later"))
	advance(w, 4*time.Minute)
	if r := balanced(t, w); r.Served > served {
		t.Errorf("%d were served on a GPU that is stuck", r.Served-served)
	}
	do(t, w, fleet.StopReplica{Replica: "r0"}) // it never ends
	advance(w, 5*time.Minute)
	do(t, w, buyNode("next"), startOn("next", 0, "m", "fresh"))
	advance(w, 2*time.Hour)
	if r := balanced(t, w); r.Served != r.Requests || r.ByModel["m"].Cut != 3 {
		t.Errorf("served are %d of %d, cut were %d", r.Served, r.Requests, r.ByModel["m"].Cut)
	}
}

// TestServerCrash: the server loads again; others of its GPU serve on.
func TestServerCrash(t *testing.T) {
	at := 2*time.Minute + 500*time.Millisecond
	w := struck(t, fleet.Streaming, fleet.LeastLoad, 1, Fault{At: at, Kind: ServerCrash, Model: "m", Offering: "a100"})
	advance(w, at)
	s, r := observe(t, w), balanced(t, w)
	if got := s.Replicas[0]; got.State != fleet.ReplicaPending || !got.Since.Equal(w.Now()) || len(got.Stages) != 0 {
		t.Errorf("it is seen as %+v", got)
	}
	if m := r.ByModel["m"]; m.Cut != 1 || m.Dropped != 1 {
		t.Errorf("of the model %+v", m)
	}
	advance(w, at+10*time.Second)
	if got := observe(t, w).Replicas[0]; got.State != fleet.ReplicaReady || len(got.Stages) != 1 || got.Stages[0].Took() != 10*time.Second {
		t.Errorf("after its load it is seen as %+v", got)
	}
	advance(w, time.Hour)
	if r := balanced(t, w); r.Served != r.Requests-1 || r.Waiting != 0 {
		t.Errorf("served are %d of %d", r.Served, r.Requests)
	}
}

// TestServerCrashLeavesNobodyBehind: what waits at a server that crashes is served by
// the other.
func TestServerCrashLeavesNobodyBehind(t *testing.T) {
	m := testModel("m", fleet.LeastLoad, 10)
	m.Kind = fleet.Async
	measure(&m).Load = fleet.Fixed(time.Hour)
	var now []time.Duration
	for range 8 {
		now = append(now, 2*time.Hour)
	}
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(now...)), Faults: []Fault{{At: 2*time.Hour + time.Second, Kind: ServerCrash}}})
	serveWith(t, w, "m", 2)
	advance(w, 2*time.Hour+80*time.Second)
	if r := balanced(t, w); r.Served != 8 || r.ByModel["m"].Cut != 1 {
		t.Errorf("%d of 8 are served, and %d were cut", r.Served, r.ByModel["m"].Cut)
	}
}

// TestSlowStart: stages of nodes and loads that begin in it take longer.
func TestSlowStart(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Load = fleet.Fixed(20 * time.Second)
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Fixed(time.Minute), Image: fleet.Fixed(30 * time.Second)}
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{m}, Faults: []Fault{{At: time.Minute, For: time.Hour, Kind: SlowStart, Factor: 3, Offering: "a100"}}})
	do(t, w, buyNode("before"), startOn("before", 0, "m", "r"))
	advance(w, time.Minute)
	do(t, w, buyNode("within"))
	advance(w, 10*time.Minute)
	s := observe(t, w)
	for id, want := range map[fleet.NodeID]time.Duration{"before": 90 * time.Second, "within": 270 * time.Second} {
		n, _ := s.Node(id)
		if got := n.ReadyAt.Sub(n.RequestedAt); got != want {
			t.Errorf("%s takes %v, want %v", id, got, want)
		}
	}
	if got := s.Replicas[0].Since.Sub(w.start); got != 150*time.Second {
		t.Errorf("the load ends at %v", got)
	}
}

// TestStockOutIsToldForAWhile: the offering is seen to be unavailable for five
// minutes, then, asked for again, for ten, and no more once one was had.
func TestStockOutIsToldForAWhile(t *testing.T) {
	w := build(t, Config{Faults: []Fault{{At: 0, For: 10 * time.Minute, Kind: StockOut}}})
	refused := func(id fleet.NodeID) {
		if err := w.Do(t.Context(), "test", buyNode(id)); err == nil {
			t.Fatal("it was sold")
		}
	}
	check := func(at, until time.Duration) {
		t.Helper()
		advance(w, at)
		s := observe(t, w).Unavailable
		if until == 0 {
			if len(s) != 0 {
				t.Errorf("at %v unavailable are %+v", at, s)
			}
			return
		}
		if len(s) != 1 || s[0].Offering != "a100" || !s[0].Until.Equal(start.Add(until)) || !strings.Contains(s[0].Cause, "out of stock") {
			t.Errorf("at %v unavailable are %+v, want until %v", at, s, until)
		}
	}
	check(0, 0)
	refused("a")
	check(0, 5*time.Minute)
	refused("b")
	check(5*time.Minute-1, 5*time.Minute)
	check(5*time.Minute, 0)
	refused("c")
	check(6*time.Minute, 15*time.Minute)
	advance(w, 12*time.Minute) // whoever asks all the same gets one
	do(t, w, buyNode("d"))
	check(12*time.Minute, 0)
	if r := balanced(t, w); !r.Cost.IsZero() {
		t.Errorf("what was refused cost %s", r.Cost)
	}
}

// TestQuotaIsToldToo: an offering of which no more may be had is unavailable.
func TestQuotaIsToldToo(t *testing.T) {
	catalog := testCatalog()
	catalog.Offerings[0].Limit = 1
	w := build(t, Config{Catalog: catalog})
	do(t, w, buyNode("a"))
	if err := w.Do(t.Context(), "test", buyNode("b")); err == nil {
		t.Fatal("it was sold")
	}
	if s := observe(t, w).Unavailable; len(s) != 1 || !strings.Contains(s[0].Cause, "limit reached") {
		t.Errorf("unavailable are %+v", s)
	}
}

// TestMetricsFaults: what a controller is told of the model that is concerned, and of
// the other.
func TestMetricsFaults(t *testing.T) {
	type read struct {
		arrivals float64 // NaN: unknown
		age      time.Duration
	}
	nan := math.NaN()
	for _, c := range []struct {
		fault                  Fault
		within, later, outside read // at 5m30s, at 7m30s and at 12m30s
	}{
		{Fault{Kind: MetricsMissing}, read{nan, 0}, read{nan, 0}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsFrozen}, read{4, 90 * time.Second}, read{4, 210 * time.Second}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsFlatline}, read{4, 30 * time.Second}, read{4, 30 * time.Second}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsDelayed, By: 2 * time.Minute}, read{3, 150 * time.Second}, read{5, 150 * time.Second}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsLying, Factor: 0.5}, read{2.5, 30 * time.Second}, read{3.5, 30 * time.Second}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsLying}, read{0, 30 * time.Second}, read{0, 30 * time.Second}, read{10, 30 * time.Second}},
		{Fault{Kind: MetricsNaN}, read{nan, 0}, read{nan, 0}, read{10, 30 * time.Second}},
	} {
		t.Run(fmt.Sprint(c.fault.Kind, c.fault.Factor), func(t *testing.T) {
			c.fault.At, c.fault.For, c.fault.Model = 5*time.Minute, 5*time.Minute, "m"
			if c.fault.Kind == MetricsFrozen || c.fault.Kind == MetricsFlatline {
				c.fault.At = 4*time.Minute + 30*time.Second
			}
			sources := map[fleet.ModelName]traffic.Source{}
			for _, m := range []fleet.ModelName{"m", "o"} { // k requests a second in minute k, counted from 0, at most 10
				var l list
				for k := range 12 {
					for i := range 60 * min(k+1, 10) {
						l = append(l, traffic.Request{At: time.Duration(k)*time.Minute + time.Duration(i)*time.Minute/time.Duration(60*min(k+1, 10)), Work: 1})
					}
				}
				sources[m] = &l
			}
			models := []fleet.Model{testModel("m", fleet.CentralQueue, 0.01), testModel("o", fleet.CentralQueue, 0.01)}
			w := build(t, Config{Models: models, Sources: sources, Faults: []Fault{c.fault}})
			for _, when := range []struct {
				at   time.Duration
				m, o read
			}{
				{5*time.Minute + 30*time.Second, c.within, read{5, 30 * time.Second}},
				{7*time.Minute + 30*time.Second, c.later, read{7, 30 * time.Second}},
				{12*time.Minute + 30*time.Second, c.outside, read{10, 30 * time.Second}},
			} {
				advance(w, when.at)
				s := observe(t, w)
				for name, want := range map[fleet.ModelName]read{"m": when.m, "o": when.o} {
					got, known := s.Model(name).Arrivals.Read()
					if known == math.IsNaN(want.arrivals) || known && math.Abs(got-want.arrivals) > 1e-9 || s.Model(name).Arrivals.Age() != want.age {
						t.Errorf("at %v arrivals of %s read %v, %v old, want %v, %v old", when.at, name, s.Model(name).Arrivals, s.Model(name).Arrivals.Age(), want.arrivals, want.age)
					}
				}
			}
			balanced(t, w)
		})
	}
}

// TestFaultsThatMakeNoSense are refused with what is wrong.
func TestFaultsThatMakeNoSense(t *testing.T) {
	for says, f := range map[string]Fault{
		"is not known":            {Kind: "meteor"},
		"not negative":            {Kind: MetricsMissing, At: -1},
		"count has no effect":     {Kind: StockOut, Count: 2},
		"model has no effect":     {Kind: NodeDeath, Model: "m"},
		"no offering x":           {Kind: NodeDeath, Offering: "x"},
		"no model x":              {Kind: MetricsNaN, Model: "x"},
		"at least 1":              {Kind: SlowStart, Factor: 0.5},
		"must not be negative":    {Kind: MetricsLying, Factor: math.Inf(1)},
		"it never ends":           {Kind: GPUStuck, At: time.Hour, For: math.MaxInt64},
		"of more than 6h0m0s bef": {Kind: MetricsDelayed, By: 7 * time.Hour},
	} {
		_, err := New(Config{Start: start, Catalog: testCatalog(), Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Faults: []Fault{f}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v is answered %v, want %q", f, err, says)
		}
	}
}
