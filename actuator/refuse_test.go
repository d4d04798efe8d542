package actuator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Each refusal is of its kind, says how to mend it, and leaves the ledger as it was.
func TestAStepIsRefusedWithASentence(t *testing.T) {
	ready := func(t *testing.T, b *bench) {
		b.deploy("fr", 0, true)
		b.do(t, buy("n-1"), start("fr-00002", "n-1", 0))
		b.settle(t, 3)
	}
	tests := []struct {
		name string
		give func(t *testing.T, b *bench)
		step fleet.Step
		kind actuator.Kind
		want string
	}{
		{"unknown offering", nil, fleet.BuyNode{Node: "n-1", Offering: "h100", GPUs: sevenths()}, actuator.Refused, "offering h100 has no node type"},
		{"a claim of somebody else", func(_ *testing.T, b *bench) {
			b.put(claimsPath+"n-1", object{"kind": "NodeClaim", "apiVersion": "karpenter.sh/v1", "metadata": object{"name": "n-1"}})
		}, buy("n-1"), actuator.Refused, "is not of this ledger"},
		{"no way to cut", func(_ *testing.T, b *bench) { b.config.MIGConfigs = kube.Key{}; b.restart() }, buy("n-1"), actuator.Refused, "name in the cluster's configuration the ConfigMap"},
		{"no Deployment", func(t *testing.T, b *bench) { b.do(t, buy("n-1")) }, start("de-1", "n-1", 0), actuator.Refused, "no Deployment starts de fp16"},
		{"two Deployments", func(t *testing.T, b *bench) {
			ready(t, b)
			o := clone(b.objects[deploymentsPath+"fr"])
			dig(o, "metadata")["name"] = "fr-too"
			b.put(deploymentsPath+"fr-too", o)
		}, start("fr-9", "n-1", 3), actuator.Refused, "both start fr fp16"},
		{"slice taken", ready, start("fr-9", "n-1", 0), actuator.Refused, "is taken by fr-00002"},
		{"no such slice", ready, start("fr-9", "n-1", 9), actuator.NotThere, "slice n-1/0@9 is not there"},
		{"no such node", nil, start("fr-9", "n-7", 0), actuator.NotThere, "neither in the ledger nor in the cluster"},
		{"no such replica", ready, stop("fr-9"), actuator.NotThere, "neither in the ledger nor a pod"},
		{"return without drain", ready, fleet.ReturnNode{Node: "n-1"}, actuator.Refused, "is not draining"},
		{"return of what is full", func(t *testing.T, b *bench) { ready(t, b); b.do(t, fleet.DrainNode{Node: "n-1"}) }, fleet.ReturnNode{Node: "n-1"}, actuator.Refused, "is not empty"},
		{"reshape under a pod", ready, reshape("n-1", "7g.80gb", 0), actuator.Refused, "GPU n-1/0 is not empty"},
		{"reshape under somebody's pod", func(t *testing.T, b *bench) {
			ready(t, b)
			b.do(t, buy("n-2"))
			b.settle(t, 2)
			b.intruder("n-2", true)
		}, reshape("n-2", "7g.80gb", 0), actuator.Refused, "pod models/intruder takes a GPU"},
		{"paused Deployment", func(t *testing.T, b *bench) {
			ready(t, b)
			dig(b.objects[deploymentsPath+"fr"], "metadata", "annotations")[kube.AnnotationPaused] = "true"
		}, start("fr-9", "n-1", 3), actuator.Refused, "is paused by the annotation"},
		{"paused fleet", func(t *testing.T, b *bench) {
			ready(t, b)
			dig(b.objects[ledgerPath], "metadata", "annotations")[kube.AnnotationPaused] = "true"
		}, buy("n-3"), actuator.Refused, "the fleet is paused"},
		{"lost ledger", func(t *testing.T, b *bench) { ready(t, b); delete(b.objects, ledgerPath); b.restart() }, buy("n-3"), actuator.Refused, "yet node n-1 was bought by it"},
		{"not allowed", func(_ *testing.T, b *bench) {
			b.before = func(_, path string) int {
				if strings.HasPrefix(path+"/", claimsPath) {
					return 403
				}
				return 0
			}
		}, buy("n-3"), actuator.Forbidden, "grant the verb create on nodeclaims"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			if tt.give != nil {
				tt.give(t, b)
			}
			before := b.objects[ledgerPath]
			err := b.try(t, tt.step)
			if actuator.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v (%s)", tt.kind, err, actuator.KindOf(err))
			}
			if tt.kind != actuator.Forbidden && len(before) > 0 && b.ledger().Generation != kubeLedger(before).Generation {
				t.Error("the ledger was written")
			}
		})
	}
}

