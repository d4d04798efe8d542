package fleet

import (
	"maps"
	"slices"
	"sync"
)

// GPUType names a part, with its memory, as offerings and profiles do: "a100-80gb".
type GPUType string

// ProfileName is NVIDIA's name of a kind of slice, such as "1g.10gb" or
// "1g.10gb+me". It says nothing without the part: 1g.10gb is one memory slice of
// an A100 with 80 GB and two of an A100 with 40 GB.
type ProfileName string

// WholeGPU is the profile of a GPU that is not divided: MIG is absent or off.
const WholeGPU ProfileName = "whole"

// MIGProfile is one row of NVIDIA's table for a part (MIG User Guide, "Supported
// MIG Profiles"). Starts and Size are in memory slices.
type MIGProfile struct {
	Name         ProfileName
	Compute      int   // Compute slices it takes.
	Memory       int   // Memory slices it takes.
	MiB          int64 // Memory a process can use; always less than the name's GB suggest.
	Starts       []int // Memory slices at which it may begin, ascending.
	Size         int   // Memory slices it covers from its start.
	Max          int   // How many of it one GPU may hold.
	MediaEngines bool  // Whether it owns the media engines (+me); one such slice a GPU.
}

// GPUSpec describes a part. What it refers to is shared between callers and must
// not be changed.
type GPUSpec struct {
	Type          GPUType
	ComputeSlices int
	MemorySlices  int
	MiB           int64        // Memory a process can use on the undivided GPU.
	Profiles      []MIGProfile // Sorted by compute, memory, name; empty where there is no MIG.
}

// LookupGPU answers the description of a part, and whether it is known.
func LookupGPU(t GPUType) (GPUSpec, bool) {
	s, ok := gpuSpecs()[t]
	return s, ok
}

// GPUTypes lists the parts that are known, sorted.
func GPUTypes() []GPUType {
	return slices.Sorted(maps.Keys(gpuSpecs()))
}

// Profile answers the row of a profile. WholeGPU is a profile of every part: all
// its slices, from the first.
func (s GPUSpec) Profile(n ProfileName) (MIGProfile, bool) {
	if n == WholeGPU {
		return MIGProfile{
			Name: WholeGPU, Compute: s.ComputeSlices, Memory: s.MemorySlices, MiB: s.MiB,
			Starts: wholeStarts, Size: s.MemorySlices, Max: 1, MediaEngines: true,
		}, true
	}
	for i := range s.Profiles {
		if s.Profiles[i].Name == n {
			return s.Profiles[i], true
		}
	}
	return MIGProfile{}, false
}

var wholeStarts = []int{0}

// profileKind is the part of a row that all parts of one build share.
type profileKind struct {
	compute, memory int
	starts          []int
	most            int
	mediaEngines    bool
}

// Kinds of slices of the parts with 7 compute and 8 memory slices (A100, H100,
// H200, B200), in the order in which sevenSlice takes their names. The starts are
// those that nvidia-smi mig -lgipp prints on A100 and H100; H200 and B200 have
// the same fractions in the guide's table, so the same starts are taken.
var sevenSliceKinds = []profileKind{
	{1, 1, []int{0, 1, 2, 3, 4, 5, 6}, 7, false},
	{1, 1, []int{0, 1, 2, 3, 4, 5, 6}, 1, true},
	{1, 2, []int{0, 2, 4, 6}, 4, false},
	{2, 2, []int{0, 2, 4}, 3, false},
	{3, 4, []int{0, 4}, 2, false},
	{4, 4, []int{0}, 1, false},
	{7, 8, []int{0}, 1, false},
}

// Kinds of slices of the A30, with 4 compute and 4 memory slices.
var fourSliceKinds = []profileKind{
	{1, 1, []int{0, 1, 2, 3}, 4, false},
	{1, 1, []int{0, 1, 2, 3}, 1, true},
	{2, 2, []int{0, 2}, 2, false},
	{2, 2, []int{0, 2}, 1, true},
	{4, 4, []int{0}, 1, false},
}

// named is what a part adds to a kind: its name and the memory it gives.
type named struct {
	name ProfileName
	mib  int64
}

