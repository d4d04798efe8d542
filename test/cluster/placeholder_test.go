package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
	words "github.com/tessera-autoscaler/tessera/internal/kube"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// A NodePool as somebody has it who knows nothing of Tessera: it makes nodes for pods
// that are pending, and removes what is empty at once. Its taint keeps the pods of other
// tests away.
const nodePool = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: placed}
spec:
  disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 1s, budgets: [{nodes: 100%}]}
  template:
    spec:
      expireAfter: Never
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      taints: [{key: placed, value: "true", effect: NoSchedule}]
      requirements:
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
      - {key: node.kubernetes.io/instance-type, operator: In, values: [a2-ultragpu-1g]}
`

// protectedFrom are the annotations by which a node is kept from node autoscalers.
var protectedFrom = []string{"cluster-autoscaler.kubernetes.io/scale-down-disabled", "karpenter.sh/do-not-disrupt"}

// newPlaceholderHand is a hand that has its nodes from a NodePool.
func newPlaceholderHand(t *testing.T) *hand {
	t.Helper()
	shipped, err := os.ReadFile("../../configs/deploy/placeholder/placeholder.yaml")
	if err != nil {
		t.Fatal(err)
	}
	class, _, _ := strings.Cut(string(shipped), "\n---\n")
	h := newHand(t, "placed")
	if err := kube.Apply(t.Context(), []byte(class+"\n---\n"+nodePool)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // with all its nodes
		pools := schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodepools"}
		if err := kube.Dynamic.Resource(pools).Delete(context.WithoutCancel(t.Context()), "placed", metav1.DeleteOptions{}); err != nil {
			t.Log(err)
		}
	})
	tolerates := []byte(`{"spec":{"template":{"spec":{"tolerations":[{"key":"placed","operator":"Exists"}]}}}}`)
	if _, err := kube.Client.AppsV1().Deployments("placed").Patch(t.Context(), "fr", types.MergePatchType, tolerates, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	h.Engine = actuator.Placeholder{Image: "none", Priority: "tessera-placeholder", Types: map[fleet.OfferingName]actuator.NodeType{"a100": {
		InstanceType: "a2-ultragpu-1g", Labels: map[string]string{"karpenter.sh/nodepool": "placed"},
		Taints:    []corev1.Taint{{Key: "placed", Value: "true", Effect: corev1.TaintEffectNoSchedule}},
		Resources: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("8")}, // the rig's types promise no GPU
	}}}
	return h
}

// Where another autoscaler makes the nodes, a node that a placeholder brought is
// Tessera's until it is given back, and that autoscaler's afterwards. The node that is
// kept stands empty for all of that time, and longer than the one that goes.
func TestPlaceholdersBringAndKeepNodesOfAnotherAutoscaler(t *testing.T) {
	t.Parallel()
	h := newPlaceholderHand(t)
	sevenths := cutAs("1g.10gb", 0, 1, 2, 3, 4, 5, 6)
	ids := []fleet.NodeID{"placed-kept", "placed-goes"}
	for _, id := range ids {
		h.do(t, fleet.BuyNode{Node: id, Offering: "a100", GPUs: sevenths})
	}
	for _, id := range ids {
		h.until(t, string(id)+" being cut and the placeholder gone", func() (bool, any) {
			_, err := kube.Client.AppsV1().Deployments("placed").Get(t.Context(), words.PlaceholderName(id), metav1.GetOptions{})
			n := nodeOf(t, id)
			return apierrors.IsNotFound(err) && n != nil && slicesOf(n)["mig-1g.10gb"] == 7, fmt.Sprint(n, h.told)
		})
		n := nodeOf(t, id)
		if n.Labels["karpenter.sh/nodepool"] != "placed" || n.Labels[words.LabelOffering] != "a100" || n.Labels[words.LabelLedger] != "placed.ledger" ||
			n.Labels[words.LabelMIGConfig] != words.MIGConfigName(sevenths) {
			t.Errorf("%s has the labels %v", id, n.Labels)
		}
		for _, name := range protectedFrom {
			if n.Annotations[name] != "true" {
				t.Errorf("%s lacks the annotation %s: %v", id, name, n.Annotations)
			}
		}
	}
	kept, goes := nodeOf(t, "placed-kept"), nodeOf(t, "placed-goes")

	h.do(t, seat("fr-00003", "placed-goes", 0))
	h.until(t, "the replica on placed-goes", h.runs(t, "placed-goes")(1))
	h.do(t, fleet.DrainNode{Node: "placed-goes"}, fleet.StopReplica{Replica: "fr-00003"})
	h.seen = []fleet.Replica{{ID: "fr-00003", InFlight: fleet.Unknown(fleet.NotMeasured)}}
	h.until(t, "placed-goes being empty", h.runs(t, "placed-goes")(0))
	h.until(t, "the return of placed-goes", func() (bool, any) {
		err := h.Do(t.Context(), h.plan(), fleet.ReturnNode{Node: "placed-goes"})
		return err == nil, err
	})
	h.until(t, "placed-goes being released", func() (bool, any) {
		told := strings.Join(h.told, "\n")
		return strings.Contains(told, "NodeReleased"), told
	})
	// It is ours, and paid, until it is gone.
	if n := nodeOf(t, "placed-goes"); n == nil || n.Annotations[protectedFrom[0]] != "" || n.Annotations[protectedFrom[1]] != "" || !n.Spec.Unschedulable {
		t.Errorf("the node that is given back: %v", n)
	} else if strings.Contains(strings.Join(h.told, "\n"), "NodeReturned") {
		t.Error("it is forgotten before it is gone")
	}
	// Karpenter looks every ten seconds, thinks for fifteen and drains for five.
	released := time.Now()
	h.until(t, "the other autoscaler removing placed-goes", func() (bool, any) {
		_, err := kube.Client.CoreV1().Nodes().Get(t.Context(), goes.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err) && strings.Contains(strings.Join(h.told, "\n"), "NodeReturned"), fmt.Sprint(err, h.told)
	})
	t.Logf("gone %s after its release", time.Since(released).Round(time.Second))
	audited(t, 1, func(e rig.AuditEvent) bool {
		return e.User == "karpenter" && e.Verb == "delete" && e.Resource == "nodeclaims" && e.Name == goes.Labels[corev1.LabelHostname]
	})
	if n := nodeOf(t, "placed-kept"); n == nil || n.UID != kept.UID || n.DeletionTimestamp != nil {
		t.Errorf("the node that is kept: %v; told %q", n, h.told)
	}
}
