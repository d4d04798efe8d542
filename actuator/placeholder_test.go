package actuator_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// With another node autoscaler a pod that fills a node is waited for; its node becomes
// the wish's own, is kept from that autoscaler, and is handed back by ending that: it is
// paid until it is gone.
func TestAPlaceholderBecomesANode(t *testing.T) {
	b := newBench()
	b.config.Engine = actuator.Placeholder{Image: "pause", Priority: "low", Types: map[fleet.OfferingName]actuator.NodeType{
		"a100": {InstanceType: "a2-ultragpu-1g", Resources: corev1.ResourceList{kube.GPUResource: quantity(1)}},
	}}
	b.restart()
	path := "/apis/apps/v1/namespaces/tessera/deployments/tessera-n-1"
	b.do(t, buy("n-1"))
	d := load[appsv1.Deployment](b.objects[path])
	spec := d.Spec.Template.Spec
	if spec.NodeSelector[corev1.LabelInstanceTypeStable] != "a2-ultragpu-1g" || spec.PriorityClassName != "low" ||
		spec.Affinity.PodAntiAffinity == nil || *spec.TerminationGracePeriodSeconds != 0 || len(spec.Containers[0].Resources.Requests) != 1 {
		t.Fatalf("%+v", spec)
	}
	b.settle(t, 1)
	b.store("/api/v1/namespaces/tessera/pods/place", &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "place", Labels: d.Spec.Template.Labels}, Spec: corev1.PodSpec{NodeName: "pool-7"},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	})
	b.store(nodesPath+"pool-7", node("pool-7"))
	settle := func(rounds int) { // without Karpenter's rounds, which would remove the node
		for range rounds {
			b.cut()
			if err := b.Settle(t.Context(), "plan-s", b.snapshot()); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle(1)
	n := load[corev1.Node](b.objects[nodesPath+"pool-7"])
	if n.Labels[kube.LabelNode] != "n-1" || n.Labels[kube.LabelMIGConfig] != "tessera-7x1g.10gb" || protected(n) != 2 {
		t.Fatalf("labels %v, annotations %v", n.Labels, n.Annotations)
	}
	settle(2)
	l := b.ledger()
	if b.objects[path] != nil || l.Node("n-1").ReadyAt.IsZero() {
		t.Fatalf("placeholder %v, wish %+v", b.objects[path], l.Node("n-1"))
	}
	delete(b.objects, "/api/v1/namespaces/tessera/pods/place")
	delete(dig(b.objects[nodesPath+"pool-7"], "metadata", "annotations"), "karpenter.sh/do-not-disrupt")
	settle(1)
	if n = load[corev1.Node](b.objects[nodesPath+"pool-7"]); protected(n) != 2 {
		t.Errorf("a protection that was taken off is not back: %v", n.Annotations)
	}
	b.do(t, drain("n-1"), giveBack("n-1"))
	settle(2)
	n = load[corev1.Node](b.objects[nodesPath+"pool-7"])
	if l := b.ledger(); n.Labels[kube.LabelNode] != "n-1" || protected(n) != 0 || !n.Spec.Unschedulable || l.Node("n-1") == nil || !l.Node("n-1").Returning {
		t.Errorf("labels %v, annotations %v, ledger %+v", n.Labels, n.Annotations, l.Nodes)
	}
	b.tells(t, "Normal NodeReleased Node/pool-7")
	writes := len(b.writes)
	settle(3)
	if len(b.writes) != writes {
		t.Errorf("%v written while the node autoscaler is waited for", b.writes[writes:])
	}
	delete(b.objects, nodesPath+"pool-7")
	settle(1)
	if l := b.ledger(); len(l.Nodes) != 0 {
		t.Errorf("the node is gone and the ledger has %+v", l.Nodes)
	}
	b.tells(t, "Normal NodeReturned", "n-1")
}

// protected counts the annotations by which a node is kept from node autoscalers.
func protected(n *corev1.Node) (count int) {
	for _, name := range []string{"cluster-autoscaler.kubernetes.io/scale-down-disabled", "karpenter.sh/do-not-disrupt"} {
		if n.Annotations[name] == "true" {
			count++
		}
	}
	return count
}

// The namespace of the ledger may demand the restricted standard of every pod, the
// placeholders' too.
func TestAPlaceholderKeepsToTheRestrictedStandard(t *testing.T) {
	b := newBench()
	b.config.Engine = actuator.Placeholder{Image: "pause", Types: map[fleet.OfferingName]actuator.NodeType{"a100": {Resources: corev1.ResourceList{kube.GPUResource: quantity(1)}}}}
	b.restart()
	b.do(t, buy("n-1"))
	d := load[appsv1.Deployment](b.objects["/apis/apps/v1/namespaces/tessera/deployments/tessera-n-1"])
	pod := d.Spec.Template.Spec
	s := pod.Containers[0].SecurityContext
	if !*pod.SecurityContext.RunAsNonRoot || *s.AllowPrivilegeEscalation || s.Capabilities.Drop[0] != "ALL" ||
		pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%+v %+v", pod.SecurityContext, s)
	}
}
