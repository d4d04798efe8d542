package packing

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// answer lays a solution out, counts what it costs and serves, and proves a bound
// for what it serves.
func (in *instance) answer(p Problem, s solution, do plan) Answer {
	a := Answer{Unserved: map[string]float64{}, GPUs: in.layout(p.Current, s.covers)}
	in.count(&a, p)
	in.miss(&a, p)
	served, _ := in.reduced(in.coversOf(a.GPUs, true))
	proof := served.prove(s.prices, do.sums)
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
func (in *instance) count(a *Answer, p Problem) {
	today := map[int]bool{}
	for _, c := range p.Current {
		today[c.Node] = true
	}
	used := map[int]bool{}
	fresh := map[string]map[int]bool{}
	for _, g := range a.GPUs {
		if slices.ContainsFunc(g.Geometry, func(s Slice) bool { return s.Model != "" }) {
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

// miss says what is left out, exactly, and why.
func (in *instance) miss(a *Answer, p Problem) {
	served := map[Occupant]*big.Rat{}
	throughput := map[Occupant]Model{}
	for _, m := range p.Models {
		throughput[Occupant(m.Name)] = m
	}
	short := map[string]bool{}
	covers := in.coversOf(a.GPUs, true)
	for m, d := range in.models {
		short[d.name] = d.serves(covers[m]) < d.need
	}
	for _, d := range in.idle {
		short[d.name] = d.need > 0
	}
	for _, g := range a.GPUs {
		for _, s := range g.Geometry {
			if x := throughput[s.Model].Throughput[g.Type][s.Profile]; short[string(s.Model)] && x > 0 {
				if served[s.Model] == nil {
					served[s.Model] = new(big.Rat)
				}
				served[s.Model].Add(served[s.Model], exactly(x))
			}
		}
	}
	models := slices.Clone(p.Models)
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range models {
		if !short[m.Name] {
			continue
		}
		rest := exactly(m.Demand)
		if s := served[Occupant(m.Name)]; s != nil {
			rest.Sub(rest, s)
		}
		if rest.Sign() <= 0 {
			continue
		}
		left, _ := rest.Float64()
		a.Unserved[m.Name] = left
		a.Explain = append(a.Explain, fmt.Sprintf("%s: %g of %g left out: %s", m.Name, left, m.Demand, in.reason(m)))
	}
}

// reason names the constraint that keeps a model from being served.
func (in *instance) reason(m Model) string {
	var full, none []string
	for _, o := range in.offers {
		if len(m.Throughput[o.name]) == 0 {
			continue
		}
		text := fmt.Sprintf("%s (max_nodes %d, %d paid)", o.name, o.nodes, o.paid)
		if o.limit() == 0 {
			none = append(none, text)
		} else {
			full = append(full, text)
		}
	}
	switch {
	case len(full)+len(none) == 0:
		return "no slice of any GPU fits it; its throughput names none"
	case len(full) == 0:
		return "no GPU it fits on may be had: " + strings.Join(none, ", ")
	}
	return "every GPU it fits on that may be had is taken by work of more value: " + strings.Join(full, ", ")
}

// exactly is a number as the decimal it prints as.
func exactly(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'e', -1, 64))
	return r
}

// coversOf reads the covers back from a layout, without the slices of fixed GPUs
// that were kept, if those are among them.
func (in *instance) coversOf(gpus []Placed, fixed bool) []cover {
	name := map[string]int{}
	for k, o := range in.offers {
		name[o.name] = k
	}
	counts := map[Occupant][]int{}
	for _, g := range gpus {
		for _, s := range g.Geometry {
			if k := in.kindOf(name[g.Type], s.Profile); s.Model != "" && k >= 0 {
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
			if fixed {
				n -= d.keeps[k]
			}
			if n > 0 {
				out[m] = append(out[m], count{k, n})
			}
		}
	}
	return out
}
