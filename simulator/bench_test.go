package simulator

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// endless is Poisson traffic with exponential work that never ends.
type endless struct {
	random *rand.Rand
	gap    float64 // mean nanoseconds between two arrivals
	at     float64
}

func newEndless(rate float64, seed uint64) *endless {
	return &endless{random: rand.New(rand.NewPCG(seed, 1)), gap: 1e9 / rate}
}

func (e *endless) Next() (traffic.Request, bool) {
	e.at += e.gap * e.random.ExpFloat64()
	return traffic.Request{At: time.Duration(e.at), Work: e.random.ExpFloat64()}, true
}

// benchMean is the seconds of service of an average request in the benchmarks.
const benchMean = 0.1

// benchChunk is the number of requests, on average, of one iteration.
const benchChunk = 10_000

// BenchmarkWorld measures simulated requests a second, at a load of 0.8. The
// bare reference is what an M/M/c queue costs that knows nothing else: a heap of
// events, two exponential draws a request and a count.
func BenchmarkWorld(b *testing.B) {
	for _, servers := range []int{4, 28} {
		b.Run(fmt.Sprintf("bare reference/%d servers", servers), func(b *testing.B) {
			q := newBareQueue(servers, newEndless(0.8*float64(servers)/benchMean, 1))
			perRequest(b, func() {
				for range benchChunk {
					q.step()
				}
			})
			if q.served == 0 {
				b.Fatal("nothing was served")
			}
		})
		for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
			for _, size := range []int{1, 8} {
				b.Run(fmt.Sprintf("%s/%d servers/batches of %d", queue, servers, size), func(b *testing.B) {
					w := benchWorld(b, queue, servers, size)
					rate := 0.8 * float64(servers) / benchMean
					chunk := time.Duration(benchChunk / rate * 1e9)
					perRequest(b, func() { w.AdvanceTo(w.Now().Add(chunk)) })
				})
			}
		}
	}
}

// perRequest runs an iteration of benchChunk requests and reports their number a
// second of wall-clock time.
func perRequest(b *testing.B, iteration func()) {
	b.Helper()
	iteration() // queues and heaps reach their size
	b.ReportAllocs()
	for b.Loop() {
		iteration()
	}
	b.ReportMetric(float64(b.N)*benchChunk/b.Elapsed().Seconds(), "requests/s")
}

// benchWorld is one model on so many servers, whose batches of one take
// benchMean and full batches so much longer that they carry the same load.
func benchWorld(b *testing.B, queue fleet.Queue, servers, size int) *World {
	b.Helper()
	var seconds []float64
	for i := range size {
		seconds = append(seconds, benchMean*float64(i+1))
	}
	model := testModel("m", queue, seconds...)
	w, err := New(Config{
		Start: start, Catalog: testCatalog(), Models: []fleet.Model{model}, Seed: 1, Patience: 1000,
		Sources: map[fleet.ModelName]traffic.Source{"m": newEndless(0.8*float64(servers)/benchMean, 1)},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range (servers + 6) / 7 {
		node := fleet.NodeID(fmt.Sprintf("n%d", i))
		do(b, w, fleet.BuyNode{Node: node, Offering: "a100", GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: sevenths()}}})
		for at := range min(7, servers-7*i) {
			do(b, w, fleet.StartReplica{
				Replica: fleet.ReplicaID(fmt.Sprintf("r%d-%d", i, at)), Model: "m", Variant: "v",
				Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: at},
			})
		}
	}
	return w
}

// bareQueue is M/M/c and nothing else.
type bareQueue struct {
	events  heap
	source  *endless
	next    traffic.Request
	waiting []traffic.Request
	free    int
	served  int
	sojourn float64
}

func newBareQueue(servers int, source *endless) *bareQueue {
	q := &bareQueue{source: source, free: servers}
	q.expect()
	return q
}

func (q *bareQueue) expect() {
	q.next, _ = q.source.Next()
	q.events.push(event{at: int64(q.next.At), kind: evArrival})
}

// step runs until one more request has arrived.
func (q *bareQueue) step() {
	for {
		e := q.events.pop()
		if e.kind == evArrival {
			q.waiting = append(q.waiting, q.next)
			q.expect()
		} else {
			q.free++
			q.served++
		}
		if q.free > 0 && len(q.waiting) > 0 {
			r := q.waiting[0]
			q.waiting = q.waiting[:copy(q.waiting, q.waiting[1:])]
			q.free--
			took := int64(r.Work * benchMean * 1e9)
			q.sojourn += float64(e.at + took - int64(r.At))
			q.events.push(event{at: e.at + took, kind: evBatchDone})
		}
		if e.kind == evArrival {
			return
		}
	}
}
