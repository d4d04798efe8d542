package packing

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

func spec(t testing.TB, name fleet.GPUType) fleet.GPUSpec {
	t.Helper()
	s, ok := fleet.LookupGPU(name)
	if !ok {
		t.Fatalf("no part %q", name)
	}
	return s
}

var (
	plainSlices  = []fleet.ProfileName{"1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"}
	doubleMemory = append([]fleet.ProfileName{"1g.20gb"}, plainSlices...)
	plainA30     = []fleet.ProfileName{"1g.6gb", "2g.12gb", "4g.24gb"}
)

// The numbers were counted independently from NVIDIA's placement tables.
func TestNumberOfGeometriesIsThatOfNvidiasTables(t *testing.T) {
	for _, tt := range []struct {
		name              string
		part              fleet.GPUType
		allowed           []fleet.ProfileName
		feasible, maximal int
	}{
		{"seven slices, plain", "a100-80gb", plainSlices, 37, 12},
		{"seven slices with double memory", "a100-80gb", doubleMemory, 77, 28},
		{"seven slices with media engines", "a100-80gb", nil, 127, 44},
		{"another part, all profiles", "h200-141gb", nil, 127, 44},
		{"A30, plain", "a30-24gb", plainA30, 9, 4},
		{"A30 with media engines", "a30-24gb", nil, 19, 8},
		{"no MIG", "l4-24gb", nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := spec(t, tt.part)
			if got := len(Feasible(s, tt.allowed...)); got != tt.feasible {
				t.Errorf("%d feasible, want %d", got, tt.feasible)
			}
			if got := len(Maximal(s, tt.allowed...)); got != tt.maximal {
				t.Errorf("%d maximal, want %d", got, tt.maximal)
			}
		})
	}
}

func TestEveryGeometryListedIsLegalAndListedOnce(t *testing.T) {
	for _, name := range fleet.GPUTypes() {
		s := spec(t, name)
		seen := map[string]bool{}
		for _, g := range Feasible(s) {
			if err := g.Validate(s); err != nil {
				t.Errorf("%s: %v: %v", name, g, err)
			}
			if seen[g.String()] {
				t.Errorf("%s: %v twice", name, g)
			}
			seen[g.String()] = true
		}
	}
}

func TestALoneThreeSliceLeavesRoomForFour(t *testing.T) {
	s := spec(t, "a100-80gb")
	for _, g := range Feasible(s) {
		if len(g) == 1 && g[0].Profile == "3g.40gb" && g[0].Start != 4 {
			t.Errorf("3g.40gb stands at %d", g[0].Start)
		}
	}
	if got := Fits(s, fleet.Geometry{{Profile: "3g.40gb", Start: 4}}, "4g.40gb"); !slices.Equal(got, []int{0}) {
		t.Errorf("4g beside a 3g at 4: %v", got)
	}
	if got := Fits(s, fleet.Geometry{{Profile: "3g.40gb", Start: 0}}, "4g.40gb"); got != nil {
		t.Errorf("4g beside a 3g at 0: %v", got)
	}
}

func TestTwoThreeSlicesLeaveNothing(t *testing.T) {
	s := spec(t, "h100-80gb")
	both := fleet.Geometry{{Profile: "3g.40gb", Start: 0}, {Profile: "3g.40gb", Start: 4}}
	for _, p := range s.Profiles {
		if got := Fits(s, both, p.Name); got != nil {
			t.Errorf("%s fits at %v beside 3g+3g", p.Name, got)
		}
	}
	if Fits(s, both, fleet.WholeGPU) != nil || Fits(s, both, "9g.90gb") != nil {
		t.Error("a whole GPU or an unknown profile fits beside slices")
	}
	if got := Fits(s, nil, fleet.WholeGPU); !slices.Equal(got, []int{0}) {
		t.Errorf("a whole GPU on an empty one: %v", got)
	}
}

// Fits and the rule in fleet, which were written apart, agree on every GPU that
// can be filled step by step.
func TestFitsIsExactlyWhatTheRuleAllows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := fleet.GPUTypes()
		s := spec(t, names[rapid.IntRange(0, len(names)-1).Draw(r, "part")])
		if len(s.Profiles) == 0 {
			return
		}
		var g fleet.Geometry
		for range rapid.IntRange(0, 7).Draw(r, "slices") {
			p := s.Profiles[rapid.IntRange(0, len(s.Profiles)-1).Draw(r, "profile")]
			starts := Fits(s, g, p.Name)
			for at := range s.MemorySlices {
				more := append(g.Clone(), fleet.Placement{Profile: p.Name, Start: at})
				slices.SortFunc(more, func(a, b fleet.Placement) int { return a.Start - b.Start })
				if legal := more.Validate(s) == nil; legal != slices.Contains(starts, at) {
					r.Fatalf("%s at %d beside %v: Fits says %v, the rule says %v", p.Name, at, g, starts, legal)
				}
			}
			if len(starts) == 0 {
				continue
			}
			at := starts[rapid.IntRange(0, len(starts)-1).Draw(r, "start")]
			g = append(g, fleet.Placement{Profile: p.Name, Start: at})
			slices.SortFunc(g, func(a, b fleet.Placement) int { return a.Start - b.Start })
		}
	})
}

// What holds for one part holds for all that are cut like it.
func TestPartsThatAreCutAlikeHaveAsManyGeometries(t *testing.T) {
	want := map[int][2]int{7: {127, 44}, 4: {19, 8}, 1: {0, 0}}
	for _, name := range fleet.GPUTypes() {
		s := spec(t, name)
		if got := [2]int{len(Feasible(s)), len(Maximal(s))}; got != want[s.ComputeSlices] {
			t.Errorf("%s: %d feasible, %d maximal, want %v", name, got[0], got[1], want[s.ComputeSlices])
		}
	}
}

// The guide's example fails when the large slice comes last and the driver chooses
// the places; in creation order every slice finds the place it is to have.
func TestInCreationOrderEverySliceFindsItsPlace(t *testing.T) {
	guide := fleet.Geometry{{Profile: "1g.5gb", Start: 0}, {Profile: "1g.5gb", Start: 1}, {Profile: "2g.10gb", Start: 2}, {Profile: "3g.20gb", Start: 4}}
	want := []fleet.Placement{guide[3], guide[2], guide[0], guide[1]}
	if got := CreationOrder(spec(t, "a100-40gb"), guide); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	for _, name := range fleet.GPUTypes() {
		s := spec(t, name)
		for _, g := range Feasible(s) {
			var there fleet.Geometry
			for _, p := range CreationOrder(s, g) {
				if !slices.Contains(Fits(s, there, p.Profile), p.Start) {
					t.Errorf("%s: %s at %d does not fit beside %v", name, p.Profile, p.Start, there)
				}
				there = append(there, p)
			}
			if len(there) != len(g) {
				t.Errorf("%s: %v creates %d slices", name, g, len(there))
			}
		}
	}
}
