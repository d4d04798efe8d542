package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Placement is one slice of a GPU: its profile and the memory slice at which it
// begins.
type Placement struct {
	Profile ProfileName `json:"profile"`
	Start   int         `json:"start"`
}

// Geometry is the slices into which one GPU is cut, sorted by start. A GPU that
// is not divided has the geometry {{WholeGPU, 0}}; one on which nothing has been
// created yet has none.
type Geometry []Placement

// Validate says why the geometry cannot exist on a part, naming every reason, or
// nil. The rule is NVIDIA's: placements from the table that do not overlap, each
// profile at most as often as it may, at most one slice with media engines, and
// no more compute slices than the part has.
func (g Geometry) Validate(s GPUSpec) error {
	var errs []error
	counts := map[ProfileName]int{}
	owner := make([]int, s.MemorySlices) // One more than the index of the placement there.
	compute, media := 0, 0
	for i, p := range g {
		if i > 0 && p.Start < g[i-1].Start {
			errs = append(errs, fmt.Errorf("%s at %d comes after start %d: placements must be sorted by start",
				p.Profile, p.Start, g[i-1].Start))
		}
		row, ok := s.Profile(p.Profile)
		if !ok {
			errs = append(errs, fmt.Errorf("%s has no profile %q", s.Type, p.Profile))
			continue
		}
		if p.Profile == WholeGPU && len(g) > 1 {
			errs = append(errs, fmt.Errorf("%s stands beside %d other slices: a whole GPU has no slices", WholeGPU, len(g)-1))
		}
		counts[p.Profile]++
		if counts[p.Profile] == row.Max+1 {
			errs = append(errs, fmt.Errorf("more than %d of %s on one %s", row.Max, p.Profile, s.Type))
		}
		compute += row.Compute
		if row.MediaEngines {
			media++
		}
		if !slices.Contains(row.Starts, p.Start) {
			errs = append(errs, fmt.Errorf("%s cannot start at %d on %s, only at %v", p.Profile, p.Start, s.Type, row.Starts))
			continue
		}
		if j := occupy(owner, i, p.Start, row.Size); j >= 0 {
			errs = append(errs, fmt.Errorf("%s at %d overlaps %s at %d", p.Profile, p.Start, g[j].Profile, g[j].Start))
		}
	}
	if compute > s.ComputeSlices {
		errs = append(errs, fmt.Errorf("%d compute slices on %s, which has %d", compute, s.Type, s.ComputeSlices))
	}
	if media > 1 {
		errs = append(errs, fmt.Errorf("%d slices with media engines, of which a GPU has one", media))
	}
	return errors.Join(errs...)
}

// occupy marks the memory slices of placement i and answers the first placement
// that was there before it, or -1.
func occupy(owner []int, i, start, size int) int {
	before := -1
	for k := start; k < start+size; k++ {
		if owner[k] > 0 && before < 0 {
			before = owner[k] - 1
		}
		owner[k] = i + 1
	}
	return before
}

// String writes the slices without their starts, the largest first, for people:
// "3g.40gb + 2×1g.10gb". An empty geometry is "empty".
func (g Geometry) String() string {
	if len(g) == 0 {
		return "empty"
	}
	counts := g.Counts()
	names := make([]ProfileName, 0, len(counts))
	for _, p := range g {
		if !slices.Contains(names, p.Profile) {
			names = append(names, p.Profile)
		}
	}
	// NVIDIA's names begin with the compute slices, so the reverse order of names
	// puts the largest first.
	slices.SortFunc(names, func(a, b ProfileName) int { return cmp.Compare(b, a) })
	var out strings.Builder
	for i, n := range names {
		if i > 0 {
			out.WriteString(" + ")
		}
		if counts[n] > 1 {
			fmt.Fprintf(&out, "%d×", counts[n])
		}
		out.WriteString(string(n))
	}
	return out.String()
}

// Counts answers how many slices there are of each profile.
func (g Geometry) Counts() map[ProfileName]int {
	counts := make(map[ProfileName]int, len(g))
	for _, p := range g {
		counts[p.Profile]++
	}
	return counts
}

// Undivided tells whether the GPU is used whole: its MIG mode is off.
func (g Geometry) Undivided() bool { return len(g) == 1 && g[0].Profile == WholeGPU }

// Equal says whether both hold the same slices at the same places.
func (g Geometry) Equal(o Geometry) bool { return slices.Equal(g, o) }

// Clone answers a copy that shares nothing with g.
func (g Geometry) Clone() Geometry { return slices.Clone(g) }
