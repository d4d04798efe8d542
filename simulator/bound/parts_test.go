package bound

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestCrowdCountsEverySpan: what comes out is the fullest span of one limit that
// holds the request, counted the slow way.
func TestCrowdCountsEverySpan(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var requests []traffic.Request
		at := time.Duration(0)
		for range r.IntN(60) {
			at += time.Duration(r.Int64N(4)) * time.Second * time.Duration(r.IntN(3))
			requests = append(requests, traffic.Request{At: at, Work: 1})
		}
		limit, most := time.Duration(r.IntN(10))*time.Second, 1+r.IntN(12)
		var got []int
		c := crowd{limit: int64(limit), most: most, emit: func(_ traffic.Request, together int) { got = append(got, together) }}
		for _, q := range requests {
			c.add(q)
		}
		c.flush()
		for i, q := range requests {
			want := 0
			for _, first := range requests {
				if first.At > q.At || q.At-first.At > limit {
					continue
				}
				n := 0
				for _, o := range requests {
					if o.At >= first.At && o.At-first.At <= limit {
						n++
					}
				}
				want = max(want, min(n, most))
			}
			if got[i] != want {
				t.Fatalf("seed %d: request %d of %v shares with %d, not %d (limit %v, most %d)", seed, i, requests, got[i], want, limit, most)
			}
		}
	}
}

// TestHeldIsHeld: replicas that load, serve somebody at any time thereafter and go
// hold slices for at least as long as is counted from the arrivals alone.
func TestHeldIsHeld(t *testing.T) {
	c := newCalendar(2*time.Hour, time.Minute)
	counted := 0.0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		limit := time.Duration(1+r.IntN(20)) * time.Second
		var loads []float64
		var arrivals []time.Duration
		held, bins := 0.0, make([]float64, c.bins)
		alike := seed%2 == 0
		at := 10 * time.Minute
		for range 1 + r.IntN(20) {
			load := 5 + 60*r.Float64()
			if alike {
				load = 40
			}
			loads = append(loads, load)
			ready := at + time.Duration(load*1e9)
			last := ready
			for range 1 + r.IntN(3) {
				last += time.Duration(r.Int64N(int64(20 * time.Second)))
				arrivals = append(arrivals, last-time.Duration(r.Int64N(int64(limit)+1)))
			}
			held += (last - at).Seconds()
			for from := at; from < last; {
				bin := int(from / c.step)
				to := min(last, time.Duration(bin+1)*c.step)
				bins[bin] += (to - from).Seconds()
				from = to
			}
			at = last + time.Duration(r.Int64N(int64(time.Minute)))
		}
		slices.Sort(arrivals)
		p := newPresence(loads, 40, limit, c) // as if no load were shorter than that: shorter ones must be excused
		if p == nil {
			continue
		}
		sum := -p.excused(0)
		for _, a := range arrivals {
			p.add(a, c)
		}
		for i, seconds := range p.seconds {
			if sum += seconds; alike && seconds > bins[i]+1e-6 {
				t.Fatalf("seed %d: %.3f s are counted in minute %d, and a slice was held for %.3f of it", seed, seconds, i, bins[i])
			}
		}
		if sum > held+1e-6 {
			t.Fatalf("seed %d: %.3f s are counted, and slices were held for %.3f", seed, sum, held)
		}
		counted = max(counted, sum/held)
	}
	if counted < 0.3 {
		t.Errorf("at most %.3f of the time is counted: that says nothing", counted)
	}
}

// TestEveryGeometryIsAffordable: however dear slices are proposed to be, no way to
// cut a GPU costs more than the GPU.
func TestEveryGeometryIsAffordable(t *testing.T) {
	for _, gpu := range fleet.GPUTypes() {
		s := newShop([]fleet.Offering{{Name: "o", GPU: gpu, GPUs: 8, Limit: 1, Price: fleet.PerHour(fleet.Micros(21_957_642, "USD"))}})
		spec, _ := fleet.LookupGPU(gpu)
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 3))
			proposal := make([]float64, len(s.kinds))
			for k := range proposal {
				proposal[k] = 5e9 * r.Float64()
			}
			prices := s.afford(proposal)
			for _, g := range packing.Feasible(spec) {
				sum := int64(0)
				for profile, n := range g.Counts() {
					k := slices.Index(s.kinds, kind{0, profile})
					sum += int64(n) * prices[k]
				}
				if sum*8 > 21_957_642*nanoPerMicro {
					t.Fatalf("%s cut into %s costs %d nano of slices on each of eight GPUs", gpu, g, sum)
				}
			}
			if prices[len(prices)-1]*8 > 21_957_642*nanoPerMicro {
				t.Fatalf("the whole %s costs more than it does", gpu)
			}
		}
	}
}

