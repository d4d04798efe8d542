package bound_test

import (
	"cmp"
	"fmt"
	"math"
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
		w := s.world(t, s.settings.Catalog)
		attack(t, r, s, w)
		w.AdvanceTo(begin.Add(s.duration))
		result := w.Result()
		served, any := map[fleet.ModelName]int64{}, int64(0)
		for _, m := range s.settings.Policy.Models {
			served[m.Name] = result.ByModel[string(m.Name)].InSLO
			any += served[m.Name]
		}
		in := s.input(t, served)
		if seed%4 < 2 {
			in.LoadScores = func(m fleet.ModelName) []float64 { return s.scores(t, m, 400) }
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
		models = append(models, m)
		for at := time.Duration(r.Int64N(int64(s.duration / 2))); at < s.duration; {
			long := time.Duration(1 + r.Int64N(int64(10*time.Minute)))
			s.traffic[m.Name] = append(s.traffic[m.Name], scattered(r, at, min(at+long, s.duration), []float64{0.05, 0.5, 2}[r.IntN(3)]/seconds[0])...)
			at += long + time.Duration(r.Int64N(int64(30*time.Minute)))
			if lean {
				break
			}
		}
	}
	s.settings = settings(models, offerings...)
	return s
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
		start := s.start(t, o, bought[o.Name])
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

// scores are those of the first loads of a model in the scene's world: another
// world of the same seed loads it again and again.
func (s *scene) scores(t testing.TB, name fleet.ModelName, n int) []float64 {
	t.Helper()
	i := slices.IndexFunc(s.settings.Policy.Models, func(m fleet.Model) bool { return m.Name == name })
	perf := s.settings.Policy.Models[i].Profile.Variants[0].Slices[0]
	if perf.Load.P95 <= perf.Load.P50 {
		return make([]float64, n)
	}
	probe := scene{settings: s.settings, seed: s.seed}
	w := probe.world(t, s.settings.Catalog)
	do(t, w, buy("probe", s.settings.Catalog.Offerings[0], nil))
	w.AdvanceTo(begin.Add(12 * time.Hour))
	var out []float64
	for k := range n {
		id := fleet.ReplicaID(fmt.Sprint("r", k))
		from := w.Now()
		do(t, w, fleet.StartReplica{Replica: id, Model: name, Variant: "v", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: "probe"}}})
		w.AdvanceTo(from.Add(time.Hour))
		seen, err := w.Observe(t.Context(), w.Now())
		if err != nil {
			t.Fatal(err)
		}
		took := seen.Replicas[0].Since.Sub(from)
		sigma := math.Log(float64(perf.Load.P95)/float64(perf.Load.P50)) / 1.6448536269514722
		out = append(out, math.Log(float64(took)/float64(perf.Load.P50))/sigma-1e-8)
		do(t, w, fleet.StopReplica{Replica: id})
	}
	return out
}
