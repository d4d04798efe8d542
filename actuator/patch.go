package actuator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// options name the writer of every patch.
func options() metav1.PatchOptions { return metav1.PatchOptions{FieldManager: kube.FieldManager} }

// patch is a JSON merge patch. It bears the identity and the version of what was
// read, so that the API server refuses it once somebody else wrote.
type patch map[string]any

// metadata sets labels or annotations; nil takes one off.
func (p patch) metadata(field, key string, value any) patch {
	p.into("metadata", field)[key] = value
	return p
}

// into is an object within the patch, made if it is not there.
func (p patch) into(path ...string) map[string]any {
	at := map[string]any(p)
	for _, name := range path {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	return at
}

// of ends a patch: what it is about, as it was read.
func (p patch) of(read metav1.Object) ([]byte, error) {
	body := maps.Clone(p)
	about := map[string]any{"uid": read.GetUID(), "resourceVersion": read.GetResourceVersion()}
	if given, ok := p["metadata"].(map[string]any); ok {
		maps.Copy(about, given)
	}
	body["metadata"] = about
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write a patch of %s: %w", read.GetName(), err)
	}
	return text, nil
}

// patchNode patches a node of the fleet, or its status, and keeps what came of it for
// the writes that follow.
func (p *pass) patchNode(ctx context.Context, id fleet.NodeID, change patch, subresource ...string) error {
	node := p.nodes[id]
	if node == nil {
		return notThere("node %s is gone", id)
	}
	body, err := change.of(node)
	if err != nil {
		return err
	}
	after, err := p.client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, body, options(), subresource...)
	if err != nil {
		resource := "nodes"
		if len(subresource) > 0 {
			resource = "nodes/" + subresource[0]
		}
		return call{"patch", resource, "", node.Name}.failed(err)
	}
	p.nodes[id] = after
	return nil
}

// patchPod patches a pod.
func (p *pass) patchPod(ctx context.Context, pod *corev1.Pod, change patch) error {
	body, err := change.of(pod)
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, body, options())
	return call{"patch", "pods", pod.Namespace, pod.Name}.failed(err)
}

func nodeRef(n *corev1.Node) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: n.UID}
}

func podRef(pod *corev1.Pod) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
}
