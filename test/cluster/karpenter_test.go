package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

func claimNode(t *testing.T, name, instanceType string, labels map[string]string) {
	t.Helper()
	_, err := kube.Dynamic.Resource(rig.NodeClaims).Create(t.Context(), rig.NodeClaim(name, instanceType, labels), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func releaseNode(t *testing.T, name string) {
	t.Helper()
	if err := kube.Dynamic.Resource(rig.NodeClaims).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// condition answers the status of a claim's condition, empty when it has none.
func condition(t *testing.T, claim, kind string) string {
	t.Helper()
	o, err := kube.Dynamic.Resource(rig.NodeClaims).Get(t.Context(), claim, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range all {
		if m := c.(map[string]any); m["type"] == kind {
			return m["status"].(string)
		}
	}
	return ""
}

// nodesOf answers the nodes that were made for a claim, in whatever state they are.
func nodesOf(t *testing.T, claim string) []corev1.Node {
	t.Helper()
	list, err := kube.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: corev1.LabelHostname + "=" + claim})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// A claim with the label of a geometry becomes a node that is born with it, and both go
// when the claim is deleted.
func TestAClaimBecomesANodeWithItsGeometryAndGoesAgain(t *testing.T) {
	t.Parallel()
	claimNode(t, "born", "a3-highgpu-1g", map[string]string{gpu.LabelConfig: "halves"})
	eventually(t, "the claim being ready", func() (bool, any) {
		s := condition(t, "born", "Ready")
		return s == "True", s
	})
	nodes := nodesOf(t, "born")
	if len(nodes) != 1 {
		t.Fatalf("the claim has %d nodes, want 1", len(nodes))
	}
	n := nodes[0]
	if len(n.OwnerReferences) != 1 || n.OwnerReferences[0].Kind != "NodeClaim" || n.OwnerReferences[0].Name != "born" {
		t.Errorf("the node is owned by %v, want the claim", n.OwnerReferences)
	}
	if n.Labels[corev1.LabelInstanceTypeStable] != "a3-highgpu-1g" || n.Labels["karpenter.sh/initialized"] != "true" {
		t.Errorf("the node has the labels %v", n.Labels)
	}
	awaitMIG(t, n.Name, "halves", gpu.StateSuccess)
	awaitSlices(t, n.Name, map[string]int64{"mig-3g.40gb": 2})
	neverWhole := audited(t, 1, func(e rig.AuditEvent) bool {
		return e.UserAgent == "gpu-operator" && e.Name == n.Name && e.Subresource == "status"
	})
	for _, e := range neverWhole {
		if told(t, e) == "gpu" {
			t.Error("the GPU was reported whole before it was cut")
		}
	}
	releaseNode(t, "born")
	eventually(t, "the claim and its node going", func() (bool, any) {
		_, err := kube.Dynamic.Resource(rig.NodeClaims).Get(t.Context(), "born", metav1.GetOptions{})
		left := nodesOf(t, "born")
		return apierrors.IsNotFound(err) && len(left) == 0, left
	})
}

// Whoever cancels a purchase before the machine is there does not get it.
func TestAClaimDeletedEarlyLeavesNoNode(t *testing.T) {
	t.Parallel()
	claimNode(t, "early", "a2-ultragpu-1g", nil)
	eventually(t, "the launch", func() (bool, any) {
		s := condition(t, "early", "Launched")
		return s == "True", s
	})
	releaseNode(t, "early")
	// The kwok provider makes the node all the same; the cloud takes it away.
	created := audited(t, 1, func(e rig.AuditEvent) bool {
		return e.User == "karpenter" && e.Verb == "create" && e.Resource == "nodes" && len(e.Name) > 11 && e.Name[:11] == "kwok-early-"
	})
	eventually(t, "the orphan going", func() (bool, any) {
		left := nodesOf(t, "early")
		return len(left) == 0, left
	})
	audited(t, 1, func(e rig.AuditEvent) bool {
		return e.User == "cloud" && e.Verb == "delete" && e.Name == created[0].Name
	})
}
