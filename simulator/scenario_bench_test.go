package simulator_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// BenchmarkFiveLanguages runs two weeks of the five languages, drawing of arrivals and
// work included, on a fleet that stands, and the bare loop with as many requests right
// after: what the world costs a request, as a share of what a queue costs at least. The
// heap is measured after a day and at the end: it holds what is in the world, not what
// was. Nobody decides anything meanwhile.
func BenchmarkFiveLanguages(b *testing.B) {
	s, err := scenario.Loader{Open: func(path string) (io.ReadCloser, error) { return os.Open(path) }}.Load("../configs/scenarios/five-languages.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w, err := s.World(1)
		if err != nil {
			b.Fatal(err)
		}
		stand(b, w, s)
		begun := time.Now()
		w.AdvanceTo(s.Start.Add(24 * time.Hour))
		day := heapBytes()
		w.AdvanceTo(s.Start.Add(s.Duration))
		world := time.Since(begun)
		end := heapBytes()
		r := w.Result()
		bare := simulator.NewBareLoop(28)
		begun = time.Now()
		bare.Run(r.Requests)
		reference := time.Since(begun)
		b.ReportMetric(float64(r.Requests)/world.Seconds(), "requests/s")
		b.ReportMetric(reference.Seconds()/world.Seconds(), "of-the-bare-loop")
		b.ReportMetric(float64(day)/(1<<20), "MiB-after-a-day")
		b.ReportMetric(float64(end)/(1<<20), "MiB-at-the-end")
	}
}

// heapBytes is what lives on the heap.
func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// stand buys whole A100s and puts as many servers of each model on them as carry its
// peaks.
func stand(b *testing.B, w *simulator.World, s *scenario.Scenario) {
	b.Helper()
	servers := map[fleet.ModelName]int{"transcribe-en": 4, "translate-en": 2, "summarize-en": 2}
	for _, m := range s.Settings.Policy.Models {
		for i := range max(1, servers[m.Name]) {
			node := fleet.NodeID(fmt.Sprintf("%s-%d", m.Name, i))
			gpu := fleet.GPU{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: fleet.WholeGPU}}}
			for _, step := range []fleet.Step{
				fleet.BuyNode{Node: node, Offering: "a2-ultragpu-1g", GPUs: []fleet.GPU{gpu}},
				fleet.StartReplica{Replica: fleet.ReplicaID(node), Model: m.Name, Variant: "fp16", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node}}},
			} {
				if err := w.Do(b.Context(), "bench", step); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}
