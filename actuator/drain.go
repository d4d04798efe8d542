package actuator

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// drain stops or resumes placing on a node.
func (p *pass) drain(id fleet.NodeID, draining bool) error {
	w := p.ledger.Node(id)
	switch {
	case w == nil:
		return notThere("node %s is not in the ledger", id)
	case w.Fixed:
		return refuse("node %s is somebody else's: it is neither drained nor given back", id)
	case w.Returning && !draining:
		return refuse("node %s is being given back", id)
	case !draining && w.Cut != nil && w.Cut.Failed != "":
		return refuse("node %s is not kept: %s", id, w.Cut.Failed)
	case w.Draining != draining:
		w.Draining, w.Plan = draining, p.plan
	}
	return nil
}

// cordon keeps the scheduler away from a node that drains, is cut, or was not cut as
// it should be, and lets it return afterwards. It takes back its own cordon and never
// a person's.
func (p *pass) cordon(w *kube.Wish, node *corev1.Node) {
	id, plan := w.ID, w.Plan
	closed := w.Draining || w.Returning || w.Cut != nil
	ours := node.Annotations[kube.AnnotationCordoned] != ""
	switch {
	case closed && !node.Spec.Unschedulable:
		change := patch{}.metadata("annotations", kube.AnnotationCordoned, string(plan))
		change.into("spec")["unschedulable"] = true
		p.then(string(id), plan, func(ctx context.Context) error { return p.patchNode(ctx, id, change) })
		p.say(string(id), nodeRef(node), Normal, "NodeCordoned", plan, "cordoned: %s", p.why(string(id), plan))
	case !closed && ours:
		change := patch{}.metadata("annotations", kube.AnnotationCordoned, nil)
		change.into("spec")["unschedulable"] = nil
		p.then(string(id), plan, func(ctx context.Context) error { return p.patchNode(ctx, id, change) })
		p.say(string(id), nodeRef(node), Normal, "NodeUncordoned", plan, "takes replicas again: %s", p.why(string(id), plan))
	}
}
