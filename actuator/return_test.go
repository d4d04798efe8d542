package actuator_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

func drain(id fleet.NodeID) fleet.Step { return fleet.DrainNode{Node: id, Reason: why} }
func keep(id fleet.NodeID) fleet.Step  { return fleet.KeepNode{Node: id, Reason: why} }
func giveBack(id fleet.NodeID) fleet.Step {
	return fleet.ReturnNode{Node: id, Reason: why}
}

// returning is a node that is given back and on which a pod appears.
func returning(t *testing.T, ours bool) *bench {
	b := newBench()
	b.do(t, buy("n-1"))
	b.settle(t, 2)
	b.do(t, drain("n-1"))
	b.intruder("n-1", false)
	if err := b.try(t, giveBack("n-1")); err != nil {
		t.Fatal(err)
	}
	if ours {
		o := b.objects[podsPath+"intruder"]
		dig(o, "metadata", "labels")[kube.LabelModel] = "fr"
		dig(o, "status")["containerStatuses"] = []any{object{"name": "c", "state": object{"waiting": object{"reason": "CrashLoopBackOff"}}}}
	}
	return b
}

// Somebody else's pod is waited for and never removed.
func TestAStrangersPodIsWaitedFor(t *testing.T) {
	b := returning(t, false)
	b.settle(t, 5)
	if b.objects[podsPath+"intruder"] == nil || b.objects[claimsPath+"n-1"] == nil {
		t.Fatal("the pod or the node is gone")
	}
	b.tells(t, "Warning NodeNotEmpty Node/n-1", "models/intruder")
	if n := strings.Count(strings.Join(b.told, "\n"), "NodeNotEmpty"); n != 1 {
		t.Errorf("told %d times", n)
	}
	delete(b.objects, podsPath+"intruder")
	b.settle(t, 3)
	if l := b.ledger(); l.Node("n-1") != nil {
		t.Error("not given back")
	}
}

// A pod of ours is evicted by the API, which keeps to its budget.
func TestEvictionKeepsToTheBudget(t *testing.T) {
	b := returning(t, true)
	b.budget = 429
	b.round()
	if err := b.Settle(t.Context(), "plan-x", b.snapshot()); err == nil || !strings.Contains(err.Error(), "its disruption budget allows none now") {
		t.Fatalf("%v", err)
	}
	b.now, b.budget = b.now.Add(time.Minute), 0
	b.settle(t, 4)
	if l := b.ledger(); l.Node("n-1") != nil || b.objects[podsPath+"intruder"] != nil {
		t.Errorf("still there: %+v", l)
	}
}

// Two budgets on one pod can never be kept, so the node is.
func TestClashingBudgetsKeepTheNode(t *testing.T) {
	b := returning(t, true)
	b.budget = 500
	b.round()
	_ = b.Settle(t.Context(), "plan-x", b.snapshot())
	b.settle(t, 3)
	if l := b.ledger(); l.Node("n-1") == nil || l.Node("n-1").Returning {
		t.Errorf("%+v", l.Nodes)
	}
	b.tells(t, "Warning NodeKept Node/n-1", "cannot be evicted")
}

// Nodes of somebody else are used and cut, and neither drained nor given back.
func TestANodeOfSomebodyElse(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	n := node("theirs")
	n.Labels = map[string]string{kube.LabelOffering: "a100", kube.LabelMIGConfig: "theirs"}
	n.Status.Allocatable = corev1.ResourceList{"nvidia.com/mig-1g.10gb": quantity(2)}
	b.applied["theirs"] = "theirs"
	b.store(nodesPath+"theirs", n)
	shapes, err := kube.Realise("a100-80gb", 1, kube.Allocatable(n))
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, start("fr-00001", "theirs", shapes[0][0].Start))
	b.settle(t, 2)
	if len(b.podsOn("theirs")) != 1 {
		t.Fatalf("pods %v", b.podsOn("theirs"))
	}
	if err := b.try(t, drain("theirs")); err == nil {
		t.Error("drained")
	}
	b.do(t, stop("fr-00001"))
	b.settle(t, 4)
	if l := b.ledger(); len(l.Nodes) != 0 {
		t.Errorf("still in the ledger with nothing on it: %+v", l.Nodes)
	}
	b.do(t, reshape("theirs", "1g.10gb", 0, 1, 2))
	b.settle(t, 3)
	if got := kube.Allocatable(load[corev1.Node](b.objects[nodesPath+"theirs"])); got["nvidia.com/mig-1g.10gb"] != 3 {
		t.Errorf("offers %v", got)
	}
}
