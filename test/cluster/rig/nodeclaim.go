package rig

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NodeClass is the KWOKNodeClass that Start creates; its registration delay is
// Options.NodeDelay.
const NodeClass = "default"

// The resources with which nodes are bought.
var (
	NodeClaims  = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"}
	NodeClasses = schema.GroupVersionResource{Group: "karpenter.kwok.sh", Version: "v1alpha1", Resource: "kwoknodeclasses"}
)

// NodeClaim answers a standalone NodeClaim, one that no NodePool made, with the fields
// that are needed and no more. What follows was tried with Karpenter 1.14 and its kwok
// provider.
//
// Needed are spec.nodeClassRef with group, kind and name, and a requirement that the
// label node.kubernetes.io/instance-type be In a list of known types. Without
// spec.expireAfter: Never the claim would be deleted after thirty days. Labels,
// annotations, owner, resources, capacity type and zone may be left out; of several
// types or offerings the cheapest is bought. The spec cannot be changed later. A zone
// or capacity type that no offering has makes the provider panic, and the claim then
// never gets a condition. Nothing consolidates, expires or repairs such a claim.
//
// Life: Launched with status.providerID at once; after the class's registration delay
// the node appears, named kwok-CLAIM-..., tainted karpenter.sh/unregistered; a moment
// later Registered with status.nodeName, and the node has the finalizer
// karpenter.sh/termination and an owner reference to the claim. Initialized, and with
// it Ready, needs a ready node without startup taints of the claim, on which all of
// spec.resources.requests can be allocated. The provider puts the requests on the node
// itself, so a claim that requests a GPU gets one without a device plugin: do not
// request any here.
//
// Failure: whatever Karpenter gives up it deletes, saying why in an event only. That is
// at once when the class is missing (as for a lack of capacity), after five minutes
// when the launch fails (an unknown type: Launched stays Unknown, reason LaunchFailed),
// and after fifteen when the node does not register. A claim that is gone though nobody
// deleted it is a purchase that failed.
//
// Labels and annotations of the claim are on the node from its birth, so a claim with
// nvidia.com/mig.config makes a node that is born with the geometry. After registration
// changes of the claim's labels do not reach the node. The claim's labels win over what
// was bought, so a wrong instance type there is a lie on the node. Back on the claim
// come the labels of type, zone and capacity type. A node's capacity is meaningless
// here; its allocatable is what the type has.
//
// Deletion: deleting the claim, or the node, taints the node karpenter.sh/disrupted,
// evicts its pods, waits at least five seconds, and then both are gone: 5.2 seconds for
// an empty node. A disruption budget holds the deletion up for ever, and it cannot be
// taken back; with spec.terminationGracePeriod the pods are deleted in spite of their
// budget once that has passed. A claim deleted before its node registers is gone at
// once; the provider still makes the node, which the rig then removes, as a cloud would.
func NodeClaim(name, instanceType string, labels map[string]string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"expireAfter":  "Never",
			"nodeClassRef": map[string]any{"group": NodeClasses.Group, "kind": "KWOKNodeClass", "name": NodeClass},
			"requirements": []any{map[string]any{
				"key": corev1.LabelInstanceTypeStable, "operator": string(corev1.NodeSelectorOpIn), "values": []any{instanceType},
			}},
		},
	}}
	o.SetAPIVersion(NodeClaims.GroupVersion().String())
	o.SetKind("NodeClaim")
	o.SetName(name)
	o.SetLabels(labels)
	return o
}

// nodeClass answers the KWOKNodeClass of the rig.
func nodeClass(delay metav1.Duration) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"nodeRegistrationDelay": delay.Duration.String()},
	}}
	o.SetAPIVersion(NodeClasses.GroupVersion().String())
	o.SetKind("KWOKNodeClass")
	o.SetName(NodeClass)
	return o
}
