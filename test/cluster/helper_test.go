package cluster

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// patience is how long a test waits for what must happen. Only a failing test waits so long.
const patience = 5 * time.Minute

// eventually waits until a condition holds; seen is what it last saw, for the message.
func eventually(t *testing.T, what string, condition func() (holds bool, seen any)) {
	t.Helper()
	var holds bool
	var seen any
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds, seen = condition(); holds {
			return
		}
	}
	t.Fatalf("%s did not happen within %s; last seen: %v", what, patience, seen)
}

// addNode makes a node by hand, with one A100 by its instance type, and removes it at
// the end of the test.
func addNode(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	all := map[string]string{corev1.LabelInstanceTypeStable: "a2-ultragpu-1g", corev1.LabelHostname: name}
	maps.Copy(all, labels)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: all, Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"}},
	}
	if _, err := kube.Client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := kube.Client.CoreV1().Nodes().Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Log(err)
		}
	})
}

func getNode(t *testing.T, name string) *corev1.Node {
	t.Helper()
	n, err := kube.Client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// label asks for a MIG configuration and waits until the mig-manager has taken it up:
// until then the state is that of the configuration before.
func label(t *testing.T, node, config string) {
	t.Helper()
	began := time.Now()
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, gpu.LabelConfig, config)
	if _, err := kube.Client.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	audited(t, 1, func(e rig.AuditEvent) bool {
		return e.UserAgent == "gpu-operator" && e.Name == node && e.Code == http.StatusOK && e.Time.After(began) && strings.Contains(string(e.Request), gpu.LabelState)
	})
}

// awaitMIG waits until a node has a configuration in a state.
func awaitMIG(t *testing.T, node, config, state string) *corev1.Node {
	t.Helper()
	var n *corev1.Node
	eventually(t, fmt.Sprintf("%s being %s with %s", node, state, config), func() (bool, any) {
		n = getNode(t, node)
		return n.Labels[gpu.LabelConfig] == config && n.Labels[gpu.LabelState] == state, n.Labels
	})
	return n
}

// awaitSlices waits until exactly these slices can be allocated on a node: what the
// mig-manager says of itself and what the device plugin reports are two writes.
func awaitSlices(t *testing.T, node string, want map[string]int64) *corev1.Node {
	t.Helper()
	var n *corev1.Node
	eventually(t, fmt.Sprintf("%s having %v", node, want), func() (bool, any) {
		n = getNode(t, node)
		return maps.Equal(slicesOf(n), want), slicesOf(n)
	})
	return n
}

// slicesOf answers what of the GPUs can be allocated on a node, without zeros.
func slicesOf(n *corev1.Node) map[string]int64 {
	out := map[string]int64{}
	for name, q := range n.Status.Allocatable {
		if len(name) > 11 && name[:11] == "nvidia.com/" && !q.IsZero() {
			out[string(name)[11:]] = q.Value()
		}
	}
	return out
}

// addPod makes a pod that asks for one of a resource, on one node, and removes it at the
// end of the test.
func addPod(t *testing.T, name, resource, node string) {
	t.Helper()
	manifest := fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeSelector: {kubernetes.io/hostname: %s}
  terminationGracePeriodSeconds: 0
  containers: [{name: server, image: none, resources: {limits: {%s: 1}}}]
`, name, node, resource)
	if err := kube.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deletePod(t, name) })
}

func deletePod(t *testing.T, name string) {
	t.Helper()
	err := kube.Client.CoreV1().Pods("default").Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Log(err)
	}
}

func awaitRunning(t *testing.T, namespace, pod string) {
	t.Helper()
	eventually(t, "pod "+pod+" running", func() (bool, any) {
		p, err := kube.Client.CoreV1().Pods(namespace).Get(t.Context(), pod, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return p.Status.Phase == corev1.PodRunning, p.Status
	})
}

// audited answers the events that a test wants, in the order in which they arrived, once
// as many as it expects are there. The log may have two the other way round, because it
// is written when a request has been answered.
func audited(t *testing.T, atLeast int, want func(rig.AuditEvent) bool) []rig.AuditEvent {
	t.Helper()
	var events []rig.AuditEvent
	eventually(t, fmt.Sprintf("%d events in the audit log", atLeast), func() (bool, any) {
		all, err := kube.Audit()
		if err != nil {
			t.Fatal(err)
		}
		events = slices.DeleteFunc(all, func(e rig.AuditEvent) bool { return !want(e) })
		return len(events) >= atLeast, events
	})
	slices.SortStableFunc(events, func(a, b rig.AuditEvent) int { return a.Time.Compare(b.Time) })
	return events
}
