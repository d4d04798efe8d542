package repack

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// A book holds what does not change while layouts are tried: types of nodes, and
// models with what each slice does for them, in whole units.
type book struct {
	need   packing.Problem // GPUs and models sorted by name.
	opt    Options
	types  map[string]*kind
	models map[packing.Occupant]*model
	names  []packing.Occupant // Of the models, sorted.
}

// kind is a type of node.
type kind struct {
	packing.GPU

	spec  fleet.GPUSpec
	price packing.Amount // Of one GPU, an hour.
	terms Terms
	cuts  [][]packing.Slice // What a GPU can be cut into, once asked for.
}

func (k *kind) node() packing.Amount { return k.price * packing.Amount(k.PerNode) }
func (k *kind) wholeNode() bool      { return k.terms.Reshape != fleet.ReshapeGPU }

// model is a need. Its unit is a power of ten.
type model struct {
	packing.Model

	unit  *big.Rat // Units in one of the demand's.
	units int64    // Needed, rounded up.
	does  map[work]int64
	best  map[place]string // The variant that does most on a slice.
}

// place is a slice kind; work is a variant on one.
type place struct {
	gpu     string
	profile fleet.ProfileName
}

type work struct {
	place

	variant string
}

func newBook(need packing.Problem, o Options) *book {
	b := &book{need: need, opt: o, types: map[string]*kind{}, models: map[packing.Occupant]*model{}}
	b.need.GPUs, b.need.Models = slices.Clone(need.GPUs), slices.Clone(need.Models)
	slices.SortFunc(b.need.GPUs, func(a, b packing.GPU) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(b.need.Models, func(a, b packing.Model) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range b.need.GPUs {
		price, _ := packing.ParseAmount(g.PricePerHour) // Validated.
		spec, ok := fleet.LookupGPU(g.MIG)
		if !ok {
			spec = fleet.GPUSpec{Type: fleet.GPUType(g.Name), ComputeSlices: 1, MemorySlices: 1, MiB: g.MemoryMiB}
		}
		b.types[g.Name] = &kind{GPU: g, spec: spec, price: price, terms: o.Types[g.Name]}
	}
	for _, m := range b.need.Models {
		b.models[packing.Occupant(m.Name)] = b.newModel(m)
		b.names = append(b.names, packing.Occupant(m.Name))
	}
	return b
}

func (b *book) newModel(m packing.Model) *model {
	out := &model{Model: m, does: map[work]int64{}, best: map[place]string{}}
	fits := map[work]float64{}
	largest, places := m.Demand, placesOf(m.Demand)
	for _, v := range variants(m) {
		for gpu, profiles := range v.Throughput {
			for profile, x := range profiles {
				if at := (place{gpu, profile}); b.fits(m, v, at) {
					fits[work{at, v.Name}] = x
					largest, places = max(largest, x), max(places, placesOf(x))
				}
			}
		}
	}
	// As fine a unit as lets the largest number be written in 17 digits.
	digits := len(strconv.FormatFloat(largest, 'f', 0, 64))
	places = min(places, 17-digits)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(places, -places))), nil)
	if out.unit = new(big.Rat).SetInt(ten); places < 0 {
		out.unit.Inv(out.unit)
	}
	out.units = out.in(m.Demand, true)
	for _, w := range slices.SortedFunc(maps.Keys(fits), work.compare) {
		out.does[w] = out.in(fits[w], false)
		if old, ok := out.best[w.place]; !ok || out.does[w] > out.does[work{w.place, old}] {
			out.best[w.place] = w.variant
		}
	}
	return out
}

func (w work) compare(o work) int {
	return cmp.Or(strings.Compare(w.gpu, o.gpu), cmp.Compare(w.profile, o.profile), strings.Compare(w.variant, o.variant))
}

// in answers a quantity in whole units.
func (m *model) in(x float64, up bool) int64 {
	r := exactly(x)
	r.Mul(r, m.unit)
	n, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if up && rest.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	return n.Int64()
}

// exactly is a number as the decimal it prints as.
func exactly(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'e', -1, 64))
	return r
}

// placesOf counts the decimal places of a number as it prints.
func placesOf(x float64) int {
	_, fraction, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
	return len(fraction)
}

func variants(m packing.Model) []packing.Variant {
	if len(m.Variants) > 0 {
		return m.Variants
	}
	return []packing.Variant{{Throughput: m.Throughput, MemoryMiB: m.MemoryMiB, Latency: m.Latency}}
}

// fits says whether a variant may be on a slice.
func (b *book) fits(m packing.Model, v packing.Variant, at place) bool {
	k := b.types[at.gpu]
	whole, shares := shareOf(at.profile)
	row, _ := k.spec.Profile(whole)
	if v.MemoryMiB > row.MiB/int64(shares) {
		return false
	}
	if m.MaxLatency > 0 {
		if latency, ok := v.Latency[at.gpu][at.profile]; !ok || latency > m.MaxLatency {
			return false
		}
	}
	return len(m.Allowed) == 0 || slices.Contains(m.Allowed, at.gpu) || slices.Contains(m.Allowed, at.gpu+"/"+string(at.profile))
}

// shareOf takes the name of a share apart: "whole/4" is one of 4 shares of "whole".
func shareOf(n fleet.ProfileName) (whole fleet.ProfileName, shares int) {
	name, count, _ := strings.Cut(string(n), "/")
	if shares, err := strconv.Atoi(count); err == nil && shares > 1 {
		return fleet.ProfileName(name), shares
	}
	return n, 1
}

// serves adds up, by model, what a slice does.
func (b *book) serves(gpu string, s packing.Slice, add func(name packing.Occupant, units int64)) {
	at := place{gpu, s.Profile}
	if m, ok := b.models[s.Model]; ok {
		add(s.Model, m.does[work{at, s.Variant}])
	}
	for _, t := range s.Models {
		m, ok := b.models[t.Model]
		if ok && m.does[work{at, t.Variant}] > 0 {
			add(t.Model, m.in(t.Serves, false))
		}
	}
}

func occupants(s packing.Slice) []packing.Occupant {
	if s.Model != "" {
		return []packing.Occupant{s.Model}
	}
	var out []packing.Occupant
	for _, t := range s.Models {
		out = append(out, t.Model)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
