package actuator

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// forgetDeleted drops the seats of Deployments that are gone. A Deployment that is
// merely unreadable, or of a namespace that is not looked at, keeps them.
func (p *pass) forgetDeleted(ctx context.Context) error {
	gone := map[kube.Key]bool{}
	for _, s := range p.ledger.Clone().Replicas {
		if p.deployments[s.Server] != nil || !slices.Contains(p.Namespaces, s.Server.Namespace) {
			continue
		}
		if _, looked := gone[s.Server]; !looked {
			_, err := p.client.AppsV1().Deployments(s.Server.Namespace).Get(ctx, s.Server.Name, metav1.GetOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return call{"get", "deployments", s.Server.Namespace, s.Server.Name}.failed(err)
			}
			gone[s.Server] = err != nil
		}
		if !gone[s.Server] {
			continue
		}
		ref := &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: s.Server.Namespace, Name: s.Server.Name}
		p.say(s.Server.String(), ref, Warning, "ReplicaForgotten", s.Plan, "%s is forgotten, because the Deployment was deleted", s.ID)
		p.ledger.DropReplica(s.ID)
	}
	return nil
}