// gpuSpecs builds the table of parts once.
var gpuSpecs = sync.OnceValue(func() map[GPUType]GPUSpec {
	specs := map[GPUType]GPUSpec{}
	for _, s := range []GPUSpec{
		// Memory by nvidia-smi mig -lgip. The undivided GPU has a little more than
		// its largest slice; what that slice gives is taken.
		sliced("a100-40gb", 7, 8, sevenSliceKinds, []named{
			{"1g.5gb", 4864},
			{"1g.5gb+me", 4864},
			{"1g.10gb", 9856},
			{"2g.10gb", 9856},
			{"3g.20gb", 19968},
			{"4g.20gb", 19968},
			{"7g.40gb", 40192},
		}),
		sliced("a100-80gb", 7, 8, sevenSliceKinds, []named{
			{"1g.10gb", 9856},
			{"1g.10gb+me", 9856},
			{"1g.20gb", 19968},
			{"2g.20gb", 19968},
			{"3g.40gb", 40192},
			{"4g.40gb", 40192},
			{"7g.80gb", 80384},
		}),
		// 4g (39.50 GiB) and 7g (79.25 GiB) were read from a device. Derived: 3g has
		// the memory slices of 4g; the smaller ones are taken from the A100 with
		// 80 GB, which has no more memory in a slice.
		sliced("h100-80gb", 7, 8, sevenSliceKinds, []named{
			{"1g.10gb", 9856},
			{"1g.10gb+me", 9856},
			{"1g.20gb", 19968},
			{"2g.20gb", 19968},
			{"3g.40gb", 40448},
			{"4g.40gb", 40448},
			{"7g.80gb", 81152},
		}),
		// 1g (16.00 GiB) and 2g (32.50 GiB) were read from a device. Derived: 1g with
		// double memory has the memory slices of 2g; the larger ones are counted as
		// whole multiples of 2g.
		sliced("h200-141gb", 7, 8, sevenSliceKinds, []named{
			{"1g.18gb", 16384},
			{"1g.18gb+me", 16384},
			{"1g.35gb", 33280},
			{"2g.35gb", 33280},
			{"3g.71gb", 66560},
			{"4g.71gb", 66560},
			{"7g.141gb", 133120},
		}),
		// All derived: the GB of the name read as 10^9 bytes, less 6 percent, rounded
		// down to a hundred MiB; 1g, whose name is rounded up, as an eighth of 7g. No
		// part that was read gives less than that.
		sliced("b200-180gb", 7, 8, sevenSliceKinds, []named{
			{"1g.23gb", 20100},
			{"1g.23gb+me", 20100},
			{"1g.45gb", 40300},
			{"2g.45gb", 40300},
			{"3g.90gb", 80600},
			{"4g.90gb", 80600},
			{"7g.180gb", 161300},
		}),
		sliced("a30-24gb", 4, 4, fourSliceKinds, []named{
			{"1g.6gb", 5836},
			{"1g.6gb+me", 5836},
			{"2g.12gb", 11672},
			{"2g.12gb+me", 11672},
			{"4g.24gb", 23344},
		}),
		// No MIG. Derived: the nominal GB read as GiB, less a reserve of 8 percent for
		// ECC, driver and context, rounded down to a hundred MiB.
		undivided("l4-24gb", 22600),
		undivided("a10g-24gb", 22600),
		undivided("t4-16gb", 15000),
		undivided("l40s-48gb", 45200),
	} {
		specs[s.Type] = s
	}
	return specs
})

// sliced describes a part with MIG; its usable memory is that of its largest slice.
func sliced(t GPUType, compute, memory int, kinds []profileKind, names []named) GPUSpec {
	s := GPUSpec{Type: t, ComputeSlices: compute, MemorySlices: memory}
	for i, k := range kinds {
		s.Profiles = append(s.Profiles, MIGProfile{
			Name: names[i].name, Compute: k.compute, Memory: k.memory, MiB: names[i].mib,
			Starts: k.starts, Size: k.memory, Max: k.most, MediaEngines: k.mediaEngines,
		})
		s.MiB = max(s.MiB, names[i].mib)
	}
	return s
}

// undivided describes a part without MIG.
func undivided(t GPUType, mib int64) GPUSpec {
	return GPUSpec{Type: t, ComputeSlices: 1, MemorySlices: 1, MiB: mib}
}
