package cluster

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// A pod that asks for a slice waits while the node is ready without its GPU, and runs
// once the device plugin reports it. The audit log tells the order.
func TestAPodWaitsForItsSlice(t *testing.T) {
	t.Parallel()
	addPod(t, "waits", "nvidia.com/mig-1g.10gb", "late")
	addNode(t, "late", map[string]string{gpu.LabelConfig: "sevenths"})
	awaitRunning(t, "default", "waits")
	bound := audited(t, 1, func(e rig.AuditEvent) bool { return e.Subresource == "binding" && e.Name == "waits" })[0]
	ready := audited(t, 1, func(e rig.AuditEvent) bool {
		return e.User == "kwok" && e.Name == "late" && e.Subresource == "status"
	})[0]
	device := audited(t, 1, func(e rig.AuditEvent) bool {
		return e.UserAgent == "gpu-operator" && e.Name == "late" && strings.Contains(string(e.Request), `"nvidia.com/mig-1g.10gb":"7"`)
	})[0]
	if device.Time.Sub(ready.Time) < deviceDelay/2 || bound.Time.Before(device.Time) {
		t.Fatalf("want node ready, then its slices after at least %s, then the pod bound; got %v", deviceDelay, []rig.AuditEvent{ready, device, bound})
	}
}

// The writes of the operator on one node, in order, are the protocol of the real one.
func TestAChangeFollowsTheProtocol(t *testing.T) {
	t.Parallel()
	addNode(t, "protocol", nil)
	awaitMIG(t, "protocol", gpu.AllDisabled, gpu.StateSuccess)
	n := awaitSlices(t, "protocol", map[string]int64{"gpu": 1}) // It asks for nothing.
	for k, want := range map[string]string{
		"nvidia.com/gpu.count": "1", "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
		"nvidia.com/mig.strategy": "mixed", "nvidia.com/mig.capable": "true",
	} {
		if got := n.Labels[k]; got != want {
			t.Errorf("label %s is %q, want %q", k, got, want)
		}
	}
	label(t, "protocol", "media")
	awaitMIG(t, "protocol", "media", gpu.StateSuccess)
	n = awaitSlices(t, "protocol", map[string]int64{"mig-1g.10gb.me": 1, "mig-2g.20gb": 2})
	if q, there := n.Status.Allocatable["nvidia.com/gpu"]; !there || !q.IsZero() {
		t.Errorf("the whole GPU should be listed as zero, as a kubelet lists what has gone; got %v", n.Status.Allocatable)
	}
	want := []string{"gpu", "success true", "pending " + gpu.Paused, "nothing", "mig-1g.10gb.me mig-2g.20gb", "success true"}
	events := audited(t, len(want), func(e rig.AuditEvent) bool {
		return e.UserAgent == "gpu-operator" && e.Name == "protocol" && e.Code == http.StatusOK // What was refused is sent again.
	})
	var got []string
	for _, e := range events {
		got = append(got, told(t, e))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the operator wrote\n%q, want\n%q", got, want)
	}
}

// told is what a write of the operator says: the state and whether the plugin is to run,
// or the resources that can be allocated.
func told(t *testing.T, e rig.AuditEvent) string {
	t.Helper()
	var patch struct {
		Metadata struct{ Labels map[string]string }
		Status   struct{ Allocatable map[string]string }
	}
	if err := json.Unmarshal(e.Request, &patch); err != nil {
		t.Fatal(err)
	}
	if e.Subresource != "status" {
		return patch.Metadata.Labels[gpu.LabelState] + " " + patch.Metadata.Labels["nvidia.com/gpu.deploy.device-plugin"]
	}
	maps.DeleteFunc(patch.Status.Allocatable, func(_, n string) bool { return n == "0" })
	if len(patch.Status.Allocatable) == 0 {
		return "nothing"
	}
	return strings.ReplaceAll(strings.Join(slices.Sorted(maps.Keys(patch.Status.Allocatable)), " "), "nvidia.com/", "")
}

