package actuator_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// A node that cannot be cut drains, so that what was to be on it goes elsewhere, and
// is not kept while it serves nothing.
func TestANodeThatCannotBeCutDrains(t *testing.T) {
	b := newBench()
	b.config.ReshapeDeadline = 2 * time.Minute
	b.restart()
	b.deploy("fr", 0, true)
	b.mig = "stuck"
	b.do(t, buy("n-1"), start("fr-00002", "n-1", 0))
	b.settle(t, 60)
	l := b.ledger()
	if w := l.Node("n-1"); w.Cut == nil || w.Cut.Failed == "" || !w.Draining {
		t.Fatalf("%+v", w)
	}
	if err := b.try(t, fleet.KeepNode{Node: "n-1", Reason: why}); err == nil {
		t.Error("a node that serves nothing is kept")
	}
	if len(l.Replicas) > 0 {
		t.Errorf("what was to be on it still waits: %+v", l.Replicas)
	}
	b.do(t, fleet.ReturnNode{Node: "n-1", Reason: why})
	b.settle(t, 2)
	if b.objects[claimsPath+"n-1"] != nil || b.replicas("fr") != 0 {
		t.Errorf("it was not given back: %+v", b.ledger())
	}
}

// A node whose kubelet went away drains after a while and is given back, also when
// the pods on it can no longer end.
func TestANodeThatIsDownIsGivenBack(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.do(t, buy("n-1"), start("fr-00002", "n-1", 0))
	b.settle(t, 3)
	if len(b.podsOn("n-1")) != 1 {
		t.Fatal("no pod runs")
	}
	down := b.now
	n := load[corev1.Node](b.objects[nodesPath+"n-1"])
	n.Status.Conditions[0].Status, n.Status.Conditions[0].LastTransitionTime = corev1.ConditionUnknown, metav1.NewTime(down)
	b.store(nodesPath+"n-1", n)
	for b.now.Sub(down) < 4*time.Minute {
		b.settle(t, 1)
	}
	l := b.ledger()
	if l.Node("n-1").Draining {
		t.Fatalf("it drains %s after it went away", b.now.Sub(down))
	}
	for b.now.Sub(down) < 6*time.Minute {
		b.settle(t, 1)
	}
	if l = b.ledger(); !l.Node("n-1").Draining {
		t.Fatalf("it does not drain %s after it went away", b.now.Sub(down))
	}
	b.tells(t, "Warning NodeDown Node/n-1", "not ready since")
	b.do(t, stop("fr-00002"))
	b.settle(t, 2)
	b.do(t, fleet.ReturnNode{Node: "n-1", Reason: why})
	b.settle(t, 2)
	if b.objects[claimsPath+"n-1"] != nil {
		t.Errorf("it is still paid: %+v", b.ledger())
	}
}

// A claim says how its node is paid for; else the cheapest is bought, which is spot.
func TestAClaimSaysHowItIsPaid(t *testing.T) {
	b := newBench()
	b.do(t, buy("n-1"))
	spec := dig(b.objects[claimsPath+"n-1"], "spec")
	for _, r := range spec["requirements"].([]any) {
		if r := r.(map[string]any); r["key"] == "karpenter.sh/capacity-type" && r["values"].([]any)[0] == "on-demand" {
			return
		}
	}
	t.Errorf("%v", spec)
}
