package gpu

import (
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	corev1 "k8s.io/api/core/v1"
)

// slicing is how one GPU is cut: how many slices of each profile it has. Nil is a GPU
// with MIG off, an empty one a GPU with MIG on and no slices.
type slicing map[fleet.ProfileName]int

// layout is the slicing of each GPU of a node.
type layout []slicing

func whole(count int) layout { return make(layout, count) }

func (l layout) equal(o layout) bool {
	return slices.EqualFunc(l, o, func(a, b slicing) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) })
}

// resources are what a device plugin with the strategy mixed reports.
func (l layout) resources() map[corev1.ResourceName]int64 {
	out := map[corev1.ResourceName]int64{}
	for _, gpu := range l {
		if gpu == nil {
			out[prefix+"gpu"]++
		}
		for profile, n := range gpu {
			out[ResourceName(profile)] += int64(n)
		}
	}
	return out
}

// ResourceName is how a device plugin with the strategy mixed calls a slice:
// nvidia.com/mig-1g.10gb, nvidia.com/mig-1g.10gb.me for 1g.10gb+me, and nvidia.com/gpu
// for a GPU that is not cut.
func ResourceName(p fleet.ProfileName) corev1.ResourceName {
	if p == fleet.WholeGPU {
		return prefix + "gpu"
	}
	return corev1.ResourceName(prefix + "mig-" + strings.ReplaceAll(string(p), "+", "."))
}

// cleared is what a driver leaves that has deleted the old slices and refused the new.
func (l layout) cleared() layout {
	out := make(layout, len(l))
	for i, gpu := range l {
		if gpu != nil {
			out[i] = slicing{}
		}
	}
	return out
}

// legal says whether every GPU of a part can be cut so.
func (l layout) legal(t fleet.GPUType) bool {
	spec, known := fleet.LookupGPU(t)
	if !known {
		return false
	}
	feasible := packing.Feasible(spec)
	for _, gpu := range l {
		if gpu != nil && len(spec.Profiles) == 0 {
			return false // The part has no MIG mode.
		}
		if len(gpu) > 0 && !slices.ContainsFunc(feasible, func(g fleet.Geometry) bool { return maps.Equal(g.Counts(), gpu) }) {
			return false
		}
	}
	return true
}
