package simulator

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestOverloadedServerRunsFullBatches: a server that is never short of work
// completes B requests every s(B) seconds.
func TestOverloadedServerRunsFullBatches(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		t.Run(string(queue), func(t *testing.T) {
			w := build(t, Config{
				Models:  []fleet.Model{testModel("m", queue, 0.1, 0.12, 0.14, 0.16)},
				Sources: feed("m", plain(t, "m", 100, time.Hour, 1)),
			})
			serveWith(t, w, "m", 1)
			advance(w, time.Hour)
			got := float64(w.models[0].served) / 3600
			if want := 4 / 0.16; math.Abs(got-want) > 0.001*want {
				t.Errorf("served %.3f requests a second, B/s(B) is %.3f", got, want)
			}
		})
	}
}

// TestBatchTakesTheMeasuredTime: an idle server takes what waits at once; the
// time is that of the batch's size, times the mean work in it.
func TestBatchTakesTheMeasuredTime(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		name     string
		requests list
		streams  int
		want     []time.Duration // when each request is done
	}{
		{"one average request", list{{At: 0, Work: 1}}, 0, []time.Duration{second}},
		{"one of double work", list{{At: 0, Work: 2}}, 0, []time.Duration{2 * second}},
		{
			"two that wait for one make a batch",
			list{{At: 0, Work: 1}, {At: second / 2, Work: 1}, {At: second / 2, Work: 3}},
			0,
			[]time.Duration{second, 4 * second, 4 * second}, // 1 s + 1.5 s times a mean of 2
		},
		{
			"three that wait are one more than a batch",
			list{{At: 0, Work: 1}, {At: 1, Work: 1}, {At: 1, Work: 1}, {At: 1, Work: 1}},
			0,
			[]time.Duration{second, 5 * second / 2, 5 * second / 2, 7 * second / 2},
		},
		{
			"a server of one stream makes no batches",
			list{{At: 0, Work: 1}, {At: 1, Work: 1}, {At: 1, Work: 1}},
			1,
			[]time.Duration{second, 2 * second, 3 * second},
		},
	} {
		for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
			t.Run(c.name+", "+string(queue), func(t *testing.T) {
				m := testModel("m", queue, 1, 1.5)
				measure(&m).Streams = c.streams
				source := append(list{}, c.requests...)
				w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &source)})
				serveWith(t, w, "m", 1)
				for _, done := range slices.Compact(slices.Clone(c.want)) {
					for _, now := range []time.Duration{done - 1, done} {
						advance(w, now)
						want := 0
						for _, d := range c.want {
							if d <= now {
								want++
							}
						}
						if got := w.models[0].served; got != int64(want) {
							t.Errorf("at %v %d requests are served, want %d", now, got, want)
						}
					}
				}
			})
		}
	}
}

// TestWaitingRequestsMeetAReadyServerAsOneBatch: what came while nobody was
// ready is taken together, not one by one.
func TestWaitingRequestsMeetAReadyServerAsOneBatch(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		t.Run(string(queue), func(t *testing.T) {
			m := testModel("m", queue, 1, 1.5)
			measure(&m).Load = fleet.Fixed(10 * time.Second)
			w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(time.Second, 2*time.Second))})
			serveWith(t, w, "m", 1)
			advance(w, 11500*time.Millisecond)
			if got := w.models[0].served; got != 2 {
				t.Errorf("%d of 2 are served after one batch", got)
			}
		})
	}
}

// TestServersShareWhatAColdStartPiledUp: the second server to become ready takes
// its part of what came before, also with least load.
func TestServersShareWhatAColdStartPiledUp(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		t.Run(string(queue), func(t *testing.T) {
			m := testModel("m", queue, 1)
			measure(&m).Load = fleet.Fixed(time.Second)
			w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(1, 2, 3, 4, 5, 6))})
			do(t, w, buyNode("n"), startOn("n", 0, "m", "r0"))
			advance(w, 500*time.Millisecond)
			do(t, w, startOn("n", 1, "m", "r1")) // ready half a second after r0
			advance(w, 4500*time.Millisecond)
			if got := w.models[0].served; got != 6 {
				t.Errorf("%d of 6 are served by two servers in three seconds each", got)
			}
		})
	}
}

// TestBusyNeighboursLengthen: a batch that begins beside a server at work on the
// same GPU takes longer by the interference factor; one that begins alone, or
// beside an idle server, does not.
func TestBusyNeighboursLengthen(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Interference = 0.25
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(0, 500*time.Millisecond, 10*time.Second))})
	serveWith(t, w, "m", 2)
	advance(w, time.Minute)
	mean := w.models[0].latency.mean()
	if want := (1 + 1.25 + 1) / 3.0; math.Abs(*mean-want) > 1e-9 {
		t.Errorf("mean time %.4f s, want %.4f: alone, beside a busy one, beside an idle one", *mean, want)
	}
}

// TestNeighboursOnAnotherGPUDoNotInterfere: interference stays on a GPU.
func TestNeighboursOnAnotherGPUDoNotInterfere(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Interference = 0.25
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(0, 0))})
	do(t, w, buyNode("a"), buyNode("b"), startOn("a", 0, "m", "ra"), startOn("b", 0, "m", "rb"))
	advance(w, time.Minute)
	if got := *w.models[0].latency.mean(); got != 1 {
		t.Errorf("mean time %.4f s on two GPUs, want 1", got)
	}
}

// TestHeavyTailedWorkKeepsTheLoad: work of mean one keeps the server as busy as
// average requests would.
func TestHeavyTailedWorkKeepsTheLoad(t *testing.T) {
	const duration = 10 * time.Hour
	w := build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 0.1)}, Sources: feed("m", generated(t, traffic.Generated{
		Model: "m", Shape: traffic.ShapeConstant, Peak: 5, Work: traffic.WorkSpread{Kind: traffic.WorkLognormal, CV: 1.5},
	}, duration, 1))})
	serveWith(t, w, "m", 1)
	advance(w, duration)
	r := w.Result()
	if busy := 1 - r.IdleGPUHours/r.GPUHours; math.Abs(busy-0.5) > 0.01 {
		t.Errorf("the GPU worked %.3f of its time at a load of 0.5", busy)
	}
}
