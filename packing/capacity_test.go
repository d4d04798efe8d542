package packing

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// bare is an instance of one offer with all kinds of a part, without a limit.
func bare(part fleet.GPUType, media bool) *instance {
	t := tableOf(part, media)
	in := &instance{}
	for c, p := range t.profiles {
		in.kinds = append(in.kinds, kind{column: c, profile: p, shares: 1, base: c})
	}
	o := offer{name: string(part), perNode: 1, nodes: maxNodes, end: len(in.kinds), table: t}
	o.verts = in.facesOf(o)
	in.offers = []offer{o}
	return in
}

// What fits on a GPU with seven slices is four inequalities: one slice of 4g or
// 7g; three places for 2g or 3g; seven compute slices; eight memory slices.
func TestAGPUOfSevenSlicesIsFourInequalities(t *testing.T) {
	tb := tableOf("a100-80gb", false)
	want := []vertex{
		{num: []int64{0, 0, 0, 0, 1, 1, 1}, den: 1},
		{num: []int64{0, 0, 1, 1, 2, 3, 3}, den: 3},
		{num: []int64{1, 1, 2, 3, 4, 7, 7}, den: 7},
		{num: []int64{1, 2, 2, 4, 4, 8, 8}, den: 8},
	}
	if !slices.EqualFunc(tb.vertices, want, func(a, b vertex) bool { return a.den == b.den && slices.Equal(a.num, b.num) }) {
		t.Errorf("vertices %v of %v, want %v", tb.vertices, tb.profiles, want)
	}
}

// A multiset of slices fits on one GPU exactly when every face says so.
func TestFacesTellTheGeometriesOfOneGPUExactly(t *testing.T) {
	for _, part := range []fleet.GPUType{"a100-80gb", "a30-24gb"} {
		s := spec(t, part)
		in := bare(part, true)
		legal := map[string]bool{}
		for _, g := range Feasible(s) {
			legal[g.String()] = true
		}
		counts := make([]int, len(in.kinds))
		var walk func(i, room int)
		walk = func(i, room int) {
			if i == len(s.Profiles) {
				var g fleet.Geometry
				for k, n := range counts {
					for range n {
						g = append(g, fleet.Placement{Profile: in.kinds[k].profile})
					}
				}
				if fits := in.gpusFor(in.offers[0], counts) <= 1; len(g) > 0 && fits != legal[g.String()] {
					t.Errorf("%s: %v on one GPU: faces say %v, the tables %v", part, g, fits, !fits)
				}
				return
			}
			for counts[i] = 0; counts[i] <= room; counts[i]++ {
				walk(i+1, room-counts[i])
			}
			counts[i] = 0
		}
		walk(0, 8)
	}
}

// The least number of GPUs by the faces is nearly always attained; where it is
// not, realise says so by taking one more, and everything is placed all the same.
func TestRealisePlacesEverySliceOnTheFewestGPUs(t *testing.T) {
	missed := 0
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.SampledFrom([]fleet.GPUType{"a100-40gb", "a30-24gb", "h200-141gb", ""}).Draw(r, "part")
		in := bare(part, rapid.Bool().Draw(r, "media"))
		o := in.offers[0]
		counts := make([]int, len(in.kinds))
		for i := range counts {
			counts[i] = rapid.IntRange(0, 12).Draw(r, "slices")
		}
		cuts, left := in.realise(o, counts, o.limit())
		placed := make([]int, len(counts))
		for _, c := range cuts {
			for i, n := range c.used {
				placed[i] += n
				if n > o.table.patterns[c.pattern][i] {
					r.Fatalf("%d slices of kind %d in %v", n, i, o.table.geometries[c.pattern])
				}
			}
		}
		if !slices.Equal(placed, counts) || sum(left) > 0 {
			r.Fatalf("placed %v of %v", placed, counts)
		}
		if len(cuts) > in.gpusFor(o, counts) {
			missed++
		}
	})
	if missed > 0 {
		t.Errorf("%d times one GPU more than the faces say", missed)
	}
}

func TestRealiseKeepsToItsLimit(t *testing.T) {
	in := bare("a100-80gb", false)
	counts := []int{9, 0, 0, 0, 0, 3, 0}
	cuts, left := in.realise(in.offers[0], counts, 2)
	if len(cuts) != 2 || sum(left) == 0 {
		t.Errorf("%d GPUs, %v left", len(cuts), left)
	}
}
