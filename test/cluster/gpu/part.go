package gpu

import (
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
	corev1 "k8s.io/api/core/v1"
)

// Part says which GPUs a node has.
type Part struct {
	Type    fleet.GPUType
	Count   int
	Product string // The label nvidia.com/gpu.product: NVIDIA-A100-SXM4-80GB.
	Device  string // The PCI device of device filters: 0x20B210DE.
}

// DefaultParts are the GPUs of the rig's instance types.
func DefaultParts() map[string]Part {
	return map[string]Part{
		"a2-ultragpu-1g": {Type: "a100-80gb", Count: 1, Product: "NVIDIA-A100-SXM4-80GB", Device: "0x20B210DE"},
		"a3-highgpu-1g":  {Type: "h100-80gb", Count: 1, Product: "NVIDIA-H100-80GB-HBM3", Device: "0x233010DE"},
	}
}

// partOf answers the GPUs of a node: those of its instance type, or, on a node made by
// hand, those that its labels gpu.product and gpu.count name.
func partOf(parts map[string]Part, n *corev1.Node) (Part, bool) {
	if p, ok := parts[n.Labels[corev1.LabelInstanceTypeStable]]; ok {
		return p, true
	}
	product := n.Labels[labelProduct]
	if product == "" {
		return Part{}, false
	}
	for _, p := range parts {
		if p.Product != product {
			continue
		}
		if count, err := strconv.Atoi(n.Labels[labelCount]); err == nil && count > 0 {
			p.Count = count
		}
		return p, true
	}
	return Part{}, false
}
