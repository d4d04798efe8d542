package policy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// streaming is a model with a latency, for queues and work as given.
func streaming(limit time.Duration, target float64, queue fleet.Queue, cv float64) fleet.Model {
	return fleet.Model{
		Name: "m", Class: "live", Kind: fleet.Streaming, SLO: fleet.SLO{Limit: limit, Target: target},
		Profile: fleet.PerformanceProfile{Name: "p", Unit: "request", Queue: queue, MeanWork: 1, WorkCV: cv},
	}
}

func performance(batch []int, seconds []float64) fleet.Performance {
	return fleet.Performance{
		Kind:  fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"},
		Batch: batch, Seconds: seconds, MemoryMiB: 9000,
	}
}

// exponentialServers is the probability that a request of M/M/n takes longer than
// t: Erlang's C and the sum of wait and service (Kleinrock, Queueing Systems I).
func exponentialServers(n int, arrivals, service, t float64) float64 {
	offered := arrivals / service
	blocked := 1.0 // Erlang B, by its recursion
	for k := 1; k <= n; k++ {
		blocked = offered * blocked / (float64(k) + offered*blocked)
	}
	load := offered / float64(n)
	waits := blocked / (1 - load*(1-blocked))
	spare := float64(n)*service - arrivals
	if math.Abs(spare-service) < 1e-9 {
		return math.Exp(-service*t) * (1 + waits*service*t)
	}
	return (1-waits)*math.Exp(-service*t) +
		waits*(spare*math.Exp(-service*t)-service*math.Exp(-spare*t))/(spare-service)
}

func TestCapacityOfSingleRequestServersIsThatOfTheory(t *testing.T) {
	for _, n := range []int{1, 2, 4, 16} {
		for _, target := range []float64{0.9, 0.99, 0.999} {
			for _, limit := range []float64{0.8, 1.5, 4} {
				const service = 10.0 // requests a second
				m := streaming(time.Duration(limit*float64(time.Second)), target, fleet.CentralQueue, 1)
				got := policy.NewSizer().Capacity(m, performance([]int{1}, []float64{1 / service}), n)
				want := 0.0
				for step := 1 / 1024.0; exponentialServers(n, want+step, service, limit) <= 1-target && want+step < service*float64(n); {
					want += step
				}
				if got > want*1.005 || got < want*0.98 {
					t.Errorf("n=%d, %v within %vs: capacity %.4g/s, theory has %.4g/s", n, target, limit, got, want)
				}
			}
		}
	}
}

// drawn is a performance whose batch times are concave, as measured ones are:
// a larger batch takes longer, and serves more a second.
func drawn(t *rapid.T) fleet.Performance {
	alone := rapid.Float64Range(0.005, 2).Draw(t, "alone")
	perf := performance([]int{1}, []float64{alone})
	for range rapid.IntRange(0, 3).Draw(t, "sizes") {
		last := len(perf.Batch) - 1
		factor := rapid.IntRange(2, 5).Draw(t, "factor")
		stretch := rapid.Float64Range(1, float64(factor)).Draw(t, "stretch")
		perf.Batch = append(perf.Batch, perf.Batch[last]*factor)
		perf.Seconds = append(perf.Seconds, perf.Seconds[last]*stretch)
	}
	perf.Interference = rapid.Float64Range(0, 0.5).Draw(t, "interference")
	return perf
}

func drawnModel(t *rapid.T) fleet.Model {
	queue := rapid.SampledFrom([]fleet.Queue{fleet.CentralQueue, fleet.LeastLoad}).Draw(t, "queue")
	limit := time.Duration(rapid.IntRange(10, 20_000).Draw(t, "limit_ms")) * time.Millisecond
	cv := rapid.SampledFrom([]float64{0, 0.01, 0.3, 0.7, 1, 1.5, 4}).Draw(t, "cv")
	m := streaming(limit, rapid.Float64Range(0.8, 0.9995).Draw(t, "target"), queue, cv)
	if rapid.IntRange(0, 4).Draw(t, "async") == 0 {
		m.Kind = fleet.Async
	}
	return m
}

