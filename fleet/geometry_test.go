package fleet

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestGeometriesThatDriversAcceptAreLegal(t *testing.T) {
	for _, tt := range []struct {
		name string
		part GPUType
		give Geometry
	}{
		{"nothing created yet", "a100-80gb", nil},
		{"3g with 4g, as nvidia-smi -cgi 3g.40gb,4g.40gb makes it", "a100-80gb", Geometry{{"4g.40gb", 0}, {"3g.40gb", 4}}},
		{"the guide's 3-2-1-1", "a100-40gb", Geometry{{"1g.5gb", 0}, {"1g.5gb", 1}, {"2g.10gb", 2}, {"3g.20gb", 4}}},
		{"the guide's 2-1-1-1-1-1", "a100-40gb", Geometry{{"1g.5gb", 0}, {"1g.5gb", 1}, {"1g.5gb", 2}, {"1g.5gb", 3}, {"2g.10gb", 4}, {"1g.5gb", 6}}},
		{"four instances of equal memory on all compute slices", "h100-80gb", Geometry{{"2g.20gb", 0}, {"2g.20gb", 2}, {"2g.20gb", 4}, {"1g.20gb", 6}}},
		{"3g at 4 leaves four small ones", "b200-180gb", Geometry{{"1g.23gb", 0}, {"1g.23gb", 1}, {"1g.23gb", 2}, {"1g.23gb+me", 3}, {"3g.90gb", 4}}},
		{"an A30 in four", "a30-24gb", Geometry{{"1g.6gb", 0}, {"1g.6gb+me", 1}, {"1g.6gb", 2}, {"1g.6gb", 3}}},
		{"a GPU without MIG", "l4-24gb", Geometry{{WholeGPU, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := LookupGPU(tt.part)
			if err := tt.give.Validate(s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEachReasonAgainstAGeometryIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name string
		part GPUType
		give Geometry
		want string
	}{
		{"a profile of another part", "a100-80gb", Geometry{{"1g.5gb", 0}}, `a100-80gb has no profile "1g.5gb"`},
		{"a start that is not in the table", "h100-80gb", Geometry{{"3g.40gb", 3}}, "3g.40gb cannot start at 3 on h100-80gb, only at [0 4]"},
		{"a start outside the part", "a30-24gb", Geometry{{"1g.6gb", -1}}, "1g.6gb cannot start at -1"},
		{"an overlap", "a100-80gb", Geometry{{"4g.40gb", 0}, {"2g.20gb", 2}}, "2g.20gb at 2 overlaps 4g.40gb at 0"},
		{"the mock's 3g+3g+1g", "h100-80gb", Geometry{{"3g.40gb", 0}, {"3g.40gb", 4}, {"1g.10gb", 6}}, "1g.10gb at 6 overlaps 3g.40gb at 4"},
		{"the mock's seven of double memory", "h100-80gb", Geometry{{"1g.20gb", 0}, {"1g.20gb", 1}}, "1g.20gb cannot start at 1"},
		{"two with media engines", "a30-24gb", Geometry{{"1g.6gb+me", 0}, {"2g.12gb+me", 2}}, "2 slices with media engines"},
		{"too many of one", "a100-80gb", Geometry{{"1g.10gb+me", 0}, {"1g.10gb+me", 1}}, "more than 1 of 1g.10gb+me on one a100-80gb"},
		{"too much compute", "a100-80gb", Geometry{{"4g.40gb", 0}, {"4g.40gb", 0}}, "8 compute slices on a100-80gb, which has 7"},
		{"a whole GPU with a slice", "a100-80gb", Geometry{{WholeGPU, 0}, {"1g.10gb", 6}}, "whole stands beside 1 other slices"},
		{"not sorted", "a100-80gb", Geometry{{"3g.40gb", 4}, {"4g.40gb", 0}}, "placements must be sorted by start"},
		{"a slice of a part without MIG", "l4-24gb", Geometry{{"1g.6gb", 0}}, `l4-24gb has no profile "1g.6gb"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := LookupGPU(tt.part)
			err := tt.give.Validate(s)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate(%v) = %v, want %q in it", tt.give, err, tt.want)
			}
		})
	}
}

func TestAGeometryReadsLargestFirst(t *testing.T) {
	for want, give := range map[string]Geometry{
		"empty":                          nil,
		"whole":                          {{WholeGPU, 0}},
		"3g.40gb + 2×1g.10gb":            {{"1g.10gb", 0}, {"1g.10gb", 1}, {"3g.40gb", 4}},
		"2g.20gb + 1g.20gb + 1g.10gb+me": {{"2g.20gb", 0}, {"1g.20gb", 2}, {"1g.10gb+me", 4}},
		"4g.40gb + 3g.40gb":              {{"4g.40gb", 0}, {"3g.40gb", 4}},
		"3×2g.20gb + 1g.20gb":            {{"2g.20gb", 0}, {"2g.20gb", 2}, {"2g.20gb", 4}, {"1g.20gb", 6}},
		"2g.20gb + 1g.10gb+me + 1g.10gb": {{"1g.10gb", 0}, {"1g.10gb+me", 1}, {"2g.20gb", 2}},
		"7×1g.18gb":                      {{"1g.18gb", 0}, {"1g.18gb", 1}, {"1g.18gb", 2}, {"1g.18gb", 3}, {"1g.18gb", 4}, {"1g.18gb", 5}, {"1g.18gb", 6}},
		"1g.6gb+me":                      {{"1g.6gb+me", 3}},
	} {
		if got := give.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestACloneIsEqualAndApart(t *testing.T) {
	g := Geometry{{"1g.10gb", 0}, {"3g.40gb", 4}}
	c := g.Clone()
	if !c.Equal(g) {
		t.Fatal("a clone differs")
	}
	c[0].Start = 1
	if c.Equal(g) || g[0].Start != 0 {
		t.Error("a clone shares its placements")
	}
	if n := g.Counts(); n["1g.10gb"] != 1 || n["3g.40gb"] != 1 || len(n) != 2 {
		t.Errorf("Counts() = %v", n)
	}
}

func TestAPlacementIsWrittenAsNvidiaNamesIt(t *testing.T) {
	b, err := json.Marshal(Geometry{{"1g.10gb", 3}})
	if err != nil || string(b) != `[{"profile":"1g.10gb","start":3}]` {
		t.Errorf("%s, %v", b, err)
	}
}
