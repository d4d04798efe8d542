package packing

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// mostGroupings is how many ways to put models together in processes are solved.
const mostGroupings = 3

// together answers the best of an answer without and some with server processes
// that serve several models. A process is decided on first: what models would
// leave of their last slice is put together as long as it fits on one slice. Then
// each process is a model of its own that needs one slice, and the problem is one
// without processes.
func (in *instance) together(p Problem, alone Answer, prices [][]float64, do plan, w *work) Answer {
	best := alone
	loose := newPricing(in, w)
	loose.parts = true
	loose.run(do.rounds)
	prices = append(prices, loose.best.kind)
	for _, g := range in.groupings(p, loose.best.kind) {
		if w.stopped {
			break
		}
		w.left = do.steps
		q := g.problem(p)
		out := newInstance(q)
		gpus := g.tenants(out.layout(p.Current, out.solve(p.Current, do, w).covers))
		if a := in.answer(p, gpus, prices, do); in.preferable(a, best) {
			best = a
		}
	}
	// The bound is the same question for all; the answer alone has not had it.
	return in.answer(p, best.GPUs, prices, do)
}

// preferable orders answers by the value left out, nodes lacking, money, then GPUs.
func (in *instance) preferable(a, b Answer) bool {
	lost := func(x Answer) float64 {
		sum := 0.0
		for _, d := range in.models {
			sum += d.value * x.Unserved[d.name]
		}
		return sum
	}
	la, lb := lost(a), lost(b)
	if math.Abs(la-lb) > 1e-9*(la+lb) {
		return la < lb
	}
	return cmp.Or(cmp.Compare(len(a.Unspread), len(b.Unspread)), cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.GPUsUsed, b.GPUsUsed)) < 0
}

// offersProcesses says whether any model may join a process at all.
func (in *instance) offersProcesses() bool {
	return slices.ContainsFunc(in.models, func(d demand) bool {
		return slices.ContainsFunc(d.items, func(it item) bool { return it.fluid })
	})
}

// A grouping is which models are together in processes, and for how much.
type grouping struct {
	groups []group
	cost   float64 // At the prices it was made for.
}

// group is the models of one process.
type group struct {
	members []member
	on      map[place][]Tenant // Who would be there with which variant, by place that they fit on together.
}

// member is what a process serves for a model.
type member struct {
	model  int // Among the instance's models.
	name   string
	serves float64
}

// name of the model that stands for a process. No file can have it.
func (g grouping) name(i int) string { return fmt.Sprintf("\x00process-%05d", i) }

// problem is the one in which each process is a model that needs one slice, and
// its members need less by what it serves.
func (g grouping) problem(p Problem) Problem {
	q := p
	serves := map[string]float64{}
	for _, x := range g.groups {
		for _, m := range x.members {
			serves[m.name] = m.serves
		}
	}
	q.Models = nil
	value := map[string]float64{}
	for _, m := range p.Models {
		value[m.Name] = cmp.Or(m.Value, 1)
		if s, ok := serves[m.Name]; ok {
			m.Demand = lessUp(m.Demand, s)
		}
		if m.Demand > 0 {
			q.Models = append(q.Models, m)
		}
	}
	for i, x := range g.groups {
		m := Model{Name: g.name(i), Demand: 1, Throughput: map[string]map[fleet.ProfileName]float64{}}
		for _, t := range x.members {
			m.Value += value[t.name] * t.serves
		}
		for at := range x.on {
			if m.Throughput[at.gpu] == nil {
				m.Throughput[at.gpu] = map[fleet.ProfileName]float64{}
			}
			m.Throughput[at.gpu][at.profile] = 1
		}
		q.Models = append(q.Models, m)
	}
	return q
}

// tenants puts the members of the processes on the slices of the models that
// stand for them.
func (g grouping) tenants(gpus []Placed) []Placed {
	index := map[Occupant]int{}
	for i := range g.groups {
		index[Occupant(g.name(i))] = i
	}
	for _, placed := range gpus {
		for i, s := range placed.Geometry {
			if x, ok := index[s.Model]; ok {
				placed.Geometry[i].Model, placed.Geometry[i].Variant = "", ""
				placed.Geometry[i].Models = g.groups[x].on[place{placed.Type, s.Profile}]
			}
		}
	}
	return gpus
}

// lessUp is a - b as the least number that is no less than the exact difference.
func lessUp(a, b float64) float64 {
	rest := new(big.Rat).Sub(exactly(a), exactly(b))
	if rest.Sign() <= 0 {
		return 0
	}
	x, _ := rest.Float64()
	for exactly(x).Cmp(rest) < 0 {
		x = math.Nextafter(x, math.Inf(1))
	}
	return x
}

// sortedPlaces lists the keys of a map in order.
func sortedPlaces[V any](m map[place]V) []place {
	return slices.SortedFunc(maps.Keys(m), place.compare)
}
