package bound

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// ran is what became of a session: it ran from here to there, or not at all.
type ran = stretch

// TestSessionsCostWhatIsClaimed: whenever sessions begin, and whichever are refused or
// cut, the slices that hold them cost no less than the claims say: in all, in every
// bin, and at any prices of the bins.
func TestSessionsCostWhatIsClaimed(t *testing.T) {
	tightest := 0.0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		c := newCalendar(time.Duration(10+r.IntN(50))*time.Minute+time.Duration(r.IntN(2))*17*time.Second, time.Minute)
		d, prices := sessionDemand(r, c)
		var list recording
		var runs []ran
		for range r.IntN(40) {
			list = append(list, traffic.Request{At: time.Duration(r.Int64N(int64(c.duration))), Work: r.ExpFloat64()})
		}
		slices.SortFunc(list, func(a, b traffic.Request) int { return cmp.Compare(a.At, b.At) })
		refuse, eager := r.Float64()*float64(r.IntN(2)), r.IntN(2) == 0
		for _, q := range list {
			begins := q.At + time.Duration(r.Int64N(int64(d.live.wait)+1))
			if eager {
				begins = q.At + time.Duration(r.IntN(2))*d.live.wait
			}
			lasts := time.Duration(max(q.Work*d.live.mean*1e9, 1))
			switch {
			case r.Float64() >= refuse:
				runs = append(runs, ran{begins, min(begins+lasts, c.duration)})
			case r.IntN(2) == 0:
				runs = append(runs, ran{begins, min(begins+lasts/2, c.duration)})
			}
		}
		if err := d.read(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		served, money, all := account(runs, c, d.streams, prices)
		if err := d.served(int64(served)); err != nil {
			t.Fatal(err)
		}
		fluid := d.claim(d.prices(prices))
		fluid.excused = d.live.missed * d.cover(prices).each * (1 + 1e-9)
		whole := d.cover(prices)
		for i, claim := range []*claim{d.attend(prices), fluid, d.covered(whole, whole.steepest()), d.covered(whole.excusing(2*whole.each), 2*whole.each)} {
			if got := claim.total - claim.excused; got > all*(1+1e-9) {
				t.Fatalf("seed %d, claim %d: %v is claimed, and it costs %v", seed, i, got, all)
			}
			for bin := range c.bins {
				if claim.reach == 0 && claim.must[bin] > (money[bin]+claim.excused)*(1+1e-9) {
					t.Fatalf("seed %d, claim %d: %v of %v is claimed at once in bin %d, and it costs %v", seed, i, claim.must[bin], claim.excused, bin, money[bin])
				}
			}
			checkPrices(t, r, claim, money)
			if all > 0 && served > 600 && i == 0 {
				tightest = max(tightest, (claim.total-claim.excused)/all)
			}
		}
	}
	if tightest < 0.9 {
		t.Errorf("at most %.3f of the cost is claimed: that says nothing", tightest)
	}
}

// checkPrices charges the claim at prices of capacity, bin by bin.
func checkPrices(t *testing.T, r *rand.Rand, c *claim, money []float64) {
	t.Helper()
	for range 5 {
		capacity, paid := make([]float64, len(money)), 0.0
		for i := range capacity {
			capacity[i] = r.ExpFloat64() * float64(r.IntN(3))
			paid += capacity[i] * money[i]
		}
		cheapest := map[int][]int32{}
		for further := range 2 {
			cheapest[c.reach+further] = make([]int32, len(money))
			least(capacity, c.reach+further, cheapest[c.reach+further])
		}
		if got := c.charge(capacity, 2*r.Float64(), cheapest, make([]float64, len(money))); got > paid*(1+1e-9)+1e-3 {
			t.Fatalf("%v is charged, and %v is paid", got, paid)
		}
	}
}

// sessionDemand is a model of sessions on slices at random prices.
func sessionDemand(r *rand.Rand, c calendar) (*demand, []int64) {
	profile := fleet.PerformanceProfile{Serves: fleet.ServesSessions, MeanWork: []float64{10, 100, 900}[r.IntN(3)], Variants: []fleet.Variant{{Name: "v", Accuracy: 1}}}
	for i, name := range []fleet.ProfileName{"1g.10gb", "3g.40gb", fleet.WholeGPU} {
		profile.Variants[0].Slices = append(profile.Variants[0].Slices, fleet.Performance{
			Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: name}, Streams: 1 + r.IntN(2+2*i), MemoryMiB: 1,
		})
	}
	wait := []time.Duration{time.Second, 20 * time.Second, time.Minute, 200 * time.Second}[r.IntN(4)]
	m := fleet.Model{Name: "m", SLO: fleet.SLO{Limit: wait}, Profile: profile}
	s := newShop([]fleet.Offering{{Name: "o", GPU: "a100-80gb", GPUs: 1, Limit: 1, Price: fleet.PerHour(fleet.Micros(3_600_000, "USD"))}})
	proposal := make([]float64, len(s.kinds))
	for k := range proposal {
		proposal[k] = 1e9 * r.Float64()
	}
	return newDemand(m, s, c, nil), s.afford(proposal)
}

// account counts the seconds that sessions ran, and what the slices cost that held
// them, by bin and in all, in steps of the instants in which anything changes.
func account(runs []ran, c calendar, streams []int, prices []int64) (served float64, money []float64, all float64) {
	money = make([]float64, c.bins)
	for _, x := range runs {
		served += max(0, (x.to - x.from).Seconds())
	}
	for now := time.Duration(0); now < c.duration; {
		next, n := min(c.duration, now.Truncate(c.step)+c.step), 0
		for _, x := range runs {
			if x.from <= now && now < x.to {
				n++
			}
			for _, at := range []time.Duration{x.from, x.to} {
				if at > now {
					next = min(next, at)
				}
			}
		}
		cost := cheapest(n, streams, prices)
		money[now/c.step] += cost * (next - now).Seconds()
		all += cost * (next - now).Seconds()
		now = next
	}
	return served, money, all
}

// cheapest is what the slices cost at least that hold n sessions: all ways to take
// the last slice are tried.
func cheapest(n int, streams []int, prices []int64) float64 {
	if n <= 0 {
		return 0
	}
	known := make([]float64, n+1)
	for i := 1; i <= n; i++ {
		known[i] = math.Inf(1)
		for k, some := range streams {
			if some > 0 {
				known[i] = min(known[i], known[max(0, i-some)]+float64(prices[k]))
			}
		}
	}
	return known[n]
}
