package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// NodeClaims are Karpenter's wishes for a node.
var NodeClaims = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"}

// NodeID is what a node is called in the fleet: the id under which Tessera asked
// for it, else its name in the cluster.
func NodeID(n *corev1.Node) fleet.NodeID {
	if id := n.Labels[LabelNode]; id != "" {
		return fleet.NodeID(id)
	}
	return fleet.NodeID(n.Name)
}

// NodeReady tells whether a node's kubelet is ready, and since when.
func NodeReady(n *corev1.Node) (since time.Time, ok bool) {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue
		}
	}
	return time.Time{}, false
}

// DownAfter is how long a kubelet may be away before its node is taken for down.
const DownAfter = 5 * time.Minute

// Down tells whether a node's kubelet is away for so long that nothing on it is
// waited for. One that never told anything is not.
func Down(n *corev1.Node, now time.Time) bool {
	since, up := NodeReady(n)
	return !up && !since.IsZero() && now.Sub(since) >= DownAfter
}

// ClaimCondition is a condition of a NodeClaim (Launched, Registered,
// Initialized): whether it holds and since when, and what it says.
func ClaimCondition(claim *unstructured.Unstructured, kind string) (since time.Time, ok bool, message string) {
	conditions, _, _ := unstructured.NestedSlice(claim.Object, "status", "conditions")
	for _, c := range conditions {
		fields, is := c.(map[string]any)
		if !is || fields["type"] != kind {
			continue
		}
		text, _ := fields["lastTransitionTime"].(string)
		since, _ = time.Parse(time.RFC3339, text)
		message, _ = fields["message"].(string)
		return since, fields["status"] == "True", message
	}
	return time.Time{}, false, ""
}

// ClaimNode is the cluster's name of the node that came of a NodeClaim, empty until
// it registered.
func ClaimNode(claim *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(claim.Object, "status", "nodeName")
	return name
}

// PlaceholderName is the Deployment that keeps a place for a node where no
// Karpenter is: its one pod asks for a whole node of the offering.
func PlaceholderName(id fleet.NodeID) string { return "tessera-" + string(id) }
