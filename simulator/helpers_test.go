package simulator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// start is a Monday's midnight, UTC.
var start = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

// testCatalog sells one A100-80 at once, so that queues are alone to be seen.
func testCatalog() fleet.Catalog {
	return fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{{
		Name: "a100", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Limit: 10, Reshape: fleet.ReshapeNode,
		Price: fleet.PerHour(fleet.Micros(3_600_000, "USD")), MinimumBilling: time.Minute, ReshapeTime: fleet.Fixed(time.Minute),
	}}}
}

// testModel serves batches of up to len(seconds) requests on a 1g.10gb slice.
func testModel(name fleet.ModelName, queue fleet.Queue, seconds ...float64) fleet.Model {
	perf := fleet.Performance{Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, Seconds: seconds, MemoryMiB: 1000}
	for i := range seconds {
		perf.Batch = append(perf.Batch, i+1)
	}
	return fleet.Model{
		Name: name, Kind: fleet.Streaming, SLO: fleet.SLO{Limit: time.Second, Target: 0.99},
		Profile: fleet.PerformanceProfile{Name: "p", Unit: "request", Queue: queue, MeanWork: 1, Variants: []fleet.Variant{{Name: "v", Accuracy: 1, Slices: []fleet.Performance{perf}}}},
	}
}

// measure returns the only performance of a model that testModel made.
func measure(m *fleet.Model) *fleet.Performance { return &m.Profile.Variants[0].Slices[0] }

// sevenths is an A100 in seven slices.
func sevenths() fleet.Geometry {
	var g fleet.Geometry
	for i := range 7 {
		g = append(g, fleet.Placement{Profile: "1g.10gb", Start: i})
	}
	return g
}

// halves is an A100 in two slices.
func halves() fleet.Geometry {
	return fleet.Geometry{{Profile: "3g.40gb", Start: 0}, {Profile: "3g.40gb", Start: 4}}
}

// build makes a world.
func build(t testing.TB, cfg Config) *World {
	t.Helper()
	if cfg.Start.IsZero() {
		cfg.Start = start
	}
	if cfg.Catalog.Currency == "" {
		cfg.Catalog = testCatalog()
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// buyNode buys an A100 in sevenths.
func buyNode(id fleet.NodeID) fleet.BuyNode {
	return fleet.BuyNode{Node: id, Offering: "a100", GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: sevenths()}}}
}

// startOn starts a replica of a model on the slice of the node's first GPU.
func startOn(node fleet.NodeID, at int, model fleet.ModelName, id fleet.ReplicaID) fleet.StartReplica {
	return fleet.StartReplica{Replica: id, Model: model, Variant: "v", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: at}}
}

// serveWith puts n replicas of the model on one GPU of the world.
func serveWith(t testing.TB, w *World, name fleet.ModelName, n int) {
	t.Helper()
	do(t, w, buyNode("n"))
	for i := range n {
		do(t, w, startOn("n", i, name, fleet.ReplicaID(fmt.Sprintf("r%d", i))))
	}
}

// do carries out steps that must not be refused.
func do(t testing.TB, w *World, steps ...fleet.Step) {
	t.Helper()
	for _, step := range steps {
		if err := w.Do(t.Context(), "test", step); err != nil {
			t.Fatal(err)
		}
	}
}

// advance lets the world run to a distance from its start.
func advance(w *World, to time.Duration) { w.AdvanceTo(w.start.Add(to)) }

// observe looks at the world.
func observe(t testing.TB, w *World) fleet.Snapshot {
	t.Helper()
	s, err := w.Observe(t.Context(), w.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is a value as JSON, to be compared to the byte.
func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// poisson is steady Poisson traffic with exponential work.
func poisson(t testing.TB, name fleet.ModelName, rate float64, duration time.Duration, seed uint64) traffic.Source {
	t.Helper()
	return generated(t, traffic.Generated{
		Model: name, Shape: traffic.ShapeConstant, Peak: rate, Work: traffic.WorkSpread{Kind: traffic.WorkExponential},
	}, duration, seed)
}

// plain is steady Poisson traffic of average requests.
func plain(t testing.TB, name fleet.ModelName, rate float64, duration time.Duration, seed uint64) traffic.Source {
	t.Helper()
	return generated(t, traffic.Generated{Model: name, Shape: traffic.ShapeConstant, Peak: rate}, duration, seed)
}

func generated(t testing.TB, g traffic.Generated, duration time.Duration, seed uint64) traffic.Source {
	t.Helper()
	source, err := traffic.NewGenerated(g, start, duration, seed)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// list is traffic of which every request is written down.
type list []traffic.Request

// at makes average requests at the given times.
func at(times ...time.Duration) *list {
	var l list
	for _, t := range times {
		l = append(l, traffic.Request{At: t, Work: 1})
	}
	return &l
}

func (l *list) Next() (traffic.Request, bool) {
	if len(*l) == 0 {
		return traffic.Request{}, false
	}
	next := (*l)[0]
	*l = (*l)[1:]
	return next, true
}

// feed is traffic for one model.
func feed(m fleet.ModelName, s traffic.Source) map[fleet.ModelName]traffic.Source {
	return map[fleet.ModelName]traffic.Source{m: s}
}
