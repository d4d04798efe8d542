package simulator

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// lasting makes a session of a model whose mean is a minute.
func lasting(at, duration time.Duration) traffic.Request {
	return traffic.Request{At: at, Work: duration.Minutes()}
}

func TestSessionsHoldTheirStreamsAndAreRefusedBeyond(t *testing.T) {
	m := sessionModel("m", 2, time.Minute, 0)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &list{
		lasting(10*time.Second, 100*time.Second), lasting(20*time.Second, 50*time.Second),
		lasting(30*time.Second, 40*time.Second), // both streams are taken
		lasting(70*time.Second, 30*time.Second), // in the instant in which one is free again
	})})
	serveWith(t, w, "m", 1)
	advance(w, 90*time.Second)
	r := w.Result().ByModel["m"]
	if r.Requests != 4 || r.Served != 1 || r.Dropped != 1 || r.Waiting != 2 || r.InSLO != 1 {
		t.Errorf("after 90 s %d came, %d ended, %d were refused, %d are there, %d in time", r.Requests, r.Served, r.Dropped, r.Waiting, r.InSLO)
	}
	// Ran so far: 80 + 50 + 20 of 220 seconds asked, of which 30 are still to come.
	near(t, "asked", *r.SessionSeconds, 220)
	near(t, "in real time", *r.RealTimeSeconds, 150)
	near(t, "attainment", *r.Attainment, 150.0/190)
	advance(w, time.Hour)
	r = w.Result().ByModel["m"]
	near(t, "attainment at the end", *r.Attainment, 180.0/220)
	if r.Served != 3 || r.Waiting != 0 {
		t.Errorf("at the end %d ended, %d are there", r.Served, r.Waiting)
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*max(1, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestASessionWaitsForAsLongAsItsLatency(t *testing.T) {
	m := sessionModel("m", 1, time.Minute, 10*time.Second)
	w := build(t, Config{Models: []fleet.Model{m}, Patience: 3, Sources: feed("m", &list{
		lasting(1, 60*time.Second-1), lasting(50*time.Second, 5*time.Second), lasting(51*time.Second, 30*time.Second),
	})})
	serveWith(t, w, "m", 1)
	advance(w, 60*time.Second) // the second waited for ten seconds to the instant
	if running, waits := w.replicas[0].inFlight(), w.models[0].backlog(); running != 1 || waits != 1 {
		t.Errorf("%d run and %d wait", running, waits)
	}
	advance(w, 61*time.Second+1) // the third is refused before its stream would be free at 65 s
	if got := w.models[0].dropped; got != 1 {
		t.Errorf("%d refused", got)
	}
	advance(w, time.Hour)
	r := w.Result().ByModel["m"]
	near(t, "attainment", *r.Attainment, 65.0/95)
}

// TestAStoppedServerGoesWhenItsLastSessionEnds: no session is cut, none begins, and
// its slice and node are in use until then.
func TestAStoppedServerGoesWhenItsLastSessionEnds(t *testing.T) {
	m := sessionModel("m", 8, time.Minute, 0)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &list{
		lasting(1, 10*time.Minute-1), lasting(time.Second, 2*time.Minute), lasting(time.Minute, time.Minute),
	})})
	serveWith(t, w, "m", 1)
	advance(w, 30*time.Second)
	do(t, w, fleet.StopReplica{Replica: "r0"}, fleet.DrainNode{Node: "n"})
	advance(w, 10*time.Minute-1)
	s := observe(t, w)
	if len(s.Replicas) != 1 || s.Replicas[0].State != fleet.ReplicaDraining {
		t.Fatalf("one session still runs, and the replicas are %v", s.Replicas)
	}
	if n, _ := s.Replicas[0].InFlight.Read(); n != 1 {
		t.Errorf("%v in flight", n)
	}
	if err := w.Do(t.Context(), "test", fleet.ReturnNode{Node: "n"}); err == nil {
		t.Error("the node went under a running session")
	}
	advance(w, 10*time.Minute)
	if s := observe(t, w); len(s.Replicas) != 0 {
		t.Errorf("the replicas are %v", s.Replicas)
	}
	r := w.Result().ByModel["m"]
	if r.Served != 2 || r.Dropped != 1 {
		t.Errorf("%d served, %d refused", r.Served, r.Dropped)
	}
	near(t, "in real time", *r.RealTimeSeconds, 720)
}

