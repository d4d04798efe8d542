package clairvoyant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Input is a world that is known before it runs.
type Input struct {
	Duration time.Duration
	Settings control.Settings // models, catalog, and which of its offerings may be bought

	// Open yields the traffic of a model as the world will meet it; a nil source is
	// no traffic.
	Open func(fleet.ModelName) (traffic.Source, error)

	// NodeStart is how long the n-th node of an offering that is asked for takes to
	// be ready, n from 0.
	NodeStart func(o fleet.Offering, n int) time.Duration

	// Share of the limits that is planned with, up to 1; zero is 1. Less is safer where
	// queues go over from bin to bin.
	Share float64
}

// Planner makes schedules for one world, each with what the ones before it taught.
// It is not safe for concurrent use.
type Planner struct {
	need
	in      Input
	bins    bins
	opens   time.Duration
	allowed []float64 // misses that the targets leave, by model
	planned []float64 // misses that are planned for
	offers  *proposals
	ways    *ways
	best    route
}

const (
	binLength = 15 * time.Minute // about two starts of a node
	mostBins  = 4032             // four weeks of them; a longer run has longer bins
	moveHours = 0.02             // of a node, that starting a replica on one that is there costs
	rounds    = 3                // of proposing, each at better prices
	searches  = 40               // of prices, in each
	mostPrice = 10.0             // of a miss, in the currency
)

// New reads the traffic. Its error names what cannot be planned for: no offering of
// one GPU a node that serves every model.
func New(ctx context.Context, in Input) (*Planner, error) {
	if in.Duration <= 0 || in.Open == nil || in.NodeStart == nil {
		return nil, errors.New("plan with foresight: give the duration, the traffic and the start-ups")
	}
	s, err := newShop(in.Settings)
	if err != nil {
		return nil, fmt.Errorf("plan with foresight: %w", err)
	}
	p := &Planner{in: in, need: need{shop: s}}
	for n := range min(4, s.most) {
		p.opens = max(p.opens, in.NodeStart(s.offering, n))
	}
	p.opens += s.slowest()
	step := max(binLength, (in.Duration+mostBins-1)/mostBins)
	p.bins = newBins(in.Duration, p.opens.Round(time.Second)+step, step)
	for i, m := range in.Settings.Policy.Models {
		source, err := in.Open(m.Name)
		if err != nil {
			return nil, fmt.Errorf("plan with foresight: open the traffic of %s: %w", m.Name, err)
		}
		a, err := readArrivals(ctx, m.Name, source, p.bins)
		if err != nil {
			return nil, fmt.Errorf("plan with foresight: %w", err)
		}
		p.demands = append(p.demands, newDemand(m, a, s.servers[i], p.bins, p.opens, min(1, cmp.Or(in.Share, 1))))
		allowed := (1 - m.SLO.Target) * float64(len(a.at))
		p.allowed = append(p.allowed, allowed)
		p.planned = append(p.planned, allowed-math.Min(0.9*allowed, 2*math.Sqrt(allowed)))
		p.prices = append(p.prices, s.missPrice(i))
	}
	lead := s.offering.Lead.P50() + s.slowest()
	p.start = s.price * lead.Hours()
	p.move = s.price * moveHours
	return p, nil
}

// missPrice is where the search for the price of a miss begins: a few times what a
// request costs where it is cheapest.
func (s *shop) missPrice(model int) float64 {
	pace := math.Inf(1)
	for _, at := range s.servers[model] {
		if at != nil {
			pace = min(pace, at.pace)
		}
	}
	return 5 * s.price * pace / 3600
}

// Plan makes a schedule that is expected to miss about what it may.
func (p *Planner) Plan(ctx context.Context) (*Schedule, error) {
	if p.offers != nil {
		p.settle()
		return p.schedule(p.best), nil
	}
	p.offers = &proposals{need: &p.need, votes: map[string]float64{}, index: map[string]int{}}
	for round := range rounds {
		if round >= 2 && !p.unreachable() {
			break
		}
		if err := p.propose(ctx, round); err != nil {
			return nil, fmt.Errorf("plan with foresight: %w", err)
		}
	}
	return p.schedule(p.best), nil
}

// propose gathers fleets at the prices of misses as they are and searches these. A
// model for which no fleet was good enough counts for more in the next round.
func (p *Planner) propose(ctx context.Context, round int) error {
	prices := slices.Clone(p.prices)
	if round > 0 {
		for m, reachable := range p.reachable() {
			if reachable > p.planned[m] {
				p.prices[m] *= math.Pow(10, float64(round))
			}
		}
	}
	if err := p.offers.gather(ctx); err != nil {
		return err
	}
	copy(p.prices, prices)
	ways, err := p.need.ways(ctx, p.offers.chosen())
	if err != nil {
		return err
	}
	p.ways = ways
	p.settle()
	return nil
}

// unreachable tells whether no fleet was good enough for some model.
func (p *Planner) unreachable() bool { return !slices.Equal(p.reachable(), p.planned) }

// settle searches the prices of misses at which the cheapest route misses what it
// may, and keeps the best route: what it misses beyond that counts as if it had to be
// paid for in proportion.
func (p *Planner) settle() {
	planned := p.reachable()
	least := math.Inf(1)
	kept := slices.Clone(p.prices)
	for turn := range searches {
		r := p.ways.best(p.prices)
		over := 0.0
		for m, missed := range r.missed {
			over += math.Max(0, missed-planned[m]) / (planned[m] + 1)
		}
		if score := r.cost * (1 + over); score < least {
			p.best, least = r, score
			copy(kept, p.prices)
		}
		power := 0.7 / (1 + float64(turn)/12)
		for m, missed := range r.missed {
			ratio := math.Pow((missed+0.5)/(planned[m]+0.5), power)
			p.prices[m] = math.Min(mostPrice, math.Max(1e-9, p.prices[m]*math.Min(3, math.Max(0.4, ratio))))
		}
	}
	copy(p.prices, kept)
}

// reachable is what is planned for, or what is missed with the best fleet of every
// bin where that is more: the replay is stricter than the world with work that may
// wait.
func (p *Planner) reachable() []float64 {
	out := append([]float64(nil), p.planned...)
	for m := range out {
		sum := 0.0
		for bin := range p.bins.n {
			least := float32(math.MaxFloat32)
			for i := range p.ways.parks {
				least = min(least, p.ways.misses[i*len(out)+m][bin])
			}
			sum += float64(least)
		}
		out[m] = math.Max(out[m], 1.1*sum+1)
	}
	return out
}

// Learn tells what a schedule missed in its world, by model in the order of the
// policy: what the next one plans for is corrected by it. Where any model missed too
// much, the others keep what they have.
func (p *Planner) Learn(missed []float64) {
	failed := false
	for m, x := range missed {
		failed = failed || x > p.allowed[m]
	}
	for m, x := range missed {
		ratio := (0.97*p.allowed[m] + 0.5) / (x + 0.5)
		switch {
		case x > p.allowed[m]:
			p.planned[m] *= math.Max(0.4, ratio)
		case !failed && ratio > 1:
			p.planned[m] = math.Min(4*p.allowed[m], p.planned[m]*math.Min(1.25, math.Sqrt(ratio)))
		}
	}
}
