package bound_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestNobodyBeatsTheBound runs schedules in the world that were made with
// knowledge of everything: nodes come just before the work and go right after it,
// slow ones are given back at once. Whatever they serve, the bound of it is not
// above what they paid.
func TestNobodyBeatsTheBound(t *testing.T) {
	const cases = 250
	var ratios []float64
	for seed := range uint64(cases) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := randomScene(r, seed)
		w := s.world(t)
		attack(t, r, s, w)
		w.AdvanceTo(begin.Add(s.duration))
		result := w.Result()
		served, any := map[fleet.ModelName]int64{}, int64(0)
		for _, m := range s.settings.Policy.Models {
			of := result.ByModel[string(m.Name)]
			served[m.Name] = of.InSLO
			if of.RealTimeSeconds != nil {
				served[m.Name] = int64(*of.RealTimeSeconds)
			}
			any += served[m.Name]
		}
		in := s.input(served)
		if seed%4 < 2 {
			in.LoadScores = func(m fleet.ModelName) []float64 { return simulator.LoadScores(s.seed, m, 400) }
		}
		a := compute(t, in)
		if result.Cost.Less(a.LowerBound) {
			t.Fatalf("case %d: the bound is %s, and %d requests were served in time for %s\nparts %+v\nchosen %+v\nmodels %+v",
				seed, a.LowerBound, any, result.Cost, a.Parts, a.Chosen, a.Models)
		}
		if any > 0 {
			ratios = append(ratios, a.LowerBound.Float()/result.Cost.Float())
		}
	}
	slices.Sort(ratios)
	tightest := ratios[len(ratios)-1]
	t.Logf("%d of %d served something; bound over cost: median %.3f, highest %.3f", len(ratios), cases, ratios[len(ratios)/2], tightest)
	if len(ratios) < cases/2 || tightest < 0.8 {
		t.Errorf("%d of %d cases serve anything, and the bound comes to %.3f of the cost at best: the attack says nothing", len(ratios), cases, tightest)
	}
}

// randomScene is a quarter of an hour to two hours of bursts and gaps, of one to
// three models on one or two offerings.
func randomScene(r *rand.Rand, seed uint64) *scene {
	pick := func(some ...time.Duration) time.Duration { return some[r.IntN(len(some))] }
	delay := func() fleet.Delay {
		d := fleet.Fixed(pick(10*time.Second, time.Minute, 4*time.Minute))
		if r.IntN(2) == 0 {
			d.P95 = d.P50 * 2
		}
		return d
	}
	lean := seed%2 == 1 // one burst of one model on nodes of one GPU: little is wasted
	gpus, most := []int{1, 1, 2, 8}[r.IntN(4)], 3
	if lean {
		gpus, most = 1, 1
	}
	sessions := r.IntN(3) == 0
	offerings := []fleet.Offering{offering("a100", "a100-80gb", gpus, 1+r.IntN(4), 3_600_000, delay())}
	if !lean && r.IntN(3) == 0 {
		offerings = append(offerings, offering("b100", "a100-80gb", 1+r.IntN(2), 1+r.IntN(2), 5_100_007, delay()))
	}
	s := &scene{duration: pick(15*time.Minute, 40*time.Minute, 2*time.Hour), seed: seed, traffic: map[fleet.ModelName][]traffic.Request{}}
	var models []fleet.Model
	for i := range 1 + r.IntN(most) {
		seconds := []float64{0.2 + 2*r.Float64()}
		for range r.IntN(6) {
			seconds = append(seconds, seconds[len(seconds)-1]*(1+r.Float64()/2))
		}
		load := fleet.Fixed(pick(0, 5*time.Second, 20*time.Second))
		if r.IntN(2) == 0 && load.P50 > 0 {
			load.P95 = 2 * load.P50
		}
		small, slower := make([]float64, len(seconds)), 2+r.Float64()*5
		for j := range seconds {
			small[j] = seconds[j] * slower
		}
		limit := pick(3*time.Second, 10*time.Second, 10*time.Second, time.Minute, 5*time.Minute, 15*time.Minute)
		m := model(fleet.ModelName(fmt.Sprint("m", i)), limit, on(fleet.WholeGPU, load, seconds...), on("1g.10gb", load, small...))
		if r.IntN(2) == 0 {
			m.Profile.Queue = fleet.LeastLoad
		}
		every := seconds[0] // a second of the fastest server
		if sessions {
			m.Kind, m.Profile.Serves, m.Profile.MeanWork = fleet.Streaming, fleet.ServesSessions, pick(20*time.Second, 3*time.Minute, 15*time.Minute).Seconds()
			m.Profile.WhenFull = []fleet.Full{fleet.FullWaits, fleet.FullRefuses}[r.IntN(2)]
			on := m.Profile.Variants[0].Slices
			on[0].Streams, on[1].Streams, on[1].Interference = 2+r.IntN(8), 1+r.IntN(2), 0
			if on[1].Streams == 2 {
				on[1].Interference = r.Float64()
			}
			every = m.Profile.MeanWork / float64(on[0].Streams)
		}
		models = append(models, m)
		for at := time.Duration(r.Int64N(int64(s.duration / 2))); at < s.duration; {
			long := time.Duration(1 + r.Int64N(int64(10*time.Minute)))
			s.traffic[m.Name] = append(s.traffic[m.Name], scattered(r, at, min(at+long, s.duration), []float64{0.05, 0.5, 2}[r.IntN(3)]/every)...)
			at += long + time.Duration(r.Int64N(int64(30*time.Minute)))
			if lean {
				break
			}
		}
	}
	s.surround(r, offerings)
	s.settings = settings(models, offerings...)
	return s
}

