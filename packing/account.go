package packing

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// answer counts what a layout costs and serves, and proves a bound for what it
// serves.
func (in *instance) answer(p Problem, gpus []Placed, prices [][]float64, do plan) Answer {
	a := Answer{Unserved: map[string]float64{}, GPUs: gpus}
	a.count(p)
	rest := in.miss(&a, p)
	served := in.served(&a, rest)
	proof := served.prove(prices[0], do.sums)
	for _, other := range prices[1:] {
		if q := served.prove(other, do.sums); q.bound > proof.bound {
			proof = q
		}
	}
	a.LowerBound = Amount(proof.bound)
	a.Certificate = in.certificate(proof)
	if a.Cost == a.LowerBound {
		a.Gap = new(0.0)
	} else if a.LowerBound > 0 {
		a.Gap = new(float64(a.Cost)/float64(a.LowerBound) - 1)
	}
	return a
}

// count adds up GPUs, nodes and money. Nodes that are not today's are new, and as
// many of them as are reserved cost nothing more.
func (a *Answer) count(p Problem) {
	today := map[int]bool{}
	for _, c := range p.Current {
		today[c.Node] = true
	}
	used := map[int]bool{}
	fresh := map[string]map[int]bool{}
	for _, g := range a.GPUs {
		if g.Holds() {
			a.GPUsUsed++
			used[g.Node] = true
		}
		if !today[g.Node] {
			if fresh[g.Type] == nil {
				fresh[g.Type] = map[int]bool{}
			}
			fresh[g.Type][g.Node] = true
		}
	}
	a.NodesUsed = len(used)
	for _, g := range p.GPUs {
		price, _ := ParseAmount(g.PricePerHour)
		a.Cost += Amount(max(0, len(fresh[g.Name])-g.Reserved)*g.PerNode) * price
	}
}

// tally is what a layout does for one model.
type tally struct {
	parts []float64 // What each slice or share serves.
	sum   float64
	nodes map[int]bool
}

// tallies adds up what each model is served and on which nodes it is.
func tallies(p Problem, gpus []Placed) map[Occupant]*tally {
	byName := p.gpusByName()
	models := make(map[Occupant]Model, len(p.Models))
	out := make(map[Occupant]*tally, len(p.Models))
	for _, m := range p.Models {
		models[Occupant(m.Name)] = m
		out[Occupant(m.Name)] = &tally{nodes: map[int]bool{}}
	}
	enter := func(node int, name Occupant, serves float64) {
		t := out[name]
		t.nodes[node] = true
		if serves > 0 {
			t.parts = append(t.parts, serves)
			t.sum += serves
		}
	}
	for _, g := range gpus {
		for _, s := range g.Geometry {
			at := place{g.Type, s.Profile}
			if s.Model != "" {
				enter(g.Node, s.Model, models[s.Model].on(byName[g.Type], at, s.Variant))
			}
			for _, t := range s.Models {
				if models[t.Model].on(byName[g.Type], at, t.Variant) == 0 {
					t.Serves = 0
				}
				enter(g.Node, t.Model, t.Serves)
			}
		}
	}
	return out
}

// on is what a slice does for a model with a variant; zero where it does not fit.
func (m Model) on(g GPU, at place, variant string) float64 {
	for _, b := range m.builds() {
		if x := b.Throughput[at.gpu][at.profile]; b.Name == variant && x > 0 && m.excludes(b, g, at) == "" {
			return x
		}
	}
	return 0
}

// miss says what is left out, exactly, and why: work, and nodes to spread over.
func (in *instance) miss(a *Answer, p Problem) map[string]*big.Rat {
	left := map[string]*big.Rat{}
	byName := p.gpusByName()
	done := tallies(p, a.GPUs)
	models := slices.Clone(p.Models)
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range models {
		t := done[Occupant(m.Name)]
		if rest := t.lacks(m.Demand); rest.Sign() > 0 {
			left[m.Name] = rest
			x, _ := rest.Float64()
			a.Unserved[m.Name] = x
			a.Explain = append(a.Explain, fmt.Sprintf("%s: %g of %g left out: %s", m.Name, x, m.Demand, in.reason(m, byName)))
		}
		if n := len(t.nodes); n > 0 && n < m.Spread {
			if a.Unspread == nil {
				a.Unspread = map[string]int{}
			}
			a.Unspread[m.Name] = n
			a.Explain = append(a.Explain, fmt.Sprintf("%s: on %d of the %d nodes it must be on: no further node on which it fits may be had", m.Name, n, m.Spread))
		}
	}
	return left
}

