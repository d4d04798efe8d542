package actuator

import (
	"context"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Placeholder asks for nodes of any node autoscaler by a Deployment of one pod that
// fills a node. Once the pod has a node, the node becomes the wish's own and the
// placeholder goes.
type Placeholder struct {
	Types    map[fleet.OfferingName]NodeType
	Image    string // of the pod, which does nothing
	Priority string // class of the pod; the node autoscaler must not think it expendable
}

func (e Placeholder) knows(o fleet.OfferingName) error {
	t, err := lookup(e.Types, o)
	if err == nil && len(t.Resources) == 0 {
		return refuse("offering %s has no resources: write what a placeholder asks for so that it fills a node, such as all its GPUs", o)
	}
	return err
}

func (e Placeholder) find(ctx context.Context, p *pass, id fleet.NodeID) (*request, error) {
	name := kube.PlaceholderName(id)
	d, err := p.client.AppsV1().Deployments(p.Ledger.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, call{"get", "deployments", p.Ledger.Namespace, name}.failed(err)
	}
	if d.Labels[kube.LabelLedger] != p.ledgerLabel() {
		return nil, refuse("Deployment %s/%s is there and is not of this ledger, so it is left alone", d.Namespace, name)
	}
	return &request{
		name: name, uid: d.UID, version: d.ResourceVersion, leaving: d.DeletionTimestamp != nil,
		ref: &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: d.Namespace, Name: name, UID: d.UID},
	}, nil
}

func (e Placeholder) ask(ctx context.Context, p *pass, w kube.Wish) error {
	d, err := p.client.AppsV1().Deployments(p.Ledger.Namespace).Create(ctx, e.deployment(p, w), metav1.CreateOptions{FieldManager: kube.FieldManager})
	if err != nil {
		return call{"create", "deployments", p.Ledger.Namespace, kube.PlaceholderName(w.ID)}.failed(err)
	}
	ref := &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: d.Namespace, Name: d.Name, UID: d.UID}
	p.tell.Tell(ref, Normal, "NodeAsked", "asked for "+describe(w)+": "+p.why(string(w.ID), w.Plan), w.Plan)
	return nil
}

// deployment is a wish as a placeholder: one pod that fills a node which is nobody's
// yet, and never shares it with another placeholder.
func (e Placeholder) deployment(p *pass, w kube.Wish) *appsv1.Deployment {
	t := e.Types[w.Offering]
	labels := map[string]string{kube.LabelNode: string(w.ID), kube.LabelOffering: string(w.Offering), kube.LabelLedger: p.ledgerLabel()}
	one, now, nobody, yes := int32(1), int64(0), int64(65532), true
	var tolerations []corev1.Toleration
	for _, taint := range t.Taints {
		tolerations = append(tolerations, corev1.Toleration{Key: taint.Key, Operator: corev1.TolerationOpEqual, Value: taint.Value, Effect: taint.Effect})
	}
	selector := maps.Clone(t.Labels)
	if t.InstanceType != "" {
		if selector == nil {
			selector = map[string]string{}
		}
		selector[corev1.LabelInstanceTypeStable] = t.InstanceType
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name: kube.PlaceholderName(w.ID), Namespace: p.Ledger.Namespace, Labels: labels,
			Annotations: map[string]string{kube.AnnotationPlan: string(w.Plan)},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: &one,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{kube.LabelNode: string(w.ID)}},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: "place", Image: e.Image,
						Resources: corev1.ResourceRequirements{Requests: t.Resources, Limits: t.Resources},
						SecurityContext: &corev1.SecurityContext{
							AllowPrivilegeEscalation: new(bool), ReadOnlyRootFilesystem: &yes,
							Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
						},
					}},
					// As a namespace of the restricted kind wants it.
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: &yes, RunAsUser: &nobody,
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					NodeSelector: selector, Tolerations: tolerations, Affinity: alone(p.ledgerLabel()),
					PriorityClassName: e.Priority, TerminationGracePeriodSeconds: &now,
					AutomountServiceAccountToken: new(bool),
				},
			},
		},
	}
}

// alone keeps a placeholder away from the others and from nodes of the fleet.
func alone(ledger string) *corev1.Affinity {
	nobodys := func(label string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: label, Operator: corev1.NodeSelectorOpDoesNotExist}
	}
	return &corev1.Affinity{
		NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				nobodys(kube.LabelNode), nobodys(kube.LabelOffering),
			}}},
		}},
		PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			LabelSelector: &metav1.LabelSelector{
				MatchLabels:      map[string]string{kube.LabelLedger: ledger},
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: kube.LabelNode, Operator: metav1.LabelSelectorOpExists}},
			},
			TopologyKey: corev1.LabelHostname,
		}}},
	}
}

// arrive gives the placeholder's node its names; once it bears them, the placeholder
// has done its duty.
func (e Placeholder) arrive(ctx context.Context, p *pass, w kube.Wish, r *request, node *corev1.Node) error {
	if node != nil {
		p.then(string(w.ID), w.Plan, func(ctx context.Context) error { return e.delete(ctx, p, r) })
		return nil
	}
	pods, err := p.client.CoreV1().Pods(p.Ledger.Namespace).List(ctx, metav1.ListOptions{LabelSelector: kube.LabelNode + "=" + string(w.ID)})
	if err != nil {
		return call{"list", "pods", p.Ledger.Namespace, ""}.failed(err)
	}
	for _, pod := range pods.Items {
		come := p.nodes[fleet.NodeID(pod.Spec.NodeName)]
		if come == nil || come.Labels[kube.LabelNode] != "" || !kube.Live(&pod) || pod.DeletionTimestamp != nil {
			continue
		}
		change := protecting("true")
		for name, value := range p.nodeLabels(w, NodeType{}) {
			change.metadata("labels", name, value)
		}
		p.then(string(w.ID), w.Plan, func(ctx context.Context) error {
			return p.patchNode(ctx, fleet.NodeID(come.Name), change)
		})
		return nil
	}
	return nil
}

func (e Placeholder) delete(ctx context.Context, p *pass, r *request) error {
	if r == nil || r.leaving {
		return nil
	}
	how, background := exactly(r), metav1.DeletePropagationBackground
	how.PropagationPolicy = &background
	err := p.client.AppsV1().Deployments(p.Ledger.Namespace).Delete(ctx, r.name, how)
	return call{"delete", "deployments", p.Ledger.Namespace, r.name}.failed(err)
}

// withdraw deletes the placeholder and lets the node autoscaler remove the node, which
// it finds empty. Until it is seen to be gone it is cordoned, bears its names, stays in
// the ledger, and is paid.
func (e Placeholder) withdraw(ctx context.Context, p *pass, r *request, node *corev1.Node) error {
	if err := e.delete(ctx, p, r); err != nil || node == nil {
		return err
	}
	return p.unprotect(ctx, node)
}
