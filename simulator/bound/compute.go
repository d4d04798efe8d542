package bound

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// step is the length of a bin; a run of more than mostBins has longer ones.
const (
	step     = time.Minute
	mostBins = 44_640 // a month of minutes
)

// Compute answers the bound. The same input has the same answer.
func Compute(ctx context.Context, in Input) (Answer, error) {
	if err := in.validate(); err != nil {
		return Answer{}, fmt.Errorf("bound the cost: %w", err)
	}
	c := newCalendar(in.Duration, max(step, (in.Duration+mostBins-1)/mostBins))
	s := newShop(in.allowed())
	demands, err := in.read(ctx, s, c)
	if err != nil {
		return Answer{}, fmt.Errorf("bound the cost: %w", err)
	}
	slicePrices, claims := s.value(demands, c)
	d := newDual(c, s, s.free(slicePrices), claims)
	d.starts = newStarts(s, in.nodeStart(), d.fluid(), c.duration.Seconds())
	found, divisible := d.search()
	return in.answer(d, found, divisible, demands, claims, slicePrices), nil
}

// value looks for prices of slices at which the demands are worth most, and makes
// their claims at them.
func (s *shop) value(demands []*demand, c calendar) (slicePrices []int64, claims []*claim) {
	most := math.Inf(-1)
	try := func(prices []int64) {
		made := make([]*claim, len(demands))
		worth := -s.free(prices) * c.duration.Seconds()
		for i, d := range demands {
			made[i] = d.price(prices)
			worth += made[i].total - made[i].excused
		}
		if worth > most {
			most, slicePrices, claims = worth, prices, made
		}
	}
	for _, attended := range []bool{false, true} {
		prices := s.afford(propose(s, needs(demands, attended), c.duration.Seconds()))
		try(prices)
		try(s.raise(prices, false))
		try(s.raise(prices, true))
		if !slices.ContainsFunc(demands, func(d *demand) bool { return d.live != nil }) {
			break
		}
	}
	return slicePrices, claims
}

func (in Input) nodeStart() func(fleet.Offering, int) float64 {
	if in.NodeStart == nil {
		return func(fleet.Offering, int) float64 { return 0 }
	}
	return func(o fleet.Offering, n int) float64 { return in.NodeStart(o, n).Seconds() }
}

// read opens the traffic of every model, in the order of their names.
func (in Input) read(ctx context.Context, s *shop, c calendar) ([]*demand, error) {
	var out []*demand
	for _, m := range in.Settings.Policy.Models {
		source, err := in.Open(m.Name)
		if err != nil {
			return nil, fmt.Errorf("open the traffic of %s: %w", m.Name, err)
		}
		if source == nil {
			continue
		}
		var scores []float64
		if in.LoadScores != nil {
			scores = in.LoadScores(m.Name)
		}
		d := newDemand(m, s, c, scores)
		if err := d.read(ctx, source); err != nil {
			return nil, err
		}
		if err := d.served(in.InSLO[m.Name]); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *demand) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out, nil
}

// mostWork bounds the search, in levels times bins that are walked.
const mostWork = 400_000_000

// search finds multipliers, first with divisible nodes, then with whole ones. It
// also answers what was found first.
func (d *dual) search() (found *search, divisible float64) {
	s := &search{d: d, value: math.Inf(-1), values: math.MaxInt}
	s.best = point{capacity: s.flat(1), skip: 1, excuse: slices.Repeat([]float64{1}, len(d.claims))}
	s.try(s.best)
	for _, charge := range d.starts.candidates() {
		if d.starts.discount(charge) < 0.002*d.fluid() {
			s.best.charge = charge
		}
	}
	s.tuneWaves()
	divisible = s.value
	s.require()
	s.tuneSkip()
	s.tuneCharge()
	s.tuneWaves()
	s.values = d.affordable()
	s.ascend(250)
	s.try(s.fitted(s.best))
	s.tuneSkip()
	s.tuneCharge()
	s.values = d.affordable() / 4
	s.ascend(100)
	return s, divisible
}

// affordable is how many values a search may compute.
func (d *dual) affordable() int { return mostWork / (d.bins * (1 + len(d.levels) + len(d.claims))) }

// answer puts the parts together. Money is rounded down.
func (in Input) answer(d *dual, s *search, divisible float64, demands []*demand, claims []*claim, slicePrices []int64) Answer {
	const unit = 3600 * nanoPerMicro // of a millionth
	money := func(x float64) float64 { return max(0, x) / unit / 1e6 }
	fluid := d.fluid()
	best := max(0, s.value, fluid)
	out := Answer{
		LowerBound: fleet.Micros(in.Reserved.Micros()+int64(best/unit*(1-1e-12)), in.Settings.Catalog.Currency),
		Parts:      Parts{Fluid: money(fluid), StartUp: money(max(fluid, divisible)), Whole: money(best)},
		Chosen: Chosen{
			Step: d.step, StartUp: time.Duration(s.best.charge * 1e9), Discarded: money(d.starts.discount(s.best.charge)),
			SkipPrice: s.best.skip, SlicePrices: map[string]float64{},
		},
	}
	for _, x := range s.best.capacity {
		out.Chosen.MeanCapacity += x / float64(d.bins)
	}
	for k, price := range slicePrices {
		p := d.shop.pools[d.shop.kinds[k].pool]
		out.Chosen.SlicePrices[p.name+"/"+string(d.shop.kinds[k].profile)] = float64(price) / nanoPerMicro / 1e6
	}
	for i, m := range demands {
		c := claims[i]
		out.Models = append(out.Models, ModelPart{Model: m.Name, Requests: m.count, Skipped: m.skipped, Fluid: money(c.total), Excused: money(c.excused)})
	}
	return out
}
