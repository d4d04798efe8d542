package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestResultOfATinyRun is computed by hand. One GPU is bought at 0 and ready at
// 60 s with two servers, whose weights take 10 s; service takes 20 s, the SLO
// is 30 s. Six requests, one queue:
//
//	came  served      took
//	   0   70 -  90     90  late, while capacity was starting
//	  65   70 -  90     25  in time
//	 100  100 - 120     20  in time
//	 100  100 - 120     20  in time
//	 101  120 - 140     39  late, and nothing was starting
//	 130  130 - 150     20  in time
//
// One of the two GPUs of the node does nothing; the other works from 70 to 90
// and from 100 to 150.
func TestResultOfATinyRun(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 20)
	m.SLO.Limit = 30 * time.Second
	measure(&m).Load = fleet.Fixed(10 * time.Second)
	catalog := testCatalog()
	o := &catalog.Offerings[0]
	o.GPUs, o.Lead = 2, fleet.LeadTime{Node: fleet.Fixed(time.Minute)}
	const s = time.Second
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{m}, Sources: feed("m", at(0, 65*s, 100*s, 100*s, 101*s, 130*s))})
	gpu := fleet.GPU{Type: "a100-80gb", Geometry: sevenths()}
	do(t, w, fleet.BuyNode{Node: "n", Offering: "a100", GPUs: []fleet.GPU{gpu, gpu}}, startOn("n", 0, "m", "r0"), startOn("n", 1, "m", "r1"))
	advance(w, 200*s)
	r := w.Result()
	if r.Requests != 6 || r.Served != 6 || *r.Attainment != 4.0/6 || r.LateWhileStarting != 1 || r.DeadlineMissed != 0 {
		t.Errorf("%d requests, %d served, attainment %v, %d late while starting, %d deadlines missed",
			r.Requests, r.Served, *r.Attainment, r.LateWhileStarting, r.DeadlineMissed)
	}
	if hours := 400.0 / 3600; math.Abs(r.GPUHours-hours) > 1e-12 || math.Abs(r.IdleGPUHours-(hours-70.0/3600)) > 1e-12 {
		t.Errorf("%v GPU-hours, %v idle", r.GPUHours, r.IdleGPUHours)
	}
	if *r.CostUSD != 0.2 || r.ScaleActions != 3 || r.SimulatedSeconds != 200 {
		t.Errorf("%v USD, %d actions, %v s", *r.CostUSD, r.ScaleActions, r.SimulatedSeconds)
	}
	if got := *r.ByModel["m"].Mean; math.Abs(got-(90+25+20+20+39+20)/6.0) > 1e-12 {
		t.Errorf("mean time %v s", got)
	}
}

// TestAttainment: late is served but missed, dropped is missed, and so is what
// waits too long already; what waits and is still in time is left out.
func TestAttainment(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name     string
		kind     fleet.ClassKind
		requests []time.Duration
		serve    bool
		end      time.Duration
		want     float64 // attainment; NaN when there is none
		missed   int64   // deadlines
	}{
		{"nothing came", fleet.Streaming, nil, true, 10 * s, math.NaN(), 0},
		{"nobody served, all in time still", fleet.Streaming, []time.Duration{0, s}, false, s, math.NaN(), 0},
		{"nobody served, one is late to the nanosecond", fleet.Streaming, []time.Duration{0, s}, false, s + 1, 0, 0},
		{"served exactly in time", fleet.Streaming, []time.Duration{0}, true, s, 1, 0},
		{"the second waits and is late", fleet.Streaming, []time.Duration{0, 0}, true, 10 * s, 0.5, 0},
		{"the second is in service, and not late yet", fleet.Streaming, []time.Duration{0, s / 2}, true, 3 * s / 2, 1, 0},
		{"two are dropped", fleet.Streaming, []time.Duration{0, 0}, false, 10 * s, 0, 0},
		{"late asynchronous work misses deadlines", fleet.Async, []time.Duration{0, 0}, true, 10 * s, 0.5, 1},
		{"asynchronous work that waits too long does, too", fleet.Async, []time.Duration{0, 0, 9 * s}, false, 9 * s, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := testModel("m", fleet.CentralQueue, 1)
			m.Kind = c.kind
			w := build(t, Config{Models: []fleet.Model{m}, Patience: 3, Sources: feed("m", at(c.requests...))})
			if c.serve {
				serveWith(t, w, "m", 1)
			}
			advance(w, c.end)
			r := w.Result()
			if math.IsNaN(c.want) != (r.Attainment == nil) || r.Attainment != nil && *r.Attainment != c.want {
				t.Errorf("attainment %v, want %v", text(t, r.Attainment), c.want)
			}
			if r.DeadlineMissed != c.missed {
				t.Errorf("%d deadlines missed, want %d", r.DeadlineMissed, c.missed)
			}
		})
	}
}

