package packing

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Feasible lists every multiset of slices into which a GPU can be cut, each as one
// canonical geometry, with the profiles allowed (all when none are named). The
// whole GPU and the empty geometry are not among them. The order is that of the
// counts by profile, fewest first.
//
// Of the placements of a multiset the canonical one puts the largest slices at the
// highest starts: a lone 3g stands at 4 and leaves start 0, the only one a 4g has.
func Feasible(s fleet.GPUSpec, allowed ...fleet.ProfileName) []fleet.Geometry {
	return inOrder(enumerate(s, allowed), func([]int) bool { return true })
}

// Maximal lists the feasible geometries to which no slice of an allowed profile
// can be added, wherever the slices stand.
func Maximal(s fleet.GPUSpec, allowed ...fleet.ProfileName) []fleet.Geometry {
	all := enumerate(s, allowed)
	return inOrder(all, func(counts []int) bool { return !extensible(counts, all) })
}

// inOrder lists the geometries whose counts are wanted by their counts.
func inOrder(all map[string]multiset, want func(counts []int) bool) []fleet.Geometry {
	var out []fleet.Geometry
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if want(all[k].counts) {
			out = append(out, all[k].geometry)
		}
	}
	return out
}

// Fits lists the starts at which one more slice of a profile can be created beside
// the slices that a GPU already has, ascending. Those keep their places.
func Fits(s fleet.GPUSpec, occupied fleet.Geometry, profile fleet.ProfileName) []int {
	row, ok := s.Profile(profile)
	if !ok {
		return nil
	}
	if profile == fleet.WholeGPU {
		if len(occupied) > 0 {
			return nil
		}
		return slices.Clone(row.Starts)
	}
	o, ok := occupationOf(s, occupied)
	if !ok {
		return nil
	}
	var starts []int
	for _, at := range row.Starts {
		if o.admits(s, row, at) {
			starts = append(starts, at)
		}
	}
	return starts
}

// CreationOrder lists the slices of a legal geometry in an order in which a GPU that
// is empty takes them: the largest first, and of equals the lowest start. Where the
// starts are left to the driver, a large slice that comes late may find its places
// taken in part; given with their starts, slices can be created in any order.
func CreationOrder(s fleet.GPUSpec, g fleet.Geometry) []fleet.Placement {
	out := slices.Clone([]fleet.Placement(g))
	slices.SortStableFunc(out, func(a, b fleet.Placement) int {
		x, _ := s.Profile(a.Profile)
		y, _ := s.Profile(b.Profile)
		return cmp.Or(cmp.Compare(y.Size, x.Size), cmp.Compare(y.Compute, x.Compute), cmp.Compare(a.Start, b.Start))
	})
	return out
}

// occupation is what a partial geometry has taken of a GPU.
type occupation struct {
	memory  uint32 // Bit per memory slice.
	compute int
	media   bool
	counts  []int // By index of the part's profiles.
}

// occupationOf adds up a geometry; it answers false for one that is not made of
// slices of the part.
func occupationOf(s fleet.GPUSpec, g fleet.Geometry) (occupation, bool) {
	o := occupation{counts: make([]int, len(s.Profiles))}
	for _, p := range g {
		row, ok := s.Profile(p.Profile)
		if !ok || p.Profile == fleet.WholeGPU || p.Start < 0 || p.Start+row.Size > s.MemorySlices {
			return occupation{}, false
		}
		o.add(s, row, p.Start)
	}
	return o, true
}

func span(start, size int) uint32 { return (1<<size - 1) << start }

func (o *occupation) admits(s fleet.GPUSpec, row fleet.MIGProfile, at int) bool {
	return o.memory&span(at, row.Size) == 0 &&
		o.compute+row.Compute <= s.ComputeSlices &&
		(!row.MediaEngines || !o.media) &&
		o.counts[indexOf(s, row.Name)] < row.Max
}

func (o *occupation) add(s fleet.GPUSpec, row fleet.MIGProfile, at int) {
	o.memory |= span(at, row.Size)
	o.compute += row.Compute
	o.media = o.media || row.MediaEngines
	o.counts[indexOf(s, row.Name)]++
}

func indexOf(s fleet.GPUSpec, n fleet.ProfileName) int {
	return slices.IndexFunc(s.Profiles, func(p fleet.MIGProfile) bool { return p.Name == n })
}

// multiset is a number of slices of each profile, with the canonical placement.
type multiset struct {
	counts   []int // By index of the part's profiles.
	geometry fleet.Geometry
}

// enumerate walks all placements and keeps the canonical one of each multiset,
// by the multiset's counts as a string.
func enumerate(s fleet.GPUSpec, allowed []fleet.ProfileName) map[string]multiset {
	found := map[string]multiset{}
	var walk func(at int, g fleet.Geometry, o occupation)
	walk = func(at int, g fleet.Geometry, o occupation) {
		if at == s.MemorySlices {
			if len(g) > 0 {
				keepCanonical(s, found, g, o.counts)
			}
			return
		}
		walk(at+1, g, o)
		for _, row := range s.Profiles {
			if len(allowed) > 0 && !slices.Contains(allowed, row.Name) || !slices.Contains(row.Starts, at) || !o.admits(s, row, at) {
				continue
			}
			next := o
			next.counts = slices.Clone(o.counts)
			next.add(s, row, at)
			walk(at+1, append(slices.Clip(g), fleet.Placement{Profile: row.Name, Start: at}), next)
		}
	}
	walk(0, nil, occupation{counts: make([]int, len(s.Profiles))})
	return found
}

func keepCanonical(s fleet.GPUSpec, found map[string]multiset, g fleet.Geometry, counts []int) {
	k := key(counts)
	if old, ok := found[k]; ok && slices.Compare(startsLargestFirst(s, g), startsLargestFirst(s, old.geometry)) <= 0 {
		return
	}
	found[k] = multiset{counts: counts, geometry: g.Clone()}
}

// startsLargestFirst orders the starts by falling size of the slice, then name,
// then falling start, so that comparing two of them prefers large slices high up.
func startsLargestFirst(s fleet.GPUSpec, g fleet.Geometry) []int {
	c := g.Clone()
	slices.SortFunc(c, func(a, b fleet.Placement) int {
		return cmp.Or(
			cmp.Compare(indexOf(s, b.Profile), indexOf(s, a.Profile)),
			cmp.Compare(b.Start, a.Start),
		)
	})
	starts := make([]int, len(c))
	for i, p := range c {
		starts[i] = p.Start
	}
	return starts
}

func key(counts []int) string {
	b := make([]byte, len(counts))
	for i, n := range counts {
		b[i] = byte(n)
	}
	return string(b)
}

// extensible says whether one more slice makes another feasible multiset.
func extensible(counts []int, all map[string]multiset) bool {
	more := slices.Clone(counts)
	for i := range more {
		more[i]++
		if _, ok := all[key(more)]; ok {
			return true
		}
		more[i]--
	}
	return false
}