func TestCapacityIsFiniteBoundedAndGrowsWithReplicasLatencyAndTolerance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, perf := drawnModel(t), drawn(t)
		s := policy.NewSizer()
		n := rapid.IntRange(1, 30).Draw(t, "n")
		base := s.Capacity(m, perf, n)
		if !(base >= 0) || base > float64(n)*perf.Throughput()*(1+1e-9) {
			t.Fatalf("capacity of %d is %v, throughput %v each", n, base, perf.Throughput())
		}
		const slack = 1 - 1e-6
		if more := s.Capacity(m, perf, n+1); more < base*slack {
			t.Errorf("%d replicas carry %v, one more only %v", n, base, more)
		}
		laxer := m
		laxer.SLO.Limit = m.SLO.Limit * 5 / 4
		if more := s.Capacity(laxer, perf, n); more < base*slack {
			t.Errorf("within %v they carry %v, within %v only %v", m.SLO.Limit, base, laxer.SLO.Limit, more)
		}
		laxer = m
		laxer.SLO.Target = m.SLO.Target - 0.05
		if more := s.Capacity(laxer, perf, n); more < base*slack {
			t.Errorf("for %v they carry %v, for %v only %v", m.SLO.Target, base, laxer.SLO.Target, more)
		}
		if again := policy.NewSizer().Capacity(m, perf, n); again != base {
			t.Errorf("a sizer without memory says %v, with memory %v", again, base)
		}
	})
}

func TestReplicasIsTheSmallestNumberThatCarriesTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, perf := drawnModel(t), drawn(t)
		s := policy.NewSizer()
		rate := perf.Throughput() * rapid.Float64Range(0.01, 25).Draw(t, "load")
		n := s.Replicas(m, perf, rate)
		if s.Capacity(m, perf, 1) == 0 {
			if n != policy.Infeasible {
				t.Fatalf("infeasible, and yet %d replicas", n)
			}
			return
		}
		if n < 1 || s.Capacity(m, perf, n) < rate || n > 1 && s.Capacity(m, perf, n-1) >= rate {
			t.Errorf("%d replicas for %v: they carry %v, one less %v", n, rate, s.Capacity(m, perf, n), s.Capacity(m, perf, n-1))
		}
	})
}

func TestNoTrafficNeedsNoReplicaAndTooSlowASliceHasNoCapacity(t *testing.T) {
	s := policy.NewSizer()
	perf := performance([]int{1}, []float64{0.29})
	perf.Interference = 0.05 // 0.3045 s
	m := streaming(300*time.Millisecond, 0.99, fleet.LeastLoad, 0)
	if c := s.Capacity(m, perf, 100); c != 0 {
		t.Errorf("capacity %v of a slice on which one request takes longer than the limit", c)
	}
	if n := s.Replicas(m, perf, 0.001); n != policy.Infeasible {
		t.Errorf("%d replicas where no number would do", n)
	}
	if n := s.Replicas(m, perf, 0); n != 0 {
		t.Errorf("%d replicas for no traffic", n)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), -1} {
		if !panics(func() { s.Replicas(m, perf, bad) }) {
			t.Errorf("a rate of %v is accepted", bad)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// At the capacity the replayed pool keeps the promise within a part of a percent.
// The cases are those on which batching, phases and routing bear most.
func TestPoolsReplayedAtTheirCapacityKeepTheirPromise(t *testing.T) {
	batched := performance([]int{1, 8, 32}, []float64{0.074, 0.11, 0.25})
	single := performance([]int{1}, []float64{0.1})
	s := policy.NewSizer()
	for _, perf := range []fleet.Performance{single, batched} {
		for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
			for _, cv := range []float64{0, 0.5, 1} {
				for _, n := range []int{1, 4} {
					m := streaming(time.Second, 0.99, queue, cv)
					rate := s.Capacity(m, perf, n)
					got := served(rand.New(rand.NewPCG(1, 2)), m, perf, n, rate, 30_000)
					if got < 0.985 {
						t.Errorf("%d servers of batches of %d, %s, variation %v: %.4f in time at %.4g/s", n, perf.MaxBatch(), queue, cv, got, rate)
					}
					// And not by leaving much of the pool idle.
					if more := served(rand.New(rand.NewPCG(1, 2)), m, perf, n, rate*1.08+0.05*float64(n), 30_000); more > 0.9999 && rate*1.08 < float64(n)*perf.Throughput() {
						t.Errorf("%d servers of batches of %d, %s, variation %v: %.4f in time at 8%% above %.4g/s", n, perf.MaxBatch(), queue, cv, more, rate)
					}
				}
			}
		}
	}
}

func BenchmarkCapacityUncached(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		for _, cv := range []float64{0, 0.7} {
			b.Run(fmt.Sprintf("n=%d/cv=%v", n, cv), func(b *testing.B) {
				m := streaming(time.Second, 0.99, fleet.LeastLoad, cv)
				perf := performance([]int{1, 8, 32}, []float64{0.074, 0.11, 0.25})
				for b.Loop() {
					policy.NewSizer().Capacity(m, perf, n)
				}
			})
		}
	}
}

func BenchmarkCapacityCached(b *testing.B) {
	m := streaming(time.Second, 0.99, fleet.LeastLoad, 0.7)
	perf := performance([]int{1, 8, 32}, []float64{0.074, 0.11, 0.25})
	s := policy.NewSizer()
	for b.Loop() {
		s.Capacity(m, perf, 10)
	}
}