// TestLateWhileStarting: what is late counts where a server of its model was
// starting when it ended, or had become ready since it came.
func TestLateWhileStarting(t *testing.T) {
	const s = time.Second
	run := func(t *testing.T, steps func(w *World), requests ...time.Duration) int64 {
		m := testModel("m", fleet.CentralQueue, 1)
		measure(&m).Load = fleet.Fixed(10 * s)
		w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", at(requests...))})
		serveWith(t, w, "m", 1)
		advance(w, 20*s)
		steps(w)
		advance(w, 60*s)
		return w.Result().LateWhileStarting
	}
	t.Run("came before the server was ready", func(t *testing.T) {
		if got := run(t, func(*World) {}, s); got != 1 {
			t.Errorf("%d are late while starting, want 1", got)
		}
	})
	t.Run("came later, and nothing starts", func(t *testing.T) {
		if got := run(t, func(*World) {}, 30*s, 30*s, 30*s); got != 0 {
			t.Errorf("%d are late while starting, want none", got)
		}
	})
	t.Run("came while a second server starts", func(t *testing.T) {
		if got := run(t, func(w *World) { do(t, w, startOn("n", 1, "m", "second")) }, 25*s, 25*s, 25*s); got != 2 {
			t.Errorf("%d are late while starting, want 2", got)
		}
	})
	t.Run("the second server was stopped before", func(t *testing.T) {
		if got := run(t, func(w *World) { do(t, w, startOn("n", 1, "m", "second"), fleet.StopReplica{Replica: "second"}) }, 25*s, 25*s, 25*s); got != 0 {
			t.Errorf("%d are late while starting, want none", got)
		}
	})
	t.Run("waits still, and capacity starts", func(t *testing.T) {
		w := build(t, Config{Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Sources: feed("m", at(0, 5*s))})
		catalog := testCatalog()
		catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Fixed(time.Hour)}
		w.catalog = catalog
		serveWith(t, w, "m", 1)
		advance(w, 5*s)
		if got := w.Result().LateWhileStarting; got != 1 {
			t.Errorf("%d are late while starting, want 1: the other is in time still", got)
		}
	})
}

// TestQuantilesAreRightToOnePerCent, and the mean exactly.
func TestQuantilesAreRightToOnePerCent(t *testing.T) {
	var l latencies
	const n = 100_000
	for i := range n {
		l.add(math.Exp(float64(i)/n*12 - 5)) // 7 ms to 18 min
	}
	for _, p := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		want := math.Exp(p*12 - 5)
		if got := *l.at(p); math.Abs(got-want) > 0.0101*want {
			t.Errorf("the %v quantile is %v, want %v", p, got, want)
		}
	}
	var none latencies
	if none.at(0.5) != nil || none.mean() != nil {
		t.Error("quantiles of nothing")
	}
	var extreme latencies
	extreme.add(0)
	extreme.add(1e12)
	if low, high := *extreme.at(0.5), *extreme.at(1); low != latencyFloor || high < 1e7 {
		t.Errorf("extremes are %v and %v", low, high)
	}
}

// TestSealCoversAllButTheWallClock.
func TestSealCoversAllButTheWallClock(t *testing.T) {
	seal := func(change func(*Result)) string {
		r := build(t, Config{Models: paidModels(), Sources: map[fleet.ModelName]traffic.Source{"a": at(0)}}).Result()
		change(&r)
		if err := r.Seal(); err != nil {
			t.Fatal(err)
		}
		return r.Hash
	}
	plain := seal(func(*Result) {})
	if got := seal(func(r *Result) { r.WallSeconds, r.Hash = 3, "x" }); got != plain {
		t.Error("the wall clock changes the hash")
	}
	if got := seal(func(r *Result) { r.Events++ }); got == plain {
		t.Error("another count has the same hash")
	}
}
