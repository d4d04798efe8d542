package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// struckSessions is a world of one server of two streams with a load of ten seconds,
// on which two sessions begin as soon as they come and a third, of a minute, waits.
func struckSessions(t *testing.T, faults ...Fault) *World {
	t.Helper()
	m := sessionModel("m", 2, time.Minute, 5*time.Minute)
	measure(&m).Load = fleet.Fixed(10 * time.Second)
	w := build(t, Config{Models: []fleet.Model{m}, Faults: faults, Sources: feed("m", &list{
		lasting(20*time.Second, 100*time.Second), lasting(30*time.Second, 200*time.Second), lasting(40*time.Second, 60*time.Second),
	})})
	serveWith(t, w, "m", 1)
	return w
}

// TestSessionsOfACrashMissTheirRest: they are cut, the server begins anew and takes
// the one that waits, and the ends of those that were cut end nothing.
func TestSessionsOfACrashMissTheirRest(t *testing.T) {
	w := struckSessions(t, Fault{At: 60 * time.Second, Kind: ServerCrash})
	advance(w, 60*time.Second)
	if m := balanced(t, w).ByModel["m"]; m.Cut != 2 || m.Dropped != 2 || m.Waiting != 1 {
		t.Errorf("as it crashes, of the model %+v", m)
	}
	if g := w.replicas[0].gpu; len(g.sessions) != 0 || g.active != 0 {
		t.Errorf("its GPU has %d servers of sessions, and %d at work", len(g.sessions), g.active)
	}
	advance(w, 129*time.Second) // the third runs from 70 s to 130 s; one that was cut would have ended at 120 s
	if m := balanced(t, w).ByModel["m"]; m.Served != 0 || m.Waiting != 1 || w.replicas[0].inFlight() != 1 {
		t.Errorf("after it, of the model %+v", m)
	}
	advance(w, time.Hour)
	m := balanced(t, w).ByModel["m"]
	if m.Served != 1 || m.Cut != 2 || m.Dropped != 2 {
		t.Errorf("in the end, of the model %+v", m)
	}
	near(t, "in real time", *m.RealTimeSeconds, 40+30+60)
	near(t, "attainment", *m.Attainment, 130.0/360)
}

// besideABusyNeighbour is a server of ten streams of which eight run, with a ninth
// session that waits, until something befalls the neighbour or its node at 60 s.
func besideABusyNeighbour(t *testing.T, fault Fault) *World {
	t.Helper()
	live, other := sessionModel("live", 10, time.Minute, time.Hour), testModel("other", fleet.CentralQueue, 1000)
	measure(&live).Interference = 0.25
	var sessions list
	for range 9 {
		sessions = append(sessions, lasting(10*time.Second, 100*time.Second))
	}
	w := build(t, Config{
		Models:  []fleet.Model{live, other},
		Sources: map[fleet.ModelName]traffic.Source{"live": &sessions, "other": at(5 * time.Second)},
		Faults:  []Fault{fault},
	})
	do(t, w, buyNode("n"), startOn("n", 0, "other", "b"), startOn("n", 1, "live", "a"))
	advance(w, 60*time.Second-1)
	if m := balanced(t, w).ByModel["live"]; w.replicas[1].inFlight() != 8 || m.Waiting != 9 {
		t.Fatalf("before it %d run, and of the sessions %+v", w.replicas[1].inFlight(), m)
	}
	advance(w, 60*time.Second)
	return w
}

// TestACrashOfANeighbourGivesStreamsBack at once.
func TestACrashOfANeighbourGivesStreamsBack(t *testing.T) {
	w := besideABusyNeighbour(t, Fault{At: 60 * time.Second, Kind: ServerCrash, Model: "other"})
	if m := balanced(t, w).ByModel["live"]; w.replicas[1].inFlight() != 9 || m.Cut != 0 {
		t.Errorf("%d run, and of the sessions %+v", w.replicas[1].inFlight(), m)
	}
}

// TestSessionsOfALostNodeMissTheirRest, and what waits waits on: it is not begun on a
// neighbour that goes in the same instant.
func TestSessionsOfALostNodeMissTheirRest(t *testing.T) {
	w := besideABusyNeighbour(t, Fault{At: 60 * time.Second, Kind: NodeDeath})
	r := balanced(t, w)
	if m := r.ByModel["live"]; m.Cut != 8 || m.Dropped != 8 || m.Waiting != 1 {
		t.Errorf("as the node dies, of the sessions %+v", m)
	}
	if m := r.ByModel["other"]; m.Cut != 1 || m.Dropped != 1 {
		t.Errorf("as the node dies, of the requests %+v", m)
	}
	do(t, w, buyNode("next"), startOn("next", 0, "live", "c"))
	advance(w, time.Hour)
	m := balanced(t, w).ByModel["live"]
	if m.Served != 1 || m.Waiting != 0 {
		t.Errorf("in the end, of the sessions %+v", m)
	}
	near(t, "in real time", *m.RealTimeSeconds, 8*50+100)
}

// TestSessionsOnAStuckGPUEndLate: media goes on while nothing is made of it.
func TestSessionsOnAStuckGPUEndLate(t *testing.T) {
	w := struckSessions(t,
		Fault{At: 60 * time.Second, For: 80 * time.Second, Kind: GPUStuck},
		Fault{At: 100 * time.Second, For: 60 * time.Second, Kind: GPUStuck}) // together from 60 s to 160 s
	advance(w, 110*time.Second)
	near(t, "in real time while it is stuck", *balanced(t, w).ByModel["m"].RealTimeSeconds, 40+30)
	advance(w, time.Hour)
	m := balanced(t, w).ByModel["m"]
	if m.Served != 3 || m.Cut != 0 {
		t.Errorf("of the model %+v", m)
	}
	// From 20 s to 120 s, from 30 s to 230 s, and the third from 120 s to 180 s.
	near(t, "in real time", *m.RealTimeSeconds, 40+(30+70)+20)
	near(t, "attainment", *m.Attainment, 160.0/360)
}

// TestScrapedSessions: attainment and utilisation are those of the scrape that can be
// read, to the second and not to the minute.
func TestScrapedSessions(t *testing.T) {
	m := sessionModel("m", 4, time.Minute, 0)
	w := build(t, Config{
		Models: []fleet.Model{m}, Signals: Scraping{Every: 15 * time.Second, Window: time.Minute, Delay: 5 * time.Second},
		Faults: []Fault{{At: 100 * time.Second, For: time.Hour, Kind: GPUStuck}},
		Sources: feed("m", &list{
			lasting(1, time.Hour), lasting(1, time.Hour), lasting(1, time.Hour), lasting(1, 90*time.Second), lasting(time.Second, 100*time.Second),
		}),
	})
	serveWith(t, w, "m", 1)
	advance(w, 115*time.Second) // the scrape of 105 s: 405 s ran, 15 of them on a stuck GPU, and 100 s were refused
	seen := observe(t, w).Models[0]
	for _, c := range []struct {
		name string
		got  fleet.Signal
		want float64
	}{
		{"attainment", seen.Attainment, 390.0 / 505},
		{"utilisation", seen.Utilisation, (3*60.0 + 45) / 240},
	} {
		v, known := c.got.Read() // counted in milliseconds
		if !known || c.got.Age() != 10*time.Second || math.Abs(v-c.want) > 1e-5 {
			t.Errorf("%s reads %v, %v old, want %v", c.name, c.got, c.got.Age(), c.want)
		}
	}
}
