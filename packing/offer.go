package packing

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// offer is one of the problem's GPUs.
type offer struct {
	name     string
	spec     fleet.GPUSpec
	price    int64 // Nano-units of money an hour, per GPU.
	perNode  int
	paid     int // GPUs that cost nothing more and can be cut anew.
	standing int // Nodes that are there today.
	reserved int // Nodes that are paid and not there yet.
	nodes    int // Nodes that may still be bought.
	first    int // Its kinds are those from first up to before end.
	end      int
	table    *table
	verts    []face // Over its kinds, scaled to one GPU.
	shared   bool   // Some of its kinds are shares.
	process  *Process
}

// face is one vertex of the offer's table over the offer's kinds. Shares stand in
// it as parts of their slice in part and share, and not at all in num, because GPUs
// are counted in whole slices.
type face struct {
	num   []int64
	den   int64
	part  []int64 // What one of each kind takes of a GPU, in parts of one over parts.
	parts int64
	share []float64 // part / parts.
}

// kind is a profile of an offer, or a share of one.
type kind struct {
	offer   int
	column  int // In the offer's table.
	profile fleet.ProfileName
	shares  int // How many make one slice of the column; 1 for the slice itself.
	base    int // The kind of that slice.
	free    int // Slices that exist, cost nothing and cannot be cut anew.
}

func (in *instance) addOffer(g GPU, used map[fleet.ProfileName]bool) {
	price, _ := ParseAmount(g.PricePerHour) // Validated.
	spec := g.spec()
	shares := map[fleet.ProfileName][]int{}
	for name := range used {
		if whole, n := shareOf(name); n > 1 {
			shares[whole] = append(shares[whole], n)
		}
	}
	media := slices.ContainsFunc(spec.Profiles, func(p fleet.MIGProfile) bool {
		return p.MediaEngines && (used[p.Name] || len(shares[p.Name]) > 0)
	})
	o := offer{
		name: g.Name, spec: spec, price: int64(price), perNode: g.PerNode, paid: g.Reserved * g.PerNode, reserved: g.Reserved,
		nodes: maxNodes, first: len(in.kinds), table: tableOf(g.MIG, media), shared: len(shares) > 0, process: g.Process,
	}
	if g.MaxNodes != nil {
		o.nodes = max(0, *g.MaxNodes-g.Reserved)
	}
	for column, profile := range o.table.profiles {
		if !used[profile] && len(shares[profile]) == 0 {
			continue
		}
		base := len(in.kinds)
		in.kinds = append(in.kinds, kind{offer: len(in.offers), column: column, profile: profile, shares: 1, base: base})
		slices.Sort(shares[profile])
		for _, n := range shares[profile] {
			in.kinds = append(in.kinds, kind{offer: len(in.offers), column: column, profile: shareName(profile, n), shares: n, base: base})
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
	common := int64(1) // A multiple of all numbers of shares.
	for _, k := range in.kinds[o.first:o.end] {
		common *= int64(k.shares) / gcd(common, int64(k.shares))
	}
	for _, v := range o.table.vertices {
		f := face{den: v.den, parts: v.den * common}
		for _, k := range in.kinds[o.first:o.end] {
			n := v.num[k.column]
			f.part = append(f.part, n*common/int64(k.shares))
			f.share = append(f.share, float64(n)/float64(v.den)/float64(k.shares))
			if k.shares > 1 {
				n = 0
			}
			f.num = append(f.num, n)
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
	if o.shared {
		return o.atLeast(in.folded(o, in.lacking(o, counts)))
	}
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

// lacking answers the offer's part of the counts, free slices taken off.
func (in *instance) lacking(o offer, counts []int) []int {
	out := make([]int, o.end-o.first)
	for i := range out {
		out[i] = max(0, counts[o.first+i]-in.kinds[o.first+i].free)
	}
	return out
}

// folded turns shares into the slices that hold them, over the offer's kinds.
func (in *instance) folded(o offer, counts []int) []int {
	if !o.shared {
		return counts
	}
	out := make([]int, len(counts))
	for i, n := range counts {
		k := in.kinds[o.first+i]
		out[k.base-o.first] += (n + k.shares - 1) / k.shares
	}
	return out
}

// atLeast is the least number of GPUs by the faces for slices of the offer's
// kinds, of which none are free and none are shares.
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
