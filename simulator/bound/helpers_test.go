package bound_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/bound"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

var begin = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

// recording is a source that lies in memory.
type recording []traffic.Request

func (r *recording) Next() (traffic.Request, bool) {
	if len(*r) == 0 {
		return traffic.Request{}, false
	}
	next := (*r)[0]
	*r = (*r)[1:]
	return next, true
}

// play opens a recording from its beginning.
func play(requests []traffic.Request) traffic.Source {
	r := recording(requests)
	return &r
}

// offering is a node type that starts at once unless it is told otherwise.
func offering(name fleet.OfferingName, gpu fleet.GPUType, gpus, limit int, price int64, lead fleet.Delay) fleet.Offering {
	return fleet.Offering{
		Name: name, GPU: gpu, GPUs: gpus, Limit: limit, Purchase: fleet.OnDemand, Price: fleet.PerHour(fleet.Micros(price, "USD")),
		MinimumBilling: time.Minute, Reshape: fleet.ReshapeNode, ReshapeTime: fleet.Fixed(time.Minute), Lead: fleet.LeadTime{Node: lead},
	}
}

// on is a performance on a kind of slice of an A100: batches of 1, 2, ... take
// these seconds.
func on(profile fleet.ProfileName, load fleet.Delay, seconds ...float64) fleet.Performance {
	p := fleet.Performance{Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: profile}, Seconds: seconds, MemoryMiB: 1000, Load: load}
	for i := range seconds {
		p.Batch = append(p.Batch, i+1)
	}
	return p
}

func model(name fleet.ModelName, limit time.Duration, on ...fleet.Performance) fleet.Model {
	kind := fleet.Streaming
	if limit > time.Minute {
		kind = fleet.Async
	}
	return fleet.Model{
		Name: name, Kind: kind, SLO: fleet.SLO{Limit: limit, Target: 0.99}, MaxReplicas: 100,
		Profile: fleet.PerformanceProfile{
			Name: fleet.PerformanceName(name), Unit: "request", Queue: fleet.CentralQueue, MeanWork: 1,
			Variants: []fleet.Variant{{Name: "v", Accuracy: 1, Slices: on}},
		},
	}
}

func settings(models []fleet.Model, offerings ...fleet.Offering) control.Settings {
	s := control.Settings{Catalog: fleet.Catalog{Currency: "USD", Offerings: offerings}, Policy: policy.Policy{Currency: "USD", Models: models}}
	s.Catalog.Sort()
	for _, o := range s.Catalog.Offerings {
		s.Policy.Offerings = append(s.Policy.Offerings, o.Name)
	}
	return s
}

// scene is a small world with its traffic.
type scene struct {
	settings control.Settings
	duration time.Duration
	seed     uint64
	traffic  map[fleet.ModelName][]traffic.Request
	faults   []simulator.Fault
	reserved []simulator.Reservation
}

func (s *scene) world(t testing.TB) *simulator.World {
	t.Helper()
	sources := map[fleet.ModelName]traffic.Source{}
	for m, requests := range s.traffic {
		sources[m] = play(requests)
	}
	w, err := simulator.New(simulator.Config{
		Start: begin, Catalog: s.settings.Catalog, Models: s.settings.Policy.Models, Sources: sources, Seed: s.seed, Faults: s.faults, Reserved: s.reserved,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// input asks for the bound of what was served in the scene.
func (s *scene) input(inSLO map[fleet.ModelName]int64) bound.Input {
	in := bound.Input{
		Start: begin, Duration: s.duration, Settings: s.settings, InSLO: inSLO, Reserved: fleet.Micros(0, "USD"),
		Open:      func(m fleet.ModelName) (traffic.Source, error) { return play(s.traffic[m]), nil },
		NodeStart: func(o fleet.Offering, n int) time.Duration { return simulator.NodeStart(s.seed, o, n) },
	}
	for _, r := range s.reserved {
		for range r.Nodes {
			in.Reserved = in.Reserved.Add(r.Price.For(s.duration))
		}
	}
	return in
}

func compute(t testing.TB, in bound.Input) bound.Answer {
	t.Helper()
	a, err := bound.Compute(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func do(t testing.TB, w *simulator.World, steps ...fleet.Step) {
	t.Helper()
	for _, step := range steps {
		if err := w.Do(t.Context(), "test", step); err != nil {
			t.Fatal(err)
		}
	}
}

// buy asks for a node whose GPUs are all cut alike, whole where no cut is given.
func buy(id fleet.NodeID, o fleet.Offering, g fleet.Geometry) fleet.BuyNode {
	if g == nil {
		g = fleet.Geometry{{Profile: fleet.WholeGPU}}
	}
	step := fleet.BuyNode{Node: id, Offering: o.Name}
	for range o.GPUs {
		step.GPUs = append(step.GPUs, fleet.GPU{Type: o.GPU, Geometry: g})
	}
	return step
}

// evenly is one request of work 1 every gap.
func evenly(from, to, gap time.Duration) []traffic.Request {
	var out []traffic.Request
	for at := from; at < to; at += gap {
		out = append(out, traffic.Request{At: at, Work: 1})
	}
	return out
}

// scattered is Poisson traffic of works around 1.
func scattered(r *rand.Rand, from, to time.Duration, rate float64) []traffic.Request {
	var out []traffic.Request
	for at := from.Seconds() + r.ExpFloat64()/rate; at < to.Seconds(); at += r.ExpFloat64() / rate {
		out = append(out, traffic.Request{At: time.Duration(at * 1e9), Work: math.Exp(0.5*r.NormFloat64() - 0.125)})
	}
	return out
}

func computeErr(t testing.TB, in bound.Input) (bound.Answer, error) {
	return bound.Compute(t.Context(), in)
}