// TestSlowStartsAreDiscarded: to come to fast starts one may ask for slow nodes first.
// Bought on demand each costs its minimum billing; one on spot is taken back before,
// and costs its notice.
func TestSlowStartsAreDiscarded(t *testing.T) {
	o := fleet.Offering{Name: "o", GPU: "a100-80gb", GPUs: 1, Limit: 1, MinimumBilling: time.Hour, Price: fleet.PerHour(fleet.Micros(1, "USD"))}
	starts := func(_ fleet.Offering, n int) float64 {
		if n < 10 {
			return 3 * time.Hour.Seconds()
		}
		return 60
	}
	for purchase, each := range map[fleet.Purchase]float64{fleet.OnDemand: 3600, fleet.Spot: 120} {
		o.Purchase = purchase
		st := newStarts(newShop([]fleet.Offering{o}), starts, 0, 5*time.Hour.Seconds())
		want := -10*each + float64(len(st.draws[0])-10)*540
		if got := st.discount(600); got != want*nanoPerMicro || want <= 0 {
			t.Errorf("%s: %v is taken off, want %v", purchase, got, want*nanoPerMicro)
		}
	}
}

// TestRaisedPricesAreAffordable, and no price falls.
func TestRaisedPricesAreAffordable(t *testing.T) {
	s := newShop([]fleet.Offering{{Name: "o", GPU: "a100-80gb", GPUs: 8, Limit: 1, Price: fleet.PerHour(fleet.Micros(21_957_642, "USD"))}})
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		proposal := make([]float64, len(s.kinds))
		for k := range proposal {
			proposal[k] = 5e8 * r.Float64()
		}
		before := s.afford(proposal)
		after := s.raise(before, seed%2 == 0)
		if got, most := s.pools[0].dearest(after), s.pools[0].price; got > most || got < most-7 {
			t.Errorf("seed %d: slices of a GPU cost up to %d, and it costs %d", seed, got, most)
		}
		for k := range after {
			if after[k] < before[k] {
				t.Errorf("seed %d: the price of %v falls from %d to %d", seed, s.kinds[k], before[k], after[k])
			}
		}
	}
}

// TestMaximiseIsRight: a linear program that one can solve by hand.
func TestMaximiseIsRight(t *testing.T) {
	x := maximise([]float64{3, 5}, [][]float64{{1, 0}, {0, 2}, {3, 2}}, []float64{4, 12, 18})
	if x[0] < 1.999 || x[0] > 2.001 || x[1] < 5.999 || x[1] > 6.001 {
		t.Errorf("x = %v, want 2 and 6", x)
	}
}

// TestDemandKnowsWhoCouldShare: two requests within a limit of each other can
// share a batch, a third beyond it cannot.
func TestDemandKnowsWhoCouldShare(t *testing.T) {
	perf := fleet.Performance{Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: fleet.WholeGPU}, Batch: []int{1, 8}, Seconds: []float64{1, 2}, MemoryMiB: 1}
	m := fleet.Model{
		Name: "m", SLO: fleet.SLO{Limit: 10 * time.Second},
		Profile: fleet.PerformanceProfile{Variants: []fleet.Variant{{Name: "v", Accuracy: 1, Slices: []fleet.Performance{perf}}}},
	}
	shop := newShop([]fleet.Offering{{Name: "o", GPU: "a100-80gb", GPUs: 1, Limit: 1, Price: fleet.PerHour(fleet.Micros(1, "USD"))}})
	d := newDemand(m, shop, newCalendar(time.Hour, time.Minute), nil)
	list := recording{{At: 0, Work: 1}, {At: 9 * time.Second, Work: 1}, {At: 21 * time.Second, Work: 1}}
	if err := d.read(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	if alone, pair := d.total(crowdOf(1)), d.total(crowdOf(2)); alone < 0.99 || alone > 1 || pair < 1.99 || pair > 2 {
		t.Errorf("%v alone and %v in pairs, want 1 and 2", alone, pair)
	}
}

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
