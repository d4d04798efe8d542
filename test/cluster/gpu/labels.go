package gpu

import (
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const prefix = "nvidia.com/"

// The labels of the protocol.
const (
	LabelConfig  = prefix + "mig.config"       // What is asked for: a name in the ConfigMap.
	LabelState   = prefix + "mig.config.state" // StatePending, StateSuccess or StateFailed.
	labelProduct = prefix + "gpu.product"
	labelCount   = prefix + "gpu.count"
	labelCapable = prefix + "mig.capable"
	labelMIG     = prefix + "mig.strategy"
	labelDeploy  = prefix + "gpu.deploy."

	// Paused is the value of the nvidia.com/gpu.deploy labels during a change.
	Paused = "paused-for-mig-change"
)

// clients are the operator's own pods that hold GPUs and are sent away for a change.
var clients = []string{"device-plugin", "gpu-feature-discovery", "dcgm-exporter", "dcgm", "nvsm"}

// capable says whether the part has a MIG mode.
func (p Part) capable() bool {
	spec, known := fleet.LookupGPU(p.Type)
	return known && len(spec.Profiles) > 0
}

// labels are what the node of a machine should carry. Before the driver runs, that is nothing.
func (m *machine) labels() map[string]string {
	if m.step == booting {
		return nil
	}
	out := map[string]string{
		labelProduct: m.part.Product,
		labelCount:   strconv.Itoa(m.part.Count),
		labelCapable: strconv.FormatBool(m.part.capable()),
		labelMIG:     "mixed",
	}
	deploy := "true"
	if m.paused() {
		deploy = Paused
	}
	for _, c := range clients {
		out[labelDeploy+c] = deploy
	}
	if m.part.capable() {
		out[LabelState] = m.state
	}
	return out
}

// changed answers those labels that a node does not have so.
func changed(want, have map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range want {
		if have[k] != v {
			out[k] = v
		}
	}
	return out
}

// quantities answers what must change in a node's resources so that it has the wanted
// ones and no others of ours. What is not reported any more becomes zero and stays in
// the list, as a kubelet has it.
func quantities(want map[corev1.ResourceName]int64, have corev1.ResourceList) map[corev1.ResourceName]string {
	out := map[corev1.ResourceName]string{}
	for name, q := range have {
		if _, wanted := want[name]; !wanted && ours(name) && !q.IsZero() {
			out[name] = "0"
		}
	}
	for name, n := range want {
		if q, ok := have[name]; !ok || q.Cmp(*resource.NewQuantity(n, resource.DecimalSI)) != 0 {
			out[name] = strconv.FormatInt(n, 10)
		}
	}
	return out
}

// ours says whether a resource is reported by NVIDIA's device plugin.
func ours(name corev1.ResourceName) bool {
	return len(name) > len(prefix) && name[:len(prefix)] == prefix
}
