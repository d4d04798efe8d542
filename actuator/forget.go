package actuator

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// forgetDeleted drops the seats of Deployments that are gone. One that is merely
// unreadable keeps them. One that bears no model any more, or is of a namespace that is
// not looked at, keeps each until no pod of its namespace takes a GPU on that node: else
// the node would be paid for ever.
func (p *pass) forgetDeleted(ctx context.Context) error {
	gone, used := map[kube.Key]bool{}, map[spot]bool{}
	for _, s := range p.ledger.Clone().Replicas {
		if p.deployments[s.Server] != nil {
			continue
		}
		if _, looked := gone[s.Server]; !looked && slices.Contains(p.Namespaces, s.Server.Namespace) {
			_, err := p.client.AppsV1().Deployments(s.Server.Namespace).Get(ctx, s.Server.Name, metav1.GetOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return call{"get", "deployments", s.Server.Namespace, s.Server.Name}.failed(err)
			}
			gone[s.Server] = err != nil
		}
		why := "was deleted"
		if !gone[s.Server] {
			at := spot{s.Slice.GPU.Node, s.Server.Namespace}
			if _, looked := used[at]; !looked {
				var err error
				if used[at], err = p.used(ctx, at); err != nil {
					return err
				}
			}
			if used[at] {
				continue
			}
			why = "is no longer one of a model's, and none of its pods is there"
		}
		ref := &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: s.Server.Namespace, Name: s.Server.Name}
		p.say(s.Server.String(), ref, Warning, "ReplicaForgotten", s.Plan, "%s is forgotten, because the Deployment %s", s.ID, why)
		p.ledger.DropReplica(s.ID)
	}
	return nil
}

// spot is a namespace on a node.
type spot struct {
	node      fleet.NodeID
	namespace string
}

// used tells whether a pod of a namespace takes a GPU on a node.
func (p *pass) used(ctx context.Context, at spot) (bool, error) {
	node, err := p.node(ctx, at.node)
	if err != nil || node == nil {
		return false, err
	}
	pods, err := p.podsOn(ctx, node.Name)
	return slices.ContainsFunc(pods, func(pod *corev1.Pod) bool {
		return pod.Namespace == at.namespace && asksForGPU(pod)
	}), err
}
