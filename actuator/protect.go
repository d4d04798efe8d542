package actuator

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// protections are the annotations of a node by which other node autoscalers leave it
// alone: of cluster-autoscaler, and of Karpenter for the nodes of a NodePool. Neither
// holds what they do by force, such as the end of a NodePool's expireAfter.
var protections = []string{"cluster-autoscaler.kubernetes.io/scale-down-disabled", "karpenter.sh/do-not-disrupt"}

// protecting sets all protections in a patch; nil takes them off.
func protecting(value any) patch {
	change := patch{}
	for _, name := range protections {
		change.metadata("annotations", name, value)
	}
	return change
}

// protect gives a node that is kept the protections that it lacks.
func (e Placeholder) protect(p *pass, w kube.Wish, node *corev1.Node) {
	lacks := func(name string) bool { return node.Annotations[name] != "true" }
	if node.DeletionTimestamp != nil || !slices.ContainsFunc(protections, lacks) {
		return
	}
	p.then(string(w.ID), w.Plan, func(ctx context.Context) error { return p.patchNode(ctx, w.ID, protecting("true")) })
}

// unprotect takes the protections off a node, so that its node autoscaler finds it
// empty and removes it.
func (p *pass) unprotect(ctx context.Context, node *corev1.Node) error {
	has := func(name string) bool { _, is := node.Annotations[name]; return is }
	if !slices.ContainsFunc(protections, has) {
		return nil
	}
	id := kube.NodeID(node)
	if err := p.patchNode(ctx, id, protecting(nil)); err != nil {
		return err
	}
	p.tell.Tell(nodeRef(node), Normal, "NodeReleased", "is empty and no longer kept from its node autoscaler; it counts as paid until that removes it", p.planOf(id))
	return nil
}

// planOf is the plan for which a node is as it is to be.
func (p *pass) planOf(id fleet.NodeID) fleet.PlanID {
	if w := p.ledger.Node(id); w != nil && w.Plan != "" {
		return w.Plan
	}
	return p.plan
}
