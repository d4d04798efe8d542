package clairvoyant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// list yields requests.
type list []traffic.Request

func (l *list) Next() (traffic.Request, bool) {
	if len(*l) == 0 {
		return traffic.Request{}, false
	}
	next := (*l)[0]
	*l = (*l)[1:]
	return next, true
}

const gpu = fleet.GPUType("a100-80gb")

// small is a fleet of two models on slices and whole GPUs that start at once.
func small(queue fleet.Queue) control.Settings {
	perf := func(kind fleet.ProfileName, one, eight float64) fleet.Performance {
		return fleet.Performance{
			Kind: fleet.SliceKind{GPU: gpu, Profile: kind}, Batch: []int{1, 8}, Seconds: []float64{one, eight},
			MemoryMiB: 4000, Load: fleet.Fixed(10 * time.Second),
		}
	}
	profile := fleet.PerformanceProfile{Name: "p", Unit: "request", Queue: queue, MeanWork: 1, Variants: []fleet.Variant{
		{Name: "fp16", Accuracy: 1, Slices: []fleet.Performance{perf("1g.10gb", 1, 3), perf("3g.40gb", 0.5, 1.2), perf(fleet.WholeGPU, 0.2, 0.5)}},
	}}
	model := func(name fleet.ModelName) fleet.Model {
		return fleet.Model{
			Name: name, Kind: fleet.Streaming, SLO: fleet.SLO{Limit: 4 * time.Second, Target: 0.95}, MinReplicas: 1, MaxReplicas: 40, Profile: profile,
		}
	}
	return control.Settings{
		Policy: policy.Policy{Currency: "USD", Models: []fleet.Model{model("a"), model("b")}, Offerings: []fleet.OfferingName{"one"}},
		Catalog: fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{{
			Name: "one", GPU: gpu, GPUs: 1, Limit: 6, Price: fleet.PerHour(fleet.Micros(4_000_000, "USD")),
			Lead: fleet.LeadTime{Node: fleet.Fixed(3 * time.Minute)}, MinimumBilling: time.Minute,
		}}},
	}
}

// day draws arrivals whose rate goes up and down by the hour.
func day(seed uint64, hours int, rate float64) list {
	draws := rand.New(rand.NewPCG(seed, 7))
	var out list
	for at := 0.0; at < float64(hours)*3600; {
		now := rate
		if int(at/3600)%2 == 1 {
			now /= 6
		}
		at += draws.ExpFloat64() / now
		out = append(out, traffic.Request{At: time.Duration(at * 1e9), Work: 0.5 + draws.Float64()})
	}
	return out
}

// TestReplayIsWhatTheWorldDoes: servers that stand from the start miss in the replay
// of one bin what they miss in a world.
func TestReplayIsWhatTheWorldDoes(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		for _, rate := range []float64{1, 4, 6, 9} {
			t.Run(fmt.Sprintf("%s at %v", queue, rate), func(t *testing.T) {
				settings := small(queue)
				o := &settings.Catalog.Offerings[0]
				o.Lead = fleet.LeadTime{}
				for _, m := range settings.Policy.Models {
					for i := range m.Profile.Variants[0].Slices {
						m.Profile.Variants[0].Slices[i].Load = fleet.Delay{}
					}
				}
				came := day(3, 1, rate)
				shop, err := newShop(settings)
				if err != nil {
					t.Fatal(err)
				}
				b := newBins(time.Hour, time.Hour, time.Hour)
				again := came
				a, err := readArrivals(context.Background(), "a", &again, b)
				if err != nil {
					t.Fatal(err)
				}
				d := newDemand(settings.Policy.Models[0], a, shop.servers[0], b, 0, 1)
				two := machine{-1, []int{0, 0}}
				var m mix
				for i, g := range shop.geometries {
					if len(g.kinds) == 2 && g.cut[0].Profile == "3g.40gb" && g.cut[1].Profile == "3g.40gb" {
						two.geometry, m = i, m.more(g.kinds[0], 2)
					}
				}
				if two.geometry < 0 {
					t.Fatal("no geometry of two 3g.40gb")
				}
				p := &Planner{need: need{shop: shop, demands: []*demand{d}}, bins: b, in: Input{NodeStart: func(fleet.Offering, int) time.Duration { return 0 }}}
				schedule := p.schedule(route{parks: []*park{newPark(shop, []machine{two})}})
				got := d.misses(0, m)
				world := newWorld(t, settings, map[fleet.ModelName]list{"a": came})
				result := drive(t, world, settings, schedule, 2*time.Hour)
				want := result.ByModel["a"].Served - result.ByModel["a"].InSLO
				if int64(got) != want {
					t.Errorf("the replay misses %v of %d, the world %d", got, len(a.at), want)
				}
			})
		}
	}
}

func newWorld(t *testing.T, s control.Settings, came map[fleet.ModelName]list) *simulator.World {
	t.Helper()
	cfg := simulator.Config{Start: begin, Catalog: s.Catalog, Models: s.Policy.Models, Seed: 1, Sources: map[fleet.ModelName]traffic.Source{}}
	for name, l := range came {
		cfg.Sources[name] = &l
	}
	w, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var begin = time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)

func drive(t *testing.T, w *simulator.World, s control.Settings, schedule *Schedule, d time.Duration) simulator.Result {
	t.Helper()
	every := 15 * time.Second
	r, err := simulator.Run{World: w, Duration: d, Every: every, Policy: s.Policy}.Drive(context.Background(), schedule.Player(w, w, begin, every))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
