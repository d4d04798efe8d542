package packing

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// A rest is what a model would leave of its last slice: work that a process could
// do, where it fits, and how dear it is there at the prices.
type rest struct {
	member
	fits map[place][]fit // That may join a process, the one that does most first.
	size float64         // Price of its part of the cheapest slice.
}

// grouper puts rests together.
type grouper struct {
	in     *instance
	gpus   map[string]GPU
	prices map[place]float64
}

// margin keeps what was added up in binary on the safe side of what is exact.
const margin = 1e-9

// groupings lists ways to put models together in processes, the cheapest at the
// prices first: for each kind of slice one, in which that kind is opened first.
func (in *instance) groupings(p Problem, prices []float64) []grouping {
	g := grouper{in: in, gpus: p.gpusByName(), prices: map[place]float64{}}
	for k, kind := range in.kinds {
		if o := in.offers[kind.offer]; o.process != nil && kind.shares == 1 {
			g.prices[place{o.name, kind.profile}] = prices[k]
		}
	}
	rests := g.rests(p, prices)
	var out []grouping
	for _, first := range sortedPlaces(g.prices) {
		x := g.fill(rests, first)
		if len(x.groups) > 0 && !slices.ContainsFunc(out, func(y grouping) bool { return same(x, y) }) {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b grouping) int { return cmp.Compare(a.cost, b.cost) })
	return out[:min(len(out), mostGroupings)]
}

func same(a, b grouping) bool {
	return slices.EqualFunc(a.groups, b.groups, func(x, y group) bool { return slices.Equal(x.members, y.members) })
}

// rests asks of each model how much it had better leave to a process: the rest of
// its need after whole slices of some kind, where that is cheaper at the prices
// than whole slices alone. The dearest rests come first.
func (g *grouper) rests(p Problem, prices []float64) []rest {
	demands := map[string]Model{}
	for _, m := range p.Models {
		demands[m.Name] = m
	}
	var out []rest
	find := coverer{}
	for i := range g.in.models {
		d := &g.in.models[i]
		m := demands[d.name]
		joining := g.joining(menuOf(m, g.gpus))
		_, alone, _ := find.cheapest(d, prices)
		best, at := alone*(1-margin), rest{}
		for _, it := range d.items {
			if !it.fluid || it.does <= 0 {
				continue
			}
			left := d.need % it.whole
			if d.need < it.whole {
				left = d.need
			}
			if left == 0 {
				continue
			}
			part := d.number(left)
			price, ok := g.cheapestPart(joining, part)
			if !ok {
				continue
			}
			cost := price
			if left < d.need {
				less := *d
				less.need = d.need - left
				_, whole, _ := find.cheapest(&less, prices)
				cost += whole
			}
			if cost < best {
				best, at = cost, rest{member{i, d.name, part}, joining, price}
			}
		}
		if at.name != "" {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b rest) int { return cmp.Or(cmp.Compare(b.size, a.size), strings.Compare(a.name, b.name)) })
	return out
}

// joining keeps the places and variants with which a model may join a process.
func (g *grouper) joining(m menu) map[place][]fit {
	out := map[place][]fit{}
	for at, all := range m.fits {
		if _, ok := g.prices[at]; !ok {
			continue
		}
		known := slices.DeleteFunc(slices.Clone(all), func(f fit) bool { return f.memoryMiB == 0 })
		if len(known) > 0 {
			out[at] = known
		}
	}
	return out
}

// share is the larger of the parts of a slice's time and memory that work takes.
func (g *grouper) share(at place, f fit, work float64) float64 {
	return max(work/f.does, float64(f.memoryMiB)/float64(g.gpus[at.gpu].memoryOf(at.profile)))
}

// cheapestPart is the least price of the part of a slice that work takes.
func (g *grouper) cheapestPart(fits map[place][]fit, work float64) (float64, bool) {
	best := math.Inf(1)
	for at, all := range fits {
		for _, f := range all {
			if s := g.share(at, f, work); s <= 1-g.gpus[at.gpu].Process.Loss-margin {
				best = min(best, g.prices[at]*s)
			}
		}
	}
	return best, !math.IsInf(best, 1)
}

// bin is a process while it is being filled.
type bin struct {
	at      place
	members []rest
}

// fill puts every rest into the fullest process with room, by best fit decreasing;
// a new process begins on the kind that is to come first, if the rest fits there,
// or else where its part is cheapest. A process of one model is none.
func (g *grouper) fill(rests []rest, first place) grouping {
	var bins []*bin
	for _, r := range rests {
		var into *bin
		room := math.Inf(1)
		for _, b := range bins {
			if left, ok := g.room(b.at, append(slices.Clip(b.members), r)); ok && left < room {
				into, room = b, left
			}
		}
		if into == nil {
			at, ok := g.open(r, first)
			if !ok {
				continue
			}
			into = &bin{at: at}
			bins = append(bins, into)
		}
		into.members = append(into.members, r)
	}
	var out grouping
	for _, b := range bins {
		if len(b.members) < 2 {
			out.cost += g.prices[b.at]
			continue
		}
		x := group{on: map[place][]Tenant{}}
		for _, r := range b.members {
			x.members = append(x.members, r.member)
		}
		for at := range g.prices {
			if who, _, ok := g.seat(at, b.members); ok {
				x.on[at] = who
			}
		}
		cheapest := math.Inf(1)
		for at := range x.on {
			cheapest = min(cheapest, g.prices[at])
		}
		out.cost += cheapest
		out.groups = append(out.groups, x)
	}
	return out
}

// open answers where a process for a rest begins.
func (g *grouper) open(r rest, first place) (place, bool) {
	if _, ok := g.room(first, []rest{r}); ok {
		return first, true
	}
	best, at := math.Inf(1), place{}
	for _, p := range sortedPlaces(r.fits) {
		if _, ok := g.room(p, []rest{r}); ok && g.prices[p] < best {
			best, at = g.prices[p], p
		}
	}
	return at, at.gpu != ""
}

// room says whether members fit on a slice together, and how much is left.
func (g *grouper) room(at place, members []rest) (left float64, ok bool) {
	_, left, ok = g.seat(at, members)
	return left, ok
}

// seat chooses the variants with which members share a slice: those that do most,
// or where memory does not allow that those that take least.
func (g *grouper) seat(at place, members []rest) (who []Tenant, left float64, ok bool) {
	gpu := g.gpus[at.gpu]
	if len(members) > gpu.Process.Models {
		return nil, 0, false
	}
	for _, small := range []bool{false, true} {
		time, memory := 1-gpu.Process.Loss-margin, gpu.memoryOf(at.profile)
		who = who[:0]
		for _, r := range members {
			all := r.fits[at]
			if len(all) == 0 {
				return nil, 0, false
			}
			f := all[0]
			if small {
				f = slices.MinFunc(all, func(a, b fit) int { return cmp.Compare(a.memoryMiB, b.memoryMiB) })
			}
			time -= r.serves / f.does
			memory -= f.memoryMiB
			who = append(who, Tenant{Model: Occupant(r.name), Variant: f.variant, Serves: r.serves})
		}
		if time >= 0 && memory >= 0 {
			return slices.Clone(who), time, true
		}
	}
	return nil, 0, false
}