func kubeLedger(o object) kube.Ledger {
	l, err := kube.DecodeLedger(load[corev1.ConfigMap](o).Data[kube.LedgerKey])
	if err != nil {
		panic(err)
	}
	return l
}

func reshape(node fleet.NodeID, profile fleet.ProfileName, starts ...int) fleet.Step {
	return fleet.Reshape{GPU: fleet.GPUID{Node: node}, Geometry: gpu(profile, starts...)[0].Geometry, Reason: why}
}

// intruder is somebody else's pod on a node.
func (b *bench) intruder(node string, takesGPU bool) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "intruder"}, Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	if takesGPU {
		pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"nvidia.com/mig-1g.10gb": quantity(1)}
	}
	b.store(podsPath+"intruder", pod)
}

// Behind a shut door the steps of a plan are judged as if the ones before them had
// been done, and nothing is written or settled.
func TestShadowModeWritesNothing(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.shadow = true
	b.restart()
	for _, s := range []fleet.Step{buy("n-1"), start("fr-1", "n-1", 0), start("fr-2", "n-1", 1), fleet.DrainNode{Node: "n-1"}} {
		if err := b.Do(t.Context(), "plan-1", s); !errors.Is(err, control.ErrWithheld) {
			t.Errorf("%s: %v", s.Describe(), err)
		}
	}
	if err := b.Do(t.Context(), "plan-1", start("fr-3", "n-1", 0)); errors.Is(err, control.ErrWithheld) || err == nil {
		t.Errorf("a slice was given twice: %v", err)
	}
	if err := b.Do(t.Context(), "plan-2", start("fr-1", "n-1", 0)); actuator.KindOf(err) != actuator.NotThere {
		t.Errorf("another plan rests on what was withheld: %v", err)
	}
	b.settle(t, 2)
	if len(b.writes) > 0 {
		t.Errorf("%d writes: %v", len(b.writes), b.writes)
	}
}

// What Karpenter gives up is not bought again for a while, and what was to be on it is
// forgotten.
func TestAPurchaseThatFailsBacksOff(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.noCapacity = true
	b.do(t, buy("n-1"), start("fr-00002", "n-1", 0))
	b.settle(t, 2)
	if l := b.ledger(); len(l.Nodes) != 0 || len(l.Replicas) != 0 {
		t.Fatalf("still in the ledger: %+v", l)
	}
	b.tells(t, "Warning NodeNotBought NodeClaim/n-1", "a100 is not asked for again before")
	if err := b.try(t, buy("n-3")); actuator.KindOf(err) != actuator.Refused || !strings.Contains(err.Error(), "given up") {
		t.Fatalf("bought again at once: %v", err)
	}
	b.now, b.noCapacity = b.now.Add(5*time.Minute), false
	b.do(t, buy("n-3"))
	b.settle(t, 2)
	if l := b.ledger(); l.Node("n-3").ReadyAt.IsZero() {
		t.Error("n-3 is not ready")
	}
}

// A number that somebody else wrote meanwhile is not overwritten.
func TestAConflictIsNotSentAgain(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.do(t, buy("n-1"))
	b.settle(t, 2)
	b.before = func(_, path string) int {
		if strings.HasSuffix(path, "/scale") {
			b.before = nil
			b.person("fr", 4)
		}
		return 0
	}
	err := b.try(t, start("fr-00002", "n-1", 0))
	if actuator.KindOf(err) != actuator.Conflict || b.replicas("fr") != 4 {
		t.Fatalf("%d replicas, %v", b.replicas("fr"), err)
	}
	b.settle(t, 3)
	if b.replicas("fr") != 4 {
		t.Errorf("scaled to %d over a person's 4", b.replicas("fr"))
	}
	b.tells(t, "Warning ScaledBySomebodyElse Deployment/fr", "kubectl set 4 replicas")
}
