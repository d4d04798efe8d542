package simulator

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestCallersLeaveWhenTheirPatienceEnds: in the instant after it, whether or not
// a server comes to them; until then they are served.
func TestCallersLeaveWhenTheirPatienceEnds(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		t.Run(string(queue)+", nobody serves", func(t *testing.T) {
			w := build(t, Config{Models: []fleet.Model{testModel("m", queue, 1)}, Patience: 3, Sources: feed("m", at(0, time.Second, time.Second))})
			for _, c := range []struct {
				at            time.Duration
				backlog, gone int
			}{
				{3 * time.Second, 3, 0},
				{3*time.Second + 1, 2, 1},
				{4 * time.Second, 2, 1},
				{4*time.Second + 1, 0, 3},
			} {
				advance(w, c.at)
				if m := w.models[0]; m.backlog() != c.backlog || m.dropped != int64(c.gone) {
					t.Errorf("at %v %d wait and %d are gone, want %d and %d", c.at, m.backlog(), m.dropped, c.backlog, c.gone)
				}
			}
		})
		t.Run(string(queue)+", the server is busy", func(t *testing.T) {
			// The server takes 3 s; the second caller waits exactly as long as it
			// would, the third a nanosecond longer.
			w := build(t, Config{Models: []fleet.Model{testModel("m", queue, 3)}, Patience: 3, Sources: feed("m", at(0, 0, 3*time.Second-1))})
			serveWith(t, w, "m", 1)
			advance(w, time.Minute)
			if r := w.Result(); r.Served != 2 || r.Dropped != 1 || r.Waiting != 0 {
				t.Errorf("%d served, %d dropped, %d waiting; want 2, 1, 0", r.Served, r.Dropped, r.Waiting)
			}
		})
	}
}

// TestCallersKeepTheirPatienceWhenTheirServerDrains: a request that moves to
// another server has waited since it came, and goes before younger ones.
func TestCallersKeepTheirPatienceWhenTheirServerDrains(t *testing.T) {
	w := build(t, Config{
		Models: []fleet.Model{testModel("m", fleet.LeastLoad, 10)}, Patience: 12,
		Sources: feed("m", at(1, 2, time.Second, 2*time.Second)),
	})
	serveWith(t, w, "m", 2)
	advance(w, 3*time.Second) // both work, and one waits at each: r0's since 1 s, r1's since 2 s
	do(t, w, fleet.StopReplica{Replica: "r0"})
	queue := &w.replicas[1].queue
	if queue.len() != 2 || queue.first().at != int64(time.Second) {
		t.Fatalf("%d wait at the server that stays, the first since %d", queue.len(), queue.first().at)
	}
	advance(w, 13*time.Second)
	if w.models[0].dropped != 0 {
		t.Fatal("the older one was dropped before its patience ended")
	}
	advance(w, time.Minute)
	if r := w.Result(); r.Served != 3 || r.Dropped != 1 {
		t.Errorf("%d served and %d dropped, want 3 and 1: the younger one has waited 12 s when its turn would be at 20 s", r.Served, r.Dropped)
	}
}

// TestAsynchronousWorkWaitsForEver.
func TestAsynchronousWorkWaitsForEver(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	m.Kind = fleet.Async
	w := build(t, Config{Models: []fleet.Model{m}, Patience: 3, Sources: feed("m", at(0))})
	advance(w, 1000*time.Hour)
	if r := w.Result(); r.Dropped != 0 || r.Waiting != 1 {
		t.Errorf("%d dropped, %d waiting; want 0, 1", r.Dropped, r.Waiting)
	}
}
