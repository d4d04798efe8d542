package packing

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// A table is all that geometry says about how many GPUs of one part a number of
// slices needs. Columns are the part's profiles, then WholeGPU.
//
// The least number of GPUs, as a linear program over the maximal geometries, is by
// duality the largest of v·N over the vertices v of {v >= 0: a·v <= 1 for every
// maximal geometry a}. The vertices are few, so this costs a few hundred
// multiplications instead of a linear program. Rounded up it is nearly always the
// integer optimum; realise finds out.
type table struct {
	profiles   []fleet.ProfileName
	patterns   [][]int          // Slices of each profile in each maximal geometry.
	geometries []fleet.Geometry // The geometry of each pattern.
	vertices   []vertex
}

// vertex is a price of each profile at which no geometry costs more than one GPU.
type vertex struct {
	num []int64
	den int64
}

// tables holds the two tables of each part, without and with the slices that own
// the media engines, each made on first use.
var tables = func() map[fleet.GPUType][2]func() *table {
	out := map[fleet.GPUType][2]func() *table{}
	for _, t := range fleet.GPUTypes() {
		spec, _ := fleet.LookupGPU(t)
		var both [2]func() *table
		for i := range both {
			both[i] = sync.OnceValue(func() *table { return newTable(spec, i == 1) })
		}
		out[t] = both
	}
	return out
}()

// wholeOnly is the table of a GPU that cannot be divided.
var wholeOnly = &table{
	profiles:   []fleet.ProfileName{fleet.WholeGPU},
	patterns:   [][]int{{1}},
	geometries: []fleet.Geometry{{{Profile: fleet.WholeGPU}}},
	vertices:   []vertex{{num: []int64{1}, den: 1}},
}

// tableOf answers the table of a part; the empty type has no MIG.
func tableOf(t fleet.GPUType, media bool) *table {
	if t == "" {
		return wholeOnly
	}
	i := 0
	if media {
		i = 1
	}
	return tables[t][i]()
}

func newTable(spec fleet.GPUSpec, media bool) *table {
	t := &table{}
	for _, p := range spec.Profiles {
		if media || !p.MediaEngines {
			t.profiles = append(t.profiles, p.Name)
		}
	}
	sliced := len(t.profiles)
	for _, g := range Maximal(spec, t.profiles...) {
		a := make([]int, sliced+1)
		for _, p := range g {
			a[slices.Index(t.profiles, p.Profile)]++
		}
		t.patterns = append(t.patterns, a)
		t.geometries = append(t.geometries, g)
	}
	t.vertices = verticesOf(t.patterns, sliced)
	for i := range t.vertices {
		t.vertices[i].num = append(t.vertices[i].num, t.vertices[i].den)
	}
	// An undivided GPU is one more pattern, which costs one GPU at every vertex.
	undivided := make([]int, sliced+1)
	undivided[sliced] = 1
	t.profiles = append(t.profiles, fleet.WholeGPU)
	t.patterns = append(t.patterns, undivided)
	t.geometries = append(t.geometries, fleet.Geometry{{Profile: fleet.WholeGPU}})
	return t
}

// verticesOf lists the vertices of {v >= 0: a·v <= 1 for each pattern a} over the
// first dims columns that no other vertex dominates, by the double description
// method (Motzkin et al. 1953): rays of the cone {(v, t) >= 0: t - a·v >= 0} are
// kept while one inequality after the other is added.
func verticesOf(patterns [][]int, dims int) []vertex {
	var rays []ray
	for i := range dims + 1 {
		r := ray{at: make([]int64, dims+1), tight: (1<<(dims+1) - 1) &^ (1 << i)}
		r.at[i] = 1
		rays = append(rays, r)
	}
	for i, a := range patterns {
		rays = intersect(rays, a, dims, uint(dims+1+i))
	}
	var out []vertex
	for i, r := range rays {
		if r.at[dims] > 0 && !slices.ContainsFunc(rays[:], func(o ray) bool { return &o.at[0] != &rays[i].at[0] && dominates(o.at, r.at, dims) }) {
			out = append(out, vertex{num: r.at[:dims:dims], den: r.at[dims]})
		}
	}
	slices.SortFunc(out, func(a, b vertex) int { return slices.Compare(append(a.num, a.den), append(b.num, b.den)) })
	return out
}

// dominates says whether vertex a is at least b in every column.
func dominates(a, b []int64, dims int) bool {
	if a[dims] == 0 {
		return false
	}
	for i := range dims {
		if a[i]*b[dims] < b[i]*a[dims] {
			return false
		}
	}
	return true
}

// ray is an extreme ray with the set of inequalities that hold with equality.
type ray struct {
	at    []int64
	tight uint64
}

// intersect cuts the cone of the rays with t - a·v >= 0, whose number is bit.
func intersect(rays []ray, a []int, dims int, bit uint) []ray {
	value := make([]int64, len(rays))
	var out []ray
	for i, r := range rays {
		value[i] = r.at[dims]
		for j := range dims {
			value[i] -= int64(a[j]) * r.at[j]
		}
		switch {
		case value[i] > 0:
			out = append(out, r)
		case value[i] == 0:
			out = append(out, ray{at: r.at, tight: r.tight | 1<<bit})
		}
	}
	for i := range rays {
		for j := range rays {
			if value[i] > 0 && value[j] < 0 && adjacent(rays, i, j, dims) {
				out = append(out, combine(rays[i], rays[j], value[i], value[j], bit))
			}
		}
	}
	return out
}

// adjacent is the combinatorial test: no third ray is tight wherever both are.
func adjacent(rays []ray, i, j, dims int) bool {
	both := rays[i].tight & rays[j].tight
	if bits.OnesCount64(both) < dims-1 {
		return false
	}
	for k := range rays {
		if k != i && k != j && rays[k].tight&both == both {
			return false
		}
	}
	return true
}

// combine is the ray between two at which the new inequality is tight.
func combine(p, n ray, vp, vn int64, bit uint) ray {
	r := ray{at: make([]int64, len(p.at)), tight: p.tight&n.tight | 1<<bit}
	var g int64
	for i := range r.at {
		r.at[i] = vp*n.at[i] - vn*p.at[i]
		g = gcd(g, r.at[i])
	}
	for i := range r.at {
		r.at[i] /= g
	}
	return r
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}
