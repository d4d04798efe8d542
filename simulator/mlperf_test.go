package simulator

import (
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// The published results of MLPerf Inference v2.0, closed division, NVIDIA, that the
// profiles of configs/profiles.yaml were made from: what one server does when it is
// run in the world must be what was measured, within five per cent. SingleStream: the
// next query comes when the last is answered, 90th percentile. Server: most Poisson
// queries a second with 99 % within the bound.
var mlperf = []struct {
	profile       fleet.PerformanceName
	kind          fleet.SliceKind
	single, bound time.Duration
	server        float64
}{
	{"rnnt-mlperf", fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, 74300 * time.Microsecond, time.Second, 1349.55},
	{"rnnt-mlperf", fleet.SliceKind{GPU: "a100-80gb", Profile: fleet.WholeGPU}, 21600 * time.Microsecond, time.Second, 103999.69 / 8},
	{"rnnt-mlperf", fleet.SliceKind{GPU: "a30-24gb", Profile: "1g.6gb"}, 76000 * time.Microsecond, time.Second, 1100.24},
	{"rnnt-mlperf", fleet.SliceKind{GPU: "a30-24gb", Profile: fleet.WholeGPU}, 24800 * time.Microsecond, time.Second, 36989.1 / 8},
	{"bert-mlperf", fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, 5350 * time.Microsecond, 130 * time.Millisecond, 379.98},
	{"bert-mlperf", fleet.SliceKind{GPU: "a100-80gb", Profile: fleet.WholeGPU}, 1550 * time.Microsecond, 130 * time.Millisecond, 25792.11 / 8},
	{"bert-mlperf", fleet.SliceKind{GPU: "a30-24gb", Profile: "1g.6gb"}, 5850 * time.Microsecond, 130 * time.Millisecond, 379.98},
	{"bert-mlperf", fleet.SliceKind{GPU: "a30-24gb", Profile: fleet.WholeGPU}, 2200 * time.Microsecond, 130 * time.Millisecond, 11491.25 / 8},
}

func TestServersDoWhatMLPerfMeasured(t *testing.T) {
	const file = "../configs/profiles.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := strictyaml.Parse(file, data)
	profiles := policy.DecodeProfiles(doc)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range mlperf {
		t.Run(string(c.profile)+" on "+c.kind.String(), func(t *testing.T) {
			model := measuredOn(t, profiles, c.profile, c.kind, c.bound)
			measured(t, "SingleStream, s", singleStream(t, model), c.single.Seconds())
			measured(t, "Server, queries/s", serverRate(t, model), c.server)
		})
	}
}

func measured(t *testing.T, what string, got, want float64) {
	t.Helper()
	t.Logf("%s: %.5g, measured %.5g", what, got, want)
	if math.Abs(got-want) > 0.05*want {
		t.Errorf("%s: %.5g is more than 5 %% from the %.5g measured", what, got, want)
	}
}

// measuredOn is a model of the profile that was measured on one kind of slice only.
func measuredOn(t *testing.T, profiles []fleet.PerformanceProfile, name fleet.PerformanceName, kind fleet.SliceKind, bound time.Duration) fleet.Model {
	t.Helper()
	p := profiles[slices.IndexFunc(profiles, func(p fleet.PerformanceProfile) bool { return p.Name == name })]
	perf, ok := p.Variants[0].On(kind)
	if !ok {
		t.Fatalf("%s has nothing on %s", name, kind)
	}
	p.Variants = []fleet.Variant{{Name: "v", Accuracy: 1, Slices: []fleet.Performance{perf}}}
	return fleet.Model{Name: "m", Kind: fleet.Streaming, SLO: fleet.SLO{Limit: bound, Target: 0.99}, Profile: p}
}

// oneServer is a world with one server of the model, which is ready at once.
func oneServer(t *testing.T, m fleet.Model, source traffic.Source) *World {
	t.Helper()
	perf := measure(&m)
	perf.Load = fleet.Delay{}
	catalog := testCatalog()
	catalog.Offerings[0].GPU = perf.Kind.GPU
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{m}, Sources: feed("m", source)})
	geometry := fleet.Geometry{{Profile: perf.Kind.Profile}}
	do(t, w, fleet.BuyNode{Node: "n", Offering: "a100", GPUs: []fleet.GPU{{Type: perf.Kind.GPU, Geometry: geometry}}}, startOn("n", 0, "m", "r"))
	return w
}

// singleStream is the 90th percentile of the time of queries that come one by one.
func singleStream(t *testing.T, m fleet.Model) float64 {
	t.Helper()
	alone := m.Profile.Variants[0].Slices[0].BatchSeconds(1)
	var queries list // each long after the one before is answered
	for i := range 1000 {
		queries = append(queries, traffic.Request{At: time.Duration(float64(i) * 2 * alone * 1e9), Work: 1})
	}
	w := oneServer(t, m, &queries)
	advance(w, time.Duration(2100*alone*1e9))
	return *w.models[0].latency.at(0.9)
}

// serverRate is the largest Poisson rate at which 99 % are within the bound, by
// bisection: each rate is tried with twenty thousand queries, or for sixty bounds.
func serverRate(t *testing.T, m fleet.Model) float64 {
	t.Helper()
	low, high := 0.0, 2*m.Profile.Variants[0].Slices[0].Throughput()
	for range 12 {
		rate := (low + high) / 2
		duration := time.Duration(math.Max(20_000/rate*1e9, 60*float64(m.SLO.Limit)))
		w := oneServer(t, m, plain(t, "m", rate, duration, 1))
		advance(w, duration)
		if r := w.Result(); *r.Attainment >= 0.99 {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}
