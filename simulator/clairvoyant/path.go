package clairvoyant

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// mostParks is how many fleets a path may lead through.
const mostParks = 240

// mostLarge of them are chosen for their size, and fading is what a vote counts a
// round later.
const (
	mostLarge = 60
	fading    = 0.3
)

// mostFresh bounds the bins for which a fleet is made from nothing.
const mostFresh = 150

// proposals are fleets worth having, those first that most bins like.
type proposals struct {
	*need
	parks []*park
	votes map[string]float64 // those of earlier rounds count for less
	index map[string]int
}

func (p *proposals) vote(k *park) {
	name := k.name()
	if _, there := p.index[name]; !there {
		p.index[name] = len(p.parks)
		p.parks = append(p.parks, k)
	}
	p.votes[name]++
}

// gather lets every bin propose what it likes: on its own, and beside what the bin
// before or after it has, with starts at their price and at a part of it.
func (p *proposals) gather(ctx context.Context) error {
	bins := p.demands[0].bins.n
	start := p.start
	defer func() { p.start = start }()
	for name := range p.votes {
		p.votes[name] *= fading
	}
	for bin := 0; bin < bins; bin += 1 + bins/mostFresh {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.vote(p.fresh(bin))
	}
	for _, share := range []float64{1, 0.2} {
		p.start = share * start
		var before []machine
		for bin := range bins {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := p.improve(bin, before, before)
			p.vote(k)
			before = k.machines
		}
		if share < 1 {
			break
		}
		before = nil
		for bin := bins - 1; bin >= 0; bin-- {
			k := p.improve(bin, before, before)
			p.vote(k)
			before = k.machines
		}
	}
	return nil
}

// chosen are the fleets that most bins like, and the largest, of which few bins have
// need but those have it badly.
func (p *proposals) chosen() []*park {
	order := slices.Clone(p.parks)
	slices.SortStableFunc(order, func(a, b *park) int { return cmp.Compare(p.votes[b.name()], p.votes[a.name()]) })
	if len(order) <= mostParks {
		return order
	}
	rest := order[mostParks-mostLarge:]
	slices.SortStableFunc(rest, func(a, b *park) int { return cmp.Compare(len(b.machines), len(a.machines)) })
	return order[:mostParks]
}

// ways are the paths through some fleets.
type ways struct {
	*need
	parks  []*park
	misses [][]float32 // by park times models: of every bin
	turn   []float64   // money, from park times parks to park
	lost   [][]loss    // what else it takes, likewise
}

// loss is what a model misses because one of its replicas stops before another is
// ready elsewhere.
type loss struct {
	model  int
	missed float64
}

// gap is how long a slice that changes hands serves nobody whom it should: the one
// batch, and the load.
const gap = 75.0

func (n *need) ways(ctx context.Context, parks []*park) (*ways, error) {
	w := &ways{need: n, parks: parks, turn: make([]float64, len(parks)*len(parks)), lost: make([][]loss, len(parks)*len(parks))}
	for _, k := range parks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for model, m := range k.mixes {
			w.misses = append(w.misses, n.demands[model].all(m))
		}
	}
	for i, from := range parks {
		for j, to := range parks {
			if i != j {
				w.turn[i*len(parks)+j], w.lost[i*len(parks)+j] = n.turning(from, to)
			}
		}
	}
	return w, nil
}

// turning is what it takes to make a fleet into another.
func (n *need) turning(from, to *park) (money float64, lost []loss) {
	for i, j := range n.pairing(from.machines, to.machines) {
		if j < 0 {
			money += n.start
			continue
		}
		s := n.swapOf(from.machines[j], to.machines[i])
		money += n.move * float64(s.starts)
		for _, model := range s.displaced {
			d := n.demands[model]
			rate := float64(len(d.at)) / d.bins.duration.Seconds()
			lost = append(lost, loss{model, gap * rate / float64(from.mixes[model].count())})
		}
	}
	return money, lost
}

// route is a fleet for every bin, what it costs and what it misses, by model.
type route struct {
	parks  []*park
	cost   float64
	missed []float64
}

// turns is what it takes from park to park at prices of misses.
func (w *ways) turns(prices []float64) []float64 {
	turn := slices.Clone(w.turn)
	for i, list := range w.lost {
		for _, l := range list {
			turn[i] += prices[l.model] * l.missed
		}
	}
	return turn
}

// best is the cheapest route at prices of misses.
func (w *ways) best(prices []float64) route {
	bins, count, models := w.demands[0].bins, len(w.parks), len(w.demands)
	hold := make([]float64, count)
	for i, k := range w.parks {
		hold[i] = w.price * float64(len(k.machines))
	}
	turn := w.turns(prices)
	at := make([]float64, count)
	came := make([][]int32, bins.n)
	next := make([]float64, count)
	for bin := range bins.n {
		came[bin] = make([]int32, count)
		if bin > 0 {
			for j := range next {
				next[j] = math.Inf(1)
			}
			for i, a := range at {
				row := turn[i*count : (i+1)*count]
				for j, t := range row {
					if v := a + t; v < next[j] {
						next[j], came[bin][j] = v, int32(i)
					}
				}
			}
			at, next = next, at
		}
		for i, k := range w.parks {
			at[i] += hold[i] * bins.hours(bin)
			for model := range models {
				at[i] += prices[model] * float64(w.misses[i*models+model][bin])
				if lack := w.demands[model].MinReplicas - k.mixes[model].count(); lack > 0 {
					at[i] += short * float64(lack)
				}
			}
		}
	}
	return w.back(came, slices.Index(at, slices.Min(at)))
}

// back follows a path from its last fleet to its first.
func (w *ways) back(came [][]int32, last int) route {
	bins, count, models := w.demands[0].bins, len(w.parks), len(w.demands)
	out := route{parks: make([]*park, bins.n), missed: make([]float64, models)}
	for bin := bins.n - 1; bin >= 0; bin-- {
		out.parks[bin] = w.parks[last]
		out.cost += w.price * float64(len(w.parks[last].machines)) * bins.hours(bin)
		for model := range models {
			out.missed[model] += float64(w.misses[last*models+model][bin])
		}
		before := int(came[bin][last])
		if bin > 0 {
			out.cost += w.turn[before*count+last]
			for _, l := range w.lost[before*count+last] {
				out.missed[l.model] += l.missed
			}
		}
		last = before
	}
	return out
}
