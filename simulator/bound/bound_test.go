package bound_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/bound"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestConstantLoad: what fills k GPUs for hours costs k nodes for that time and
// their start-up, and the bound says so to a few per cent.
func TestConstantLoad(t *testing.T) {
	for _, k := range []int{1, 2, 5} {
		o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(10*time.Minute))
		s := scene{
			settings: settings([]fleet.Model{model("m", time.Second, on(fleet.WholeGPU, fleet.Fixed(0), 1))}, o), duration: 5 * time.Hour,
			traffic: map[fleet.ModelName][]traffic.Request{"m": evenly(time.Hour, 5*time.Hour-time.Second, time.Second/time.Duration(k))},
		}
		a := compute(t, s.input(map[fleet.ModelName]int64{"m": int64(len(s.traffic["m"]))}))
		want := float64(k) * 3.6 * (4 + 1.0/6)
		if got := a.LowerBound.Float(); got > want || got < 0.97*want {
			t.Errorf("%d GPUs full for four hours: bound %.4f, %.4f is what they cost (parts %+v)", k, got, want, a.Parts)
		}
	}
}

// TestReservedNodesWorkForNothing: what fills three GPUs, of which one is reserved, costs
// the reservation, used or not, and two nodes; what one GPU does costs nothing more.
func TestReservedNodesWorkForNothing(t *testing.T) {
	o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(10*time.Minute))
	own := offering("own", "a100-80gb", 1, 1, 0, fleet.Fixed(10*time.Minute))
	own.Purchase = fleet.Reserved
	for k, want := range map[int]float64{1: 5, 3: 5 + 2*3.6*(4+1.0/6)} {
		s := scene{
			settings: settings([]fleet.Model{model("m", time.Second, on(fleet.WholeGPU, fleet.Fixed(0), 1))}, o, own), duration: 5 * time.Hour,
			traffic:  map[fleet.ModelName][]traffic.Request{"m": evenly(time.Hour, 5*time.Hour-time.Second, time.Second/time.Duration(k))},
			reserved: []simulator.Reservation{{Offering: "own", Nodes: 1, Price: fleet.PerHour(fleet.Micros(1_000_000, "USD"))}},
		}
		a := compute(t, s.input(map[fleet.ModelName]int64{"m": int64(len(s.traffic["m"]))}))
		if got := a.LowerBound.Float(); got > want || got < 0.97*want {
			t.Errorf("%d GPUs full for four hours, one of them reserved: bound %.4f, %.4f is what they cost (parts %+v)", k, got, want, a.Parts)
		}
	}
}

// TestSessionsFillSlices: models that have one session each, one after the other, need
// a slice each, however many it could hold: seven share a GPU, and eight need two.
func TestSessionsFillSlices(t *testing.T) {
	o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(10*time.Minute))
	for n, nodes := range map[int]float64{1: 1, 7: 1, 8: 2} {
		s := scene{duration: 5 * time.Hour, traffic: map[fleet.ModelName][]traffic.Request{}}
		var models []fleet.Model
		served := map[fleet.ModelName]int64{}
		for i := range n {
			m := model(fleet.ModelName(fmt.Sprint("m", i)), 5*time.Second, fleet.Performance{
				Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, Streams: 12, MemoryMiB: 1000,
			})
			m.Profile.Serves, m.Profile.MeanWork = fleet.ServesSessions, 1000
			models = append(models, m)
			for at := time.Hour; at < 5*time.Hour; at += 900 * time.Second {
				s.traffic[m.Name] = append(s.traffic[m.Name], traffic.Request{At: at, Work: 1})
				served[m.Name] += int64(min(1000, (5*time.Hour - at).Seconds()))
			}
		}
		s.settings = settings(models, o)
		a := compute(t, s.input(served))
		if got, want := a.LowerBound.Float(), nodes*3.6*(4+1.0/6); got > want || got < 0.97*want {
			t.Errorf("%d models with a session each: bound %.4f, %.4f is what %v nodes cost (parts %+v chosen %+v models %+v)", n, got, want, nodes, a.Parts, a.Chosen, a.Models)
		}
	}
}