// lacks is what is missing of a demand, exactly; not positive where nothing is.
func (t *tally) lacks(demand float64) *big.Rat {
	if t.sum > demand*(1+1e-9) {
		return new(big.Rat)
	}
	rest := exactly(demand)
	for _, x := range t.parts {
		rest.Sub(rest, exactly(x))
	}
	return rest
}

// reason names the constraint that keeps a model from being served.
func (in *instance) reason(m Model, gpus map[string]GPU) string {
	can := menuOf(m, gpus)
	if len(can.fits) == 0 {
		return can.nowhere()
	}
	var full, none []string
	for _, o := range in.offers {
		fits := false
		for at := range can.fits {
			fits = fits || at.gpu == o.name
		}
		if !fits {
			continue
		}
		text := fmt.Sprintf("%s (max_nodes %d, %d paid)", o.name, o.nodes, o.paid)
		if o.limit() == 0 {
			none = append(none, text)
		} else {
			full = append(full, text)
		}
	}
	if len(full) == 0 {
		return "no GPU it fits on may be had: " + strings.Join(none, ", ")
	}
	return "every GPU it fits on that may be had is taken by work of more value: " + strings.Join(full, ", ")
}

// served is the instance in which every model needs only what an answer serves,
// and must be on no more nodes than it is.
func (in *instance) served(a *Answer, rest map[string]*big.Rat) *instance {
	out := *in
	out.models, out.nodes = nil, 0
	for _, d := range in.models {
		if short := rest[d.name]; short != nil {
			unit := new(big.Rat).SetFrac(big.NewInt(1), big.NewInt(1))
			if d.unit >= 0 {
				unit.SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.unit)), nil))
			} else {
				unit.SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-d.unit)), nil))
			}
			units := new(big.Rat).Quo(short, unit)
			down := new(big.Int).Quo(units.Num(), units.Denom()).Int64()
			d.need, d.needLow = max(0, d.need-down), max(0, d.needLow-down-1)
		}
		if n, ok := a.Unspread[d.name]; ok {
			d.spread, d.least = n, d.lacksNodes(n)
		}
		if d.need > 0 {
			out.models = append(out.models, d.capped())
			out.nodes = max(out.nodes, d.nodes())
		}
	}
	return &out
}

// capped limits what slices do to the need.
func (d demand) capped() demand {
	d.items = slices.Clone(d.items)
	for i := range d.items {
		d.items[i].does = min(d.items[i].does, d.need)
		d.items[i].upper = min(d.items[i].upper, d.need)
	}
	return d
}

// exactly is a number as the decimal it prints as.
func exactly(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'e', -1, 64))
	return r
}

// coversOf reads the covers back from GPUs of which none is fixed.
func (in *instance) coversOf(gpus []Placed) []cover {
	name := map[string]int{}
	for k, o := range in.offers {
		name[o.name] = k
	}
	counts := map[Occupant][]int{}
	for _, g := range gpus {
		for _, s := range g.Geometry {
			if s.Model == "" {
				continue
			}
			if k := in.kindOf(name[g.Type], s.Profile); k >= 0 {
				if counts[s.Model] == nil {
					counts[s.Model] = make([]int, len(in.kinds))
				}
				counts[s.Model][k]++
			}
		}
	}
	out := make([]cover, len(in.models))
	for m, d := range in.models {
		for k, n := range counts[Occupant(d.name)] {
			if n > 0 {
				out[m] = append(out[m], count{k, n})
			}
		}
	}
	return out
}