func TestFaultsOfTheMIGManager(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		fault        gpu.Fault
		state        string
		plugin       string
		slices       map[string]int64
	}{
		{"stuck", "halves", gpu.Stuck, gpu.StatePending, gpu.Paused, nil},
		{"fails", "halves", gpu.Fails, gpu.StateFailed, "true", map[string]int64{"gpu": 1}},
		{"without-devices", "halves", gpu.SuccessWithoutDevices, gpu.StateSuccess, "true", nil},
		{"impossible", "impossible", gpu.None, gpu.StateFailed, "true", nil}, // The old slices were deleted first.
		{"unknown", "never-heard-of", gpu.None, gpu.StateFailed, "true", map[string]int64{"gpu": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			node := "fault-" + c.name
			operator.Fault(node, c.fault)
			addNode(t, node, nil)
			awaitMIG(t, node, gpu.AllDisabled, gpu.StateSuccess)
			label(t, node, c.config)
			awaitMIG(t, node, c.config, c.state)
			if c.fault == gpu.Stuck {
				time.Sleep(3 * applyDelay) // It must still be pending when a healthy one is long done.
			}
			awaitSlices(t, node, c.slices)
			n := awaitMIG(t, node, c.config, c.state)
			if got := n.Labels["nvidia.com/gpu.deploy.device-plugin"]; got != c.plugin {
				t.Errorf("the device plugin's label is %q, want %q", got, c.plugin)
			}
			operator.Fault(node, gpu.None)
			label(t, node, "sevenths") // Another value helps in every case.
			awaitMIG(t, node, "sevenths", gpu.StateSuccess)
			awaitSlices(t, node, map[string]int64{"mig-1g.10gb": 7})
		})
	}
}

// A pod that holds the GPU is not evicted; the change hangs, even after the pod has gone.
func TestAChangeUnderARunningPodHangs(t *testing.T) {
	t.Parallel()
	addNode(t, "held", nil)
	addPod(t, "holder", "nvidia.com/gpu", "held")
	awaitRunning(t, "default", "holder")
	label(t, "held", "halves")
	awaitMIG(t, "held", "halves", gpu.StatePending)
	time.Sleep(2 * clientTimeout)
	awaitNextLooks(t, "after-the-timeout")
	awaitRunning(t, "default", "holder")
	deletePod(t, "holder")
	time.Sleep(3 * applyDelay)
	awaitNextLooks(t, "after-the-pod")
	awaitSlices(t, "held", nil)
	awaitMIG(t, "held", "halves", gpu.StatePending)
	label(t, "held", "sevenths")
	awaitMIG(t, "held", "sevenths", gpu.StateSuccess)
}

// awaitNextLooks waits until the operator has looked at all nodes twice from now on: so
// often it does before it reports the GPUs of a node that comes now. How long it takes
// over a look depends on the machine.
func awaitNextLooks(t *testing.T, node string) {
	t.Helper()
	addNode(t, node, nil)
	awaitMIG(t, node, gpu.AllDisabled, gpu.StateSuccess)
}

// KWOK writes the node's whole status when it makes a node ready. It must not take the
// GPUs away that the device plugin has reported.
func TestKWOKLeavesTheGPUs(t *testing.T) {
	t.Parallel()
	addNode(t, "kept", map[string]string{gpu.LabelConfig: "sevenths"})
	awaitMIG(t, "kept", "sevenths", gpu.StateSuccess)
	before := time.Now()
	down := []byte(`{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`)
	_, err := kube.Client.CoreV1().Nodes().Patch(t.Context(), "kept", types.StrategicMergePatchType, down, metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "KWOK making the node ready again", func() (bool, any) {
		n := getNode(t, "kept")
		i := slices.IndexFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == corev1.NodeReady })
		return n.Status.Conditions[i].Status == corev1.ConditionTrue, n.Status.Conditions
	})
	again := audited(t, 1, func(e rig.AuditEvent) bool {
		return e.User == "kwok" && e.Name == "kept" && e.Subresource == "status" && e.Time.After(before)
	})
	var answer corev1.Node
	if err := json.Unmarshal(again[0].Response, &answer); err != nil {
		t.Fatal(err)
	}
	if got := slicesOf(&answer); !maps.Equal(got, map[string]int64{"mig-1g.10gb": 7}) {
		t.Fatalf("after KWOK's write the node has %v, want seven of 1g.10gb", got)
	}
}
