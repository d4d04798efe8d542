package actuator

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Karpenter asks for nodes by NodeClaims of their own, without a NodePool, so that
// nothing but Tessera moves or removes them.
type Karpenter struct {
	Types map[fleet.OfferingName]NodeType
}

func (k Karpenter) knows(o fleet.OfferingName) error {
	t, err := lookup(k.Types, o)
	if err == nil && (t.InstanceType == "" || t.Class == ClassRef{}) {
		return refuse("offering %s has no instance type or node class: Karpenter needs both", o)
	}
	return err
}

func (k Karpenter) find(ctx context.Context, p *pass, id fleet.NodeID) (*request, error) {
	claim, err := p.dynamic.Resource(kube.NodeClaims).Get(ctx, string(id), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, call{"get", "nodeclaims", "", string(id)}.failed(err)
	}
	if claim.GetLabels()[kube.LabelLedger] != p.ledgerLabel() {
		return nil, refuse("NodeClaim %s is there and is not of this ledger, so it is left alone", id)
	}
	return &request{
		name: claim.GetName(), uid: claim.GetUID(), version: claim.GetResourceVersion(),
		leaving: claim.GetDeletionTimestamp() != nil, ref: claimRef(claim),
	}, nil
}

func claimRef(claim *unstructured.Unstructured) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: kube.NodeClaims.GroupVersion().String(), Kind: "NodeClaim",
		Name: claim.GetName(), UID: claim.GetUID(),
	}
}

func (k Karpenter) ask(ctx context.Context, p *pass, w kube.Wish) error {
	claim, err := p.dynamic.Resource(kube.NodeClaims).Create(ctx, k.claim(p, w), metav1.CreateOptions{FieldManager: kube.FieldManager})
	if err != nil {
		return call{"create", "nodeclaims", "", string(w.ID)}.failed(err)
	}
	p.tell.Tell(claimRef(claim), Normal, "NodeAsked", "asked for "+describe(w)+": "+p.why(string(w.ID), w.Plan), w.Plan)
	return nil
}

// claim is a wish in Karpenter's words. It never asks for nvidia.com resources: with
// a mixed geometry nvidia.com/gpu never comes, and the node would never be done.
func (k Karpenter) claim(p *pass, w kube.Wish) *unstructured.Unstructured {
	t := k.Types[w.Offering]
	requirements := []any{only(corev1.LabelInstanceTypeStable, t.InstanceType)}
	if o, known := p.Offering(w.Offering); known && o.Purchase != "" && !slices.ContainsFunc(t.Requirements, func(r Requirement) bool { return r.Key == capacityType }) {
		requirements = append(requirements, only(capacityType, string(o.Purchase)))
	}
	for _, r := range t.Requirements {
		values := make([]any, len(r.Values))
		for i, v := range r.Values {
			values[i] = v
		}
		requirements = append(requirements, map[string]any{"key": r.Key, "operator": string(r.Operator), "values": values})
	}
	spec := map[string]any{
		"nodeClassRef": map[string]any{"group": t.Class.Group, "kind": t.Class.Kind, "name": t.Class.Name},
		"requirements": requirements,
		"expireAfter":  "Never",
	}
	if len(t.Taints) > 0 {
		taints := make([]any, len(t.Taints))
		for i, taint := range t.Taints {
			taints[i] = map[string]any{"key": taint.Key, "value": taint.Value, "effect": string(taint.Effect)}
		}
		spec["taints"] = taints
	}
	claim := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	claim.SetGroupVersionKind(kube.NodeClaims.GroupVersion().WithKind("NodeClaim"))
	claim.SetName(string(w.ID))
	claim.SetLabels(p.nodeLabels(w, t))
	claim.SetAnnotations(map[string]string{kube.AnnotationPlan: string(w.Plan)})
	return claim
}

// capacityType is how Karpenter calls the way a node is paid for, in the catalog's
// words. Where a claim does not say it, Karpenter buys what is cheapest: spot.
const capacityType = "karpenter.sh/capacity-type"

// only asks for one value of a label.
func only(key, value string) map[string]any {
	return map[string]any{"key": key, "operator": string(corev1.NodeSelectorOpIn), "values": []any{value}}
}

// nodeLabels are the labels of a node of ours: what it is, and as what it is born.
func (a *Actuator) nodeLabels(w kube.Wish, t NodeType) map[string]string {
	out := map[string]string{}
	maps.Copy(out, t.Labels)
	out[kube.LabelNode], out[kube.LabelOffering], out[kube.LabelLedger] = string(w.ID), string(w.Offering), a.ledgerLabel()
	if name := kube.MIGConfigName(w.GPUs); name != "" {
		out[kube.LabelMIGConfig] = name
	}
	return out
}

// arrive has nothing to do: a NodeClaim's labels are on its node from birth.
func (k Karpenter) arrive(context.Context, *pass, kube.Wish, *request, *corev1.Node) error {
	return nil
}

// protect has nothing to do: Karpenter leaves a NodeClaim without a NodePool alone.
func (k Karpenter) protect(*pass, kube.Wish, *corev1.Node) {}

func (k Karpenter) withdraw(ctx context.Context, p *pass, r *request, _ *corev1.Node) error {
	if r == nil || r.leaving {
		return nil
	}
	err := p.dynamic.Resource(kube.NodeClaims).Delete(ctx, r.name, exactly(r))
	return call{"delete", "nodeclaims", "", r.name}.failed(err)
}

// exactly deletes what was read and nothing that took its name or changed since.
func exactly(r *request) metav1.DeleteOptions {
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &r.uid, ResourceVersion: &r.version}}
}