// TestBusyNeighboursTakeStreams: beside a busy neighbour a server of ten streams holds
// eight. What runs beyond is not in real time, and nothing new begins.
func TestBusyNeighboursTakeStreams(t *testing.T) {
	live, other := sessionModel("live", 10, time.Minute, 0), testModel("other", fleet.CentralQueue, 100)
	measure(&live).Interference = 0.25
	var sessions list
	for range 10 {
		sessions = append(sessions, lasting(1, 1000*time.Second))
	}
	sessions = append(sessions, lasting(250*time.Second, 1000*time.Second)) // refused
	w := build(t, Config{Models: []fleet.Model{live, other}, Sources: map[fleet.ModelName]traffic.Source{
		"live": &sessions, "other": at(200 * time.Second), // busy from 200 s to 300 s
	}})
	do(t, w, buyNode("n"), startOn("n", 0, "live", "a"), startOn("n", 1, "other", "b"))
	advance(w, 250*time.Second)
	near(t, "in real time while the neighbour works", *w.Result().ByModel["live"].RealTimeSeconds, 2500-2*50)
	advance(w, time.Hour)
	r := w.Result().ByModel["live"]
	near(t, "in real time", *r.RealTimeSeconds, 10_000-2*100)
	near(t, "attainment", *r.Attainment, 9_800.0/11_000)
	if r.Served != 10 || r.Dropped != 1 {
		t.Errorf("%d ended, %d refused", r.Served, r.Dropped)
	}
	// One that waits begins as soon as the neighbour is idle.
	live.Profile.WhenFull, live.SLO.Limit = fleet.FullWaits, time.Hour
	sessions = nil
	for range 9 {
		sessions = append(sessions, lasting(250*time.Second, 1000*time.Second))
	}
	w = build(t, Config{Models: []fleet.Model{live, other}, Sources: map[fleet.ModelName]traffic.Source{"live": &sessions, "other": at(200 * time.Second)}})
	do(t, w, buyNode("n"), startOn("n", 0, "live", "a"), startOn("n", 1, "other", "b"))
	advance(w, 300*time.Second-1)
	if got := w.replicas[0].inFlight(); got != 8 {
		t.Errorf("%d run beside a busy neighbour", got)
	}
	advance(w, 300*time.Second)
	if got := w.replicas[0].inFlight(); got != 9 {
		t.Errorf("%d run once the neighbour is idle", got)
	}
}

func TestSessionsOfALostServerMissTheirRest(t *testing.T) {
	m := sessionModel("m", 4, time.Minute, 0)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &list{lasting(1, 100*time.Second), lasting(1, 40*time.Second)})})
	serveWith(t, w, "m", 1)
	advance(w, 60*time.Second)
	w.cutSessions(w.replicas[0])
	advance(w, time.Hour)
	r := w.Result().ByModel["m"]
	if r.Served != 1 || r.Dropped != 1 || r.Waiting != 0 {
		t.Errorf("%d ended, %d cut, %d wait", r.Served, r.Dropped, r.Waiting)
	}
	near(t, "attainment", *r.Attainment, 100.0/140)
}

// TestSignalsOfSessions: what is measured while sessions run.
func TestSignalsOfSessions(t *testing.T) {
	m := sessionModel("m", 4, time.Minute, 0)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &list{
		lasting(1, 90*time.Second), lasting(1, time.Hour), lasting(1, time.Hour), lasting(1, time.Hour), lasting(time.Second, 80*time.Second),
	})})
	serveWith(t, w, "m", 1)
	advance(w, 2*time.Minute)
	s := observe(t, w)
	seen := s.Models[0]
	for _, c := range []struct {
		name string
		got  fleet.Signal
		want float64
	}{
		{"arrivals", seen.Arrivals, 0},
		{"backlog", seen.Backlog, 0},
		{"in flight", s.Replicas[0].InFlight, 3},
		{"utilisation", seen.Utilisation, 3.5 / 4}, // four streams for half of the last minute
		{"attainment", seen.Attainment, 450.0 / 530},
	} {
		v, known := c.got.Read()
		if !known {
			t.Errorf("%s is unknown: %v", c.name, c.got)
		}
		near(t, c.name, v, c.want)
	}
}