// TestSpotNodesLiveForAWhile: as long at least as the bound counts on, and are paid for
// no less.
func TestSpotNodesLiveForAWhile(t *testing.T) {
	o := offering("spot", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(10*time.Minute))
	o.Purchase, o.Interruptions, o.MinimumBilling = fleet.Spot, 1e9, time.Hour
	s := scene{settings: settings(nil, o)}
	w := s.world(t)
	do(t, w, buy("n", o, nil))
	w.AdvanceTo(begin.Add(10 * time.Hour))
	if r := w.Result(); r.NodesLost != 1 || r.Cost.Micros() < int64(bound.SpotLife/time.Millisecond) {
		t.Errorf("%d nodes were taken, for %s: the bound counts on %v of 3.60 USD/h at least", r.NodesLost, r.Cost, bound.SpotLife)
	}
}

// TestOneRequest: a single request costs a start-up, however little it is.
func TestOneRequest(t *testing.T) {
	o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(10*time.Minute))
	s := scene{
		settings: settings([]fleet.Model{model("m", time.Second, on("1g.10gb", fleet.Fixed(0), 0.01))}, o), duration: 2 * time.Hour,
		traffic: map[fleet.ModelName][]traffic.Request{"m": {{At: time.Hour, Work: 1}}},
	}
	if got := compute(t, s.input(map[fleet.ModelName]int64{"m": 1})).LowerBound.Float(); got < 0.599 || got > 0.6+0.01*0.001 {
		t.Errorf("bound %.6f, a start-up costs 0.6, and a hundredth of a second hardly more", got)
	}
	if got := compute(t, s.input(nil)).LowerBound; !got.IsZero() {
		t.Errorf("bound %s for nothing served", got)
	}
}

// TestBurstMayWait: work with a deadline is spread over it, so the bound of a
// burst is neither that of its minute nor that of its mere work.
func TestBurstMayWait(t *testing.T) {
	o := offering("a100", "a100-80gb", 1, 50, 3_600_000, fleet.Fixed(10*time.Minute))
	var burst []traffic.Request
	for i := range 3600 {
		burst = append(burst, traffic.Request{At: time.Hour + time.Duration(i)*time.Millisecond, Work: 1})
	}
	s := scene{
		settings: settings([]fleet.Model{model("m", 30*time.Minute, on(fleet.WholeGPU, fleet.Fixed(0), 1))}, o), duration: 3 * time.Hour,
		traffic: map[fleet.ModelName][]traffic.Request{"m": burst},
	}
	// Two GPUs for half an hour, and their start-ups.
	if got, want := compute(t, s.input(map[fleet.ModelName]int64{"m": 3600})).LowerBound.Float(), 2*3.6*40/60.0; got > want || got < 0.95*want {
		t.Errorf("bound %.4f, it can be done for %.4f", got, want)
	}
}

// TestMoreServedCostsMore: nobody serves more for less.
func TestMoreServedCostsMore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Delay{P50: 5 * time.Minute, P95: 8 * time.Minute})
	s := scene{
		settings: settings([]fleet.Model{model("m", 2*time.Second, on(fleet.WholeGPU, fleet.Fixed(0), 0.5, 0.6))}, o), duration: 2 * time.Hour,
		traffic: map[fleet.ModelName][]traffic.Request{"m": scattered(r, 20*time.Minute, 110*time.Minute, 3)},
	}
	all := int64(len(s.traffic["m"]))
	before := 0.0
	for _, share := range []float64{0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1} {
		got := compute(t, s.input(map[fleet.ModelName]int64{"m": int64(math.Floor(share * float64(all)))})).LowerBound.Float()
		if got < before {
			t.Errorf("serving a share of %v costs %.4f at least, and less of it %.4f", share, got, before)
		}
		before = got
	}
}

// TestRefusesWhatCannotBe: more served than came is a mistake of the caller.
func TestRefusesWhatCannotBe(t *testing.T) {
	o := offering("a100", "a100-80gb", 1, 20, 3_600_000, fleet.Fixed(0))
	s := scene{
		settings: settings([]fleet.Model{model("m", time.Second, on(fleet.WholeGPU, fleet.Fixed(0), 1)), model("n", time.Second)}, o), duration: time.Hour,
		traffic: map[fleet.ModelName][]traffic.Request{"m": evenly(0, time.Hour, time.Minute), "n": evenly(0, time.Hour, time.Minute)},
	}
	for name, served := range map[string]map[fleet.ModelName]int64{"too many": {"m": 61}, "on nothing": {"n": 1}} {
		if _, err := computeErr(t, s.input(served)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