// surround lets things go wrong in some scenes, sells nodes on spot in some and has
// others reserved.
func (s *scene) surround(r *rand.Rand, offerings []fleet.Offering) {
	if r.IntN(3) == 0 {
		last := &offerings[len(offerings)-1]
		last.Purchase, last.Interruptions, last.MinimumBilling = fleet.Spot, 1+5*r.Float64(), time.Duration(1+r.IntN(20))*time.Minute
	}
	if r.IntN(4) == 0 {
		own := &offerings[0]
		own.Limit = 1 + r.IntN(2)
		s.reserved = []simulator.Reservation{{Offering: own.Name, Nodes: own.Limit, Price: fleet.PerHour(fleet.Micros(int64(r.IntN(2))*1_000_003, "USD"))}}
		own.Purchase, own.Interruptions, own.Price = fleet.Reserved, 0, fleet.PerHour(fleet.Micros(0, "USD"))
	}
	for range r.IntN(4) * r.IntN(2) {
		f := simulator.Fault{
			At:   time.Duration(r.Int64N(int64(s.duration))),
			Kind: []simulator.FaultKind{simulator.NodeDeath, simulator.ServerCrash, simulator.GPUStuck, simulator.SlowStart, simulator.StockOut}[r.IntN(5)],
		}
		switch f.Kind {
		case simulator.SlowStart:
			f.Factor = 1 + 3*r.Float64()
			fallthrough
		case simulator.GPUStuck, simulator.StockOut:
			f.For = time.Duration(r.Int64N(int64(5 * time.Minute)))
		}
		s.faults = append(s.faults, f)
	}
}

// timed is a step and when it is sent.
type timed struct {
	at   time.Duration
	step fleet.Step
}

// attack carries out a schedule: each node belongs to one model and one span of
// its work, or to all of them cut in sevenths.
func attack(t testing.TB, r *rand.Rand, s *scene, w *simulator.World) {
	var plan []timed
	bought := map[fleet.OfferingName]int{}
	for i := range []int{1, 1, 2, 6}[r.IntN(4)] {
		o := s.settings.Catalog.Offerings[r.IntN(len(s.settings.Catalog.Offerings))]
		m := s.settings.Policy.Models[r.IntN(len(s.settings.Policy.Models))]
		requests := s.traffic[m.Name]
		if len(requests) == 0 {
			continue
		}
		first := requests[r.IntN(len(requests))].At
		if r.IntN(2) == 0 {
			first = requests[0].At
		}
		until := first
		gap := []time.Duration{0, 5 * time.Second, time.Minute, 5 * time.Minute, 5 * time.Minute}[r.IntN(5)]
		for _, q := range requests {
			if q.At >= until && q.At-until < gap {
				until = q.At
			}
		}
		until += time.Duration(r.Int64N(int64(m.SLO.Limit) + 1))
		start := simulator.NodeStart(s.seed, o, bought[o.Name])
		bought[o.Name]++
		id := fleet.NodeID(fmt.Sprint("n", i))
		from := first - start - m.Profile.Variants[0].Slices[0].Load.P50
		if r.IntN(2) == 0 {
			from += time.Duration(r.Int64N(int64(m.SLO.Limit))) - m.SLO.Limit/4
		}
		from = max(0, from)
		var cut fleet.Geometry
		if len(s.settings.Policy.Models) > 1 && r.IntN(3) == 0 {
			for j := range 7 {
				cut = append(cut, fleet.Placement{Profile: "1g.10gb", Start: j})
			}
		}
		plan = append(plan, timed{from, buy(id, o, cut)})
		for g := range o.GPUs {
			for j := range max(1, len(cut)) {
				on := m
				if cut != nil {
					on = s.settings.Policy.Models[r.IntN(len(s.settings.Policy.Models))]
				}
				replica := fleet.ReplicaID(fmt.Sprintf("%s-%d-%d", id, g, j))
				slice := fleet.SliceID{GPU: fleet.GPUID{Node: id, Index: g}, Start: j}
				plan = append(plan, timed{from, fleet.StartReplica{Replica: replica, Model: on.Name, Variant: "v", Slice: slice}},
					timed{until, fleet.StopReplica{Replica: replica}})
			}
		}
		plan = append(plan, timed{until, fleet.DrainNode{Node: id}})
		for k := range 40 {
			plan = append(plan, timed{until + time.Duration(k*k)*500*time.Millisecond, fleet.ReturnNode{Node: id}})
		}
	}
	slices.SortStableFunc(plan, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	for _, a := range plan {
		if a.at >= s.duration {
			return
		}
		w.AdvanceTo(begin.Add(a.at))
		_ = w.Do(t.Context(), "attack", a.step) // a refusal is part of the game
	}
}
