package packing

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// An instance is a problem in whole numbers, GPUs and models sorted by name. A
// kind is a profile of an offer that some model can use.
type instance struct {
	offers []offer
	models []demand // Those that need more and can be served.
	idle   []demand // Those that their kept slices serve, and those that nothing can serve.
	kinds  []kind
}

// offer is one of the problem's GPUs.
type offer struct {
	name    string
	spec    fleet.GPUSpec
	price   int64 // Nano-units of money an hour, per GPU.
	perNode int
	paid    int // GPUs that cost nothing more and can be cut anew.
	nodes   int // Nodes that may still be bought.
	first   int // Its kinds are those from first up to before end.
	end     int
	table   *table
	verts   []face // Over its kinds, scaled to one GPU.
}

// face is one vertex of the offer's table over the offer's kinds.
type face struct {
	num   []int64
	den   int64
	share []float64 // num / den.
}

// kind is a profile of an offer.
type kind struct {
	offer   int
	column  int // In the offer's table.
	profile fleet.ProfileName
	free    int // Slices that exist, cost nothing and cannot be cut anew.
}

// demand is a model. Throughput and need are in the model's own unit, a power of
// ten in which they are whole numbers.
type demand struct {
	name    string
	unit    int         // The unit is 10^unit.
	need    int64       // What kept slices do not cover, rounded up.
	needLow int64       // The same, rounded down: for the bound.
	kept    int64       // What kept slices do, rounded down.
	keeps   map[int]int // Slices of each kind that it keeps.
	value   float64
	scale   float64 // The unit, as a number.
	items   []item  // Sorted by kind.
}

// item is what one slice does for a model.
type item struct {
	kind  int
	does  int64 // Rounded down, and at most need.
	upper int64 // Rounded up, and at most need: for the bound.
}

// newInstance reads a problem that Validate accepts.
func newInstance(p Problem) *instance {
	in := &instance{}
	gpus := slices.Clone(p.GPUs)
	slices.SortFunc(gpus, func(a, b GPU) int { return strings.Compare(a.Name, b.Name) })
	models := slices.Clone(p.Models)
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })

	// 1. Which profiles anyone can use.
	used := map[string]map[fleet.ProfileName]bool{}
	for _, m := range models {
		for name, profiles := range m.Throughput {
			for profile := range profiles {
				if used[name] == nil {
					used[name] = map[fleet.ProfileName]bool{}
				}
				used[name][profile] = true
			}
		}
	}
	// 2. Offers and their kinds.
	index := map[string]int{}
	for _, g := range gpus {
		index[g.Name] = len(in.offers)
		in.addOffer(g, used[g.Name])
	}
	in.addCurrent(p.Current, index)
	// 3. Models, less what the slices they keep already do.
	kept := keptSlices(p.Current)
	for _, m := range models {
		if d := in.newDemand(m, kept[Occupant(m.Name)], index); d.need > 0 && len(d.items) > 0 {
			in.models = append(in.models, d)
		} else {
			in.idle = append(in.idle, d)
		}
	}
	return in
}

func (in *instance) addOffer(g GPU, used map[fleet.ProfileName]bool) {
	price, _ := ParseAmount(g.PricePerHour) // Validated.
	spec := g.spec()
	media := slices.ContainsFunc(spec.Profiles, func(p fleet.MIGProfile) bool { return p.MediaEngines && used[p.Name] })
	o := offer{
		name: g.Name, spec: spec, price: int64(price), perNode: g.PerNode, paid: g.Reserved * g.PerNode,
		nodes: maxNodes, first: len(in.kinds), table: tableOf(g.MIG, media),
	}
	if g.MaxNodes != nil {
		o.nodes = max(0, *g.MaxNodes-g.Reserved)
	}
	for column, profile := range o.table.profiles {
		if used[profile] {
			in.kinds = append(in.kinds, kind{offer: len(in.offers), column: column, profile: profile})
		}
	}
	o.end = len(in.kinds)
	o.verts = in.facesOf(o)
	in.offers = append(in.offers, o)
}

// facesOf projects the vertices of the table on the kinds in use and leaves out
// those that say less than another.
func (in *instance) facesOf(o offer) []face {
	var all []face
	for _, v := range o.table.vertices {
		f := face{den: v.den}
		for _, k := range in.kinds[o.first:o.end] {
			f.num = append(f.num, v.num[k.column])
			f.share = append(f.share, float64(v.num[k.column])/float64(v.den))
		}
		all = append(all, f)
	}
	var out []face
	for i, f := range all {
		covered := slices.ContainsFunc(out, func(o face) bool { return o.atLeast(f) }) ||
			slices.ContainsFunc(all[i+1:], func(o face) bool { return o.atLeast(f) && !f.atLeast(o) })
		if !covered {
			out = append(out, f)
		}
	}
	return out
}

func (f face) atLeast(o face) bool {
	for i := range f.num {
		if f.num[i]*o.den < o.num[i]*f.den {
			return false
		}
	}
	return true
}