// TestTheWholeIsTheMeanOfBothKinds: a session counts as much as a request.
func TestTheWholeIsTheMeanOfBothKinds(t *testing.T) {
	live, other := sessionModel("live", 1, time.Minute, 0), testModel("other", fleet.CentralQueue, 0.1)
	w := build(t, Config{Models: []fleet.Model{live, other}, Sources: map[fleet.ModelName]traffic.Source{
		"live":  &list{lasting(1, time.Minute), lasting(time.Second, 2*time.Minute)},
		"other": at(time.Second, 2*time.Second, 3*time.Second),
	}})
	do(t, w, buyNode("n"), startOn("n", 0, "live", "a"), startOn("n", 1, "other", "b"))
	advance(w, time.Hour)
	r := w.Result()
	near(t, "attainment", *r.Attainment, (3*1+2*(1.0/3))/5)
	if err := w.conserved(r); err != nil {
		t.Error(err)
	}
}

// TestWaitingSessionsBeginInTheirOrder compares the world with a plain account: each
// session in turn takes the stream that is free first, if that is within its patience.
func TestWaitingSessionsBeginInTheirOrder(t *testing.T) {
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		streams, servers := rapid.IntRange(1, 3).Draw(t, "streams"), rapid.IntRange(1, 3).Draw(t, "servers")
		patience := time.Duration(rapid.IntRange(1, 40).Draw(t, "patience")) * time.Second
		var sessions list
		at := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(t, "sessions") {
			at += time.Duration(rapid.IntRange(0, 30_000).Draw(t, "gap"))*time.Millisecond + 1
			sessions = append(sessions, lasting(at, time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds"))*time.Second))
		}
		free := make([]time.Duration, streams*servers)
		begun, waited, seconds := int64(0), 0.0, 0.0
		for _, q := range sessions {
			first := 0
			for i := range free {
				if free[i] < free[first] {
					first = i
				}
			}
			begins := max(q.At, free[first])
			if begins-q.At > patience {
				continue
			}
			lasts := time.Duration((&model{Model: sessionModel("m", 1, time.Minute, 0)}).lasts(request{work: q.Work}))
			free[first] = begins + lasts
			begun, waited, seconds = begun+1, waited+(begins-q.At).Seconds(), seconds+lasts.Seconds()
		}
		feeding := slices.Clone(sessions)
		w, err := New(Config{Start: start, Catalog: testCatalog(), Models: []fleet.Model{sessionModel("m", streams, time.Minute, patience)}, Sources: feed("m", &feeding)})
		if err != nil {
			t.Fatal(err)
		}
		steps := []fleet.Step{buyNode("n")}
		for i := range servers {
			steps = append(steps, startOn("n", i, "m", fleet.ReplicaID([]string{"a", "b", "c"}[i])))
		}
		for _, step := range steps {
			if err := w.Do(ctx, "test", step); err != nil {
				t.Fatal(err)
			}
		}
		advance(w, 24*time.Hour)
		r := w.Result().ByModel["m"]
		if r.Served != begun || r.Dropped != int64(len(sessions))-begun || math.Abs(*r.RealTimeSeconds-seconds) > 1e-6 || begun > 0 && math.Abs(*r.Mean*float64(begun)-waited) > 1e-6 {
			t.Fatalf("%d sessions of %v s ran after waiting for %v s, the account says %d of %v s after %v s", r.Served, *r.RealTimeSeconds, *r.Mean*float64(begun), begun, seconds, waited)
		}
	})
}

// TestASessionAllocatesNothing once the streams of a server were all in use.
func TestASessionAllocatesNothing(t *testing.T) {
	m := sessionModel("m", 20, time.Second, time.Second)
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", newEndless(60, 1))})
	serveWith(t, w, "m", 3)
	advance(w, 10*time.Minute)
	before := w.models[0].served
	if got := testing.AllocsPerRun(5, func() { w.AdvanceTo(w.Now().Add(10 * time.Minute)) }); got > 0 {
		t.Errorf("%v allocations in ten minutes of sessions", got)
	}
	if w.models[0].served-before < 100_000 {
		t.Errorf("only %d sessions ended", w.models[0].served-before)
	}
}
