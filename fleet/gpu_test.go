package fleet

import (
	"cmp"
	"slices"
	"testing"
)

func TestEveryPartIsDescribedConsistently(t *testing.T) {
	for _, typ := range GPUTypes() {
		s, ok := LookupGPU(typ)
		if !ok || s.Type != typ {
			t.Fatalf("LookupGPU(%q) = %v, %v", typ, s.Type, ok)
		}
		if s.MiB <= 0 || s.ComputeSlices < 1 || s.MemorySlices < 1 {
			t.Errorf("%s: %d MiB, %d compute, %d memory slices", typ, s.MiB, s.ComputeSlices, s.MemorySlices)
		}
		if !slices.IsSortedFunc(s.Profiles, func(a, b MIGProfile) int {
			return cmp.Or(cmp.Compare(a.Compute, b.Compute), cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Name, b.Name))
		}) {
			t.Errorf("%s: profiles are not sorted by compute, memory, name", typ)
		}
		for _, p := range s.Profiles {
			if p.MiB <= 0 || p.MiB > s.MiB {
				t.Errorf("%s/%s: %d MiB of %d", typ, p.Name, p.MiB, s.MiB)
			}
			if p.MiB*int64(s.MemorySlices) > s.MiB*int64(p.Memory)*101/100 {
				t.Errorf("%s/%s: %d MiB is more than its %d of %d memory slices", typ, p.Name, p.MiB, p.Memory, s.MemorySlices)
			}
			if last := p.Starts[len(p.Starts)-1]; last+p.Size > s.MemorySlices {
				t.Errorf("%s/%s: start %d + %d leaves the part", typ, p.Name, last, p.Size)
			}
		}
	}
}

func TestThePartsOneCanNameAreThese(t *testing.T) {
	want := []GPUType{
		"a100-40gb", "a100-80gb", "a10g-24gb", "a30-24gb", "b200-180gb",
		"h100-80gb", "h200-141gb", "l4-24gb", "l40s-48gb", "t4-16gb",
	}
	if got := GPUTypes(); !slices.Equal(got, want) {
		t.Errorf("GPUTypes() = %v, want %v", got, want)
	}
	if _, ok := LookupGPU("voodoo2-8mb"); ok {
		t.Error("an unknown part was found")
	}
}

// The mocks shipped with go-nvml have other starts for Hopper and Blackwell; these
// are what nvidia-smi prints.
func TestThreeComputeSlicesTakeHalfTheMemoryOfEverySevenSlicePart(t *testing.T) {
	for typ, name := range map[GPUType]ProfileName{
		"a100-40gb": "3g.20gb", "a100-80gb": "3g.40gb", "h100-80gb": "3g.40gb", "h200-141gb": "3g.71gb", "b200-180gb": "3g.90gb",
	} {
		s, _ := LookupGPU(typ)
		p, ok := s.Profile(name)
		if !ok || p.Compute != 3 || p.Memory != 4 || p.Size != 4 || !slices.Equal(p.Starts, []int{0, 4}) {
			t.Errorf("%s/%s = %+v, %v", typ, name, p, ok)
		}
	}
}

func TestOneProfileNameMeansDifferentSlicesOnDifferentParts(t *testing.T) {
	small, _ := LookupGPU("a100-40gb")
	large, _ := LookupGPU("a100-80gb")
	a, _ := small.Profile("1g.10gb")
	b, _ := large.Profile("1g.10gb")
	if a.Memory != 2 || b.Memory != 1 {
		t.Errorf("1g.10gb takes %d memory slices of an A100-40 and %d of an A100-80, want 2 and 1", a.Memory, b.Memory)
	}
}

func TestAWholeGPUIsAProfileOfEveryPart(t *testing.T) {
	for _, typ := range GPUTypes() {
		s, _ := LookupGPU(typ)
		p, ok := s.Profile(WholeGPU)
		if !ok || p.Compute != s.ComputeSlices || p.Memory != s.MemorySlices || p.MiB != s.MiB || !slices.Equal(p.Starts, []int{0}) {
			t.Errorf("%s: %+v, %v", typ, p, ok)
		}
		if err := (Geometry{{WholeGPU, 0}}).Validate(s); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}
