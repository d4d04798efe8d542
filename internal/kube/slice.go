package kube

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// SliceLabel writes a kind of slice as a label's value: "a100-80gb_1g.10gb". As in
// NVIDIA's resource names, the + of a profile is a dot.
func SliceLabel(k fleet.SliceKind) string {
	return string(k.GPU) + "_" + dotted(k.Profile)
}

// ParseSliceLabel reads what SliceLabel wrote.
func ParseSliceLabel(label string) (fleet.SliceKind, error) {
	gpu, profile, ok := strings.Cut(label, "_")
	if !ok {
		return fleet.SliceKind{}, fmt.Errorf("%q is no kind of slice: write GPU_PROFILE, such as a100-80gb_1g.10gb, a100-80gb_whole or cpu_whole", label)
	}
	kind := fleet.SliceKind{GPU: fleet.GPUType(gpu), Profile: fleet.ProfileName(profile)}
	if kind.GPU == fleet.CPU && kind.Profile == fleet.WholeGPU {
		return kind, nil
	}
	spec, known := fleet.LookupGPU(kind.GPU)
	if !known {
		return fleet.SliceKind{}, fmt.Errorf("%q names no GPU that is known: write one of %s", label, join(fleet.GPUTypes()))
	}
	if profile == string(fleet.WholeGPU) {
		return kind, nil
	}
	for _, p := range spec.Profiles {
		if dotted(p.Name) == profile {
			kind.Profile = p.Name
			return kind, nil
		}
	}
	return fleet.SliceKind{}, fmt.Errorf("%q: %s has no profile %s", label, gpu, profile)
}

// GPUResource is an undivided GPU, as the device plugin names it.
const GPUResource corev1.ResourceName = "nvidia.com/gpu"

// migResource begins the names of slices under the device plugin's mixed strategy.
const migResource = "nvidia.com/mig-"

// SliceResource is the resource by which a pod asks for one slice of a kind; false
// for a CPU node, whose place is not counted by a device plugin.
func SliceResource(k fleet.SliceKind) (corev1.ResourceName, bool) {
	switch {
	case k.GPU == fleet.CPU:
		return "", false
	case k.Profile == fleet.WholeGPU:
		return GPUResource, true
	}
	return corev1.ResourceName(migResource + dotted(k.Profile)), true
}

// IsGPUResource tells whether a resource is a GPU or a slice of one.
func IsGPUResource(name corev1.ResourceName) bool {
	return name == GPUResource || strings.HasPrefix(string(name), migResource)
}

// Offered is what a node with GPUs cut so offers, by resource.
func Offered(gpus []fleet.GPU) map[corev1.ResourceName]int64 {
	out := map[corev1.ResourceName]int64{}
	for _, g := range gpus {
		for _, p := range g.Geometry {
			if name, ok := SliceResource(fleet.SliceKind{GPU: g.Type, Profile: p.Profile}); ok {
				out[name]++
			}
		}
	}
	return out
}

// Allocatable is what a node offers now of GPUs and their slices; what it offers
// none of is left out.
func Allocatable(n *corev1.Node) map[corev1.ResourceName]int64 {
	out := map[corev1.ResourceName]int64{}
	for name, q := range n.Status.Allocatable {
		if v := q.Value(); v > 0 && IsGPUResource(name) {
			out[name] = v
		}
	}
	return out
}

func dotted(p fleet.ProfileName) string { return strings.ReplaceAll(string(p), "+", ".") }

func join[T ~string](names []T) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}
