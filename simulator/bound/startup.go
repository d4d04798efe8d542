package bound

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// starts is what is known of start-ups: the seconds that the first nodes of each
// offering take, in the order in which they are asked for.
type starts struct {
	shop    *shop
	draws   [][]float64
	discard []float64           // seconds that a node costs that is given back at once
	tail    float64             // seconds before the end in which a node may be given back for less: starts are not charged there
	guard   float64             // nano times seconds an hour: whoever buys more nodes than are known here pays more than this
	known   map[float64]float64 // discounts by charge
}

// spotLife is how long a seller leaves a spot node at least: until its notice is
// over. The node is paid until then, and not to the end of its minimum billing.
const spotLife = 2 * time.Minute

// mostDraws bounds the nodes of an offering that are looked at.
const mostDraws = 200_000

// newStarts draws so many start-ups that whoever needs more pays four times for what
// slice time alone costs, given as fluid, and for two nodes throughout the run.
func newStarts(s *shop, nodeStart func(fleet.Offering, int) float64, fluid, duration float64) *starts {
	out := &starts{shop: s, guard: math.Inf(1), known: map[float64]float64{}}
	for _, o := range s.offerings {
		price := float64(o.Price.Hourly().Micros()) * nanoPerMicro
		discard := o.MinimumBilling
		if o.Purchase == fleet.Spot {
			discard = min(discard, spotLife)
		}
		minimum := discard.Seconds()
		out.tail = max(out.tail, minimum)
		n := 0
		if price*minimum > 0 {
			n = int(min(mostDraws, 100+4*fluid/(price*minimum)+2*duration/minimum))
		}
		draws := make([]float64, n)
		least := minimum
		for i := range draws {
			draws[i] = nodeStart(o, i)
			least = min(least, draws[i])
		}
		out.draws = append(out.draws, draws)
		out.discard = append(out.discard, minimum)
		out.guard = min(out.guard, fluid+float64(n)*price*least)
	}
	return out
}

// candidates are charges for a start that are worth trying, in seconds, 0 first.
func (st *starts) candidates() []float64 {
	out := []float64{0}
	for _, draws := range st.draws {
		if len(draws) == 0 {
			return out
		}
		some := slices.Sorted(slices.Values(draws[:min(len(draws), 512)]))
		out = append(out, slices.Min(draws))
		for i := range 8 {
			out = append(out, some[i*(len(some)-1)/10])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// discount is the most that start-ups may cost less in all than charge for each,
// in nano times seconds an hour. Whoever buys may give slow starts back at once,
// for the minimum that is billed, to come to the fast ones.
func (st *starts) discount(charge float64) float64 {
	if charge <= 0 {
		return 0
	}
	if sum, ok := st.known[charge]; ok {
		return sum
	}
	sum := 0.0
	for i, o := range st.shop.offerings {
		best, now := 0.0, 0.0
		for _, x := range st.draws[i] {
			now += max(charge-x, -st.discard[i])
			best = max(best, now)
		}
		sum += best * float64(o.Price.Hourly().Micros()) * nanoPerMicro
	}
	st.known[charge] = sum
	return sum
}