// addCurrent counts what is there today: GPUs to be cut anew, and free slices of
// those that stay as they are. Their nodes count against the limit.
func (in *instance) addCurrent(current []Placed, index map[string]int) {
	seen := map[int]bool{}
	for _, c := range current {
		o := &in.offers[index[c.Type]]
		if !seen[c.Node] {
			seen[c.Node] = true
			if o.nodes < maxNodes {
				o.nodes = max(0, o.nodes-1)
			}
		}
		if !c.Fixed {
			o.paid++
			continue
		}
		for _, s := range c.Geometry {
			if s.Model == "" {
				if k := in.kindOf(index[c.Type], s.Profile); k >= 0 {
					in.kinds[k].free++
				}
			}
		}
	}
}

// kindOf answers the kind of a profile of an offer, or -1 where no model uses it.
func (in *instance) kindOf(offer int, profile fleet.ProfileName) int {
	o := in.offers[offer]
	for k := o.first; k < o.end; k++ {
		if in.kinds[k].profile == profile {
			return k
		}
	}
	return -1
}

// place is a slice kind by name.
type place struct {
	gpu     string
	profile fleet.ProfileName
}

// keptSlices lists the slices of fixed GPUs by the model that keeps them.
func keptSlices(current []Placed) map[Occupant][]place {
	kept := map[Occupant][]place{}
	for _, c := range current {
		for _, s := range c.Geometry {
			if c.Fixed && s.Model != "" {
				kept[s.Model] = append(kept[s.Model], place{c.Type, s.Profile})
			}
		}
	}
	return kept
}

func (in *instance) newDemand(m Model, kept []place, index map[string]int) demand {
	need := decimalOf(m.Demand)
	var does []decimal
	var kinds []int
	for _, name := range slices.Sorted(maps.Keys(m.Throughput)) {
		for profile, x := range m.Throughput[name] {
			kinds = append(kinds, in.kindOf(index[name], profile))
			does = append(does, decimalOf(x))
		}
	}
	unit := commonUnit(need, does)
	d := demand{name: m.Name, unit: unit, value: m.Value, keeps: map[int]int{}, scale: m.Demand / float64(first(need.in(unit)))}
	if d.value == 0 {
		d.value = 1
	}
	low, high := need.in(unit)
	keptUpper := int64(0)
	for _, k := range kept {
		if x, ok := m.Throughput[k.gpu][k.profile]; ok {
			d.keeps[in.kindOf(index[k.gpu], k.profile)]++
			down, up := decimalOf(x).in(unit)
			d.kept = min(d.kept+down, high)
			keptUpper = min(keptUpper+up, high)
		}
	}
	d.need, d.needLow = high-d.kept, max(0, low-keptUpper)
	if d.need <= 0 {
		return d
	}
	for i, k := range kinds {
		down, up := does[i].in(unit)
		if down > 0 {
			d.items = append(d.items, item{kind: k, does: min(down, d.need), upper: min(up, d.need)})
		}
	}
	slices.SortFunc(d.items, func(a, b item) int { return cmp.Compare(a.kind, b.kind) })
	return d
}

func first(a, _ int64) int64 { return a }

// purchase is the money for so many GPUs of an offer, whole nodes, paid ones free.
// More than any amount can say counts as unaffordable.
func (o offer) purchase(gpus int) int64 {
	bought := o.nodesFor(gpus) * o.perNode
	if float64(bought)*float64(o.price) > float64(unaffordable) {
		return unaffordable
	}
	return int64(bought) * o.price
}

const unaffordable = int64(1e17)

// nodesFor is how many nodes must be bought to have so many GPUs.
func (o offer) nodesFor(gpus int) int {
	return (max(0, gpus-o.paid) + o.perNode - 1) / o.perNode
}

// limit is the most GPUs of the offer there can be to cut.
func (o offer) limit() int { return o.paid + o.nodes*o.perNode }

// gpusFor is the least number of GPUs that can hold the slices, free slices taken
// off, by the faces: what realise attains, but for rare exceptions; never more.
func (in *instance) gpusFor(o offer, counts []int) int {
	most := int64(0)
	for _, f := range o.verts {
		sum := int64(0)
		for i, num := range f.num {
			sum += num * int64(max(0, counts[o.first+i]-in.kinds[o.first+i].free))
		}
		most = max(most, (sum+f.den-1)/f.den)
	}
	return int(most)
}

// atLeast is the same for slices of the offer's kinds, of which none are free.
func (o offer) atLeast(counts []int) int {
	most := int64(0)
	for _, f := range o.verts {
		sum := int64(0)
		for i, num := range f.num {
			sum += num * int64(counts[i])
		}
		most = max(most, (sum+f.den-1)/f.den)
	}
	return int(most)
}

// spec describes the part, or a GPU of one slice where there is no MIG.
func (g GPU) spec() fleet.GPUSpec {
	if spec, ok := fleet.LookupGPU(g.MIG); ok {
		return spec
	}
	return fleet.GPUSpec{Type: fleet.GPUType(g.Name), ComputeSlices: 1, MemorySlices: 1}
}
