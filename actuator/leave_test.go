package actuator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// three replicas of fr on one node.
func three(t *testing.T, seats bool) *bench {
	b := newBench()
	b.deploy("fr", 0, seats)
	b.do(t, buy("n-1"), start("fr-00002", "n-1", 0), start("fr-00003", "n-1", 1), start("fr-00004", "n-1", 2))
	b.settle(t, 3)
	if len(b.podsOn("n-1")) != 3 {
		t.Fatalf("pods %v", b.podsOn("n-1"))
	}
	return b
}

// podOf is the pod of a replica.
func (b *bench) podOf(id fleet.ReplicaID) *corev1.Pod {
	for _, s := range b.matching().Seated {
		if s.Seat.ID == id {
			return s.Pod
		}
	}
	return nil
}

// A replica goes once its streams are known to have ended after it was marked. What is
// not known waits, except where nobody measures; after the limit it is kept.
func TestStreamsAreNeverCut(t *testing.T) {
	for _, tt := range []struct {
		name  string
		load  fleet.Signal
		stays bool
	}{
		{"nothing in flight", fleet.Measured(0, 0, 1), false},
		{"streams", fleet.Measured(2, 0, 1), true},
		{"unknown", fleet.Unknown("no answer from Prometheus"), true},
		{"nobody measures", fleet.Unknown(fleet.NotMeasured), false},
		{"measured before it was marked", fleet.Measured(0, time.Hour, 1), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := three(t, true)
			for id := range map[fleet.ReplicaID]bool{"fr-00002": true, "fr-00003": true, "fr-00004": true} {
				b.load[id] = tt.load
			}
			b.do(t, stop("fr-00003"))
			b.settle(t, 1)
			leaving := b.ledger().Replicas[1].Leaving
			if leaving == nil {
				t.Fatal("it does not leave")
			}
			pod := load[corev1.Pod](b.objects[podsPath+leaving.Pod])
			if pod.Labels[kube.LabelServing] != "false" || cost(pod) >= 0 {
				t.Errorf("not marked: %v %v", pod.Labels, pod.Annotations)
			}
			b.settle(t, 4)
			if stayed := b.objects[podsPath+leaving.Pod] != nil; stayed != tt.stays {
				t.Fatalf("stayed %t, want %t", stayed, tt.stays)
			}
			if !tt.stays {
				if len(b.ledger().Replicas) != 2 || b.replicas("fr") != 2 {
					t.Errorf("ledger %+v, %d replicas", b.ledger().Replicas, b.replicas("fr"))
				}
				return
			}
			b.now = b.now.Add(30 * time.Minute)
			b.settle(t, 2)
			pod = load[corev1.Pod](b.objects[podsPath+leaving.Pod])
			if b.ledger().Replicas[1].Leaving != nil || pod.Labels[kube.LabelServing] != "true" || cost(pod) != 0 || b.replicas("fr") != 3 {
				t.Errorf("not taken back: %+v %v %v", b.ledger().Replicas[1], pod.Labels, pod.Annotations)
			}
			b.tells(t, "Warning ReplicaNotDrained Pod/"+pod.Name, "fr-00003 did not end what it has in 30m0s")
		})
	}
}

// Of pods that are alike, the one with the least to finish goes, whatever seat was
// named.
func TestTheLeastLoadedPodGoes(t *testing.T) {
	b := three(t, true)
	idle := b.podOf("fr-00004").Name
	for _, id := range []fleet.ReplicaID{"fr-00002", "fr-00003"} {
		b.busy[b.podOf(id).Name] = true
	}
	b.settle(t, 1)
	b.do(t, stop("fr-00002"))
	b.settle(t, 4)
	if slices.Contains(b.podsOn("n-1"), idle) || len(b.podsOn("n-1")) != 2 || len(b.cutOff) > 0 {
		t.Errorf("left are %v, the idle one was %s, cut off %v", b.podsOn("n-1"), idle, b.cutOff)
	}
	if ids := b.ledger().Replicas; len(ids) != 2 || ids[0].ID != "fr-00003" || ids[1].ID != "fr-00004" {
		t.Errorf("seats %+v", ids)
	}
}

// While another pod would be removed first, the number is not lowered.
func TestTheNumberIsLoweredOnlyWhenTheRightPodGoes(t *testing.T) {
	b := three(t, true)
	sick := b.podOf("fr-00002").Name
	o := clone(b.objects[podsPath+sick])
	dig(o, "status")["conditions"] = []any{object{"type": "Ready", "status": "False"}}
	dig(o, "metadata", "annotations")["x"] = "y"
	b.put(podsPath+sick, o)
	b.busy[sick] = true
	b.busy[b.podOf("fr-00003").Name] = true // the least loaded is the one that is not ready
	b.settle(t, 1)
	b.do(t, stop("fr-00004"))
	if got := b.ledger().Replicas[2].Leaving.Pod; got != sick {
		t.Fatalf("%s leaves, want %s, which the ReplicaSet removes first", got, sick)
	}
	b.settle(t, 4)
	if b.replicas("fr") != 3 {
		t.Fatalf("lowered to %d while streams run", b.replicas("fr"))
	}
	b.do(t, stop("fr-00002"))
	b.settle(t, 4)
	if b.replicas("fr") != 3 {
		t.Fatalf("lowered to %d: %s would go first, which has streams", b.replicas("fr"), sick)
	}
	b.busy = map[string]bool{}
	b.settle(t, 4)
	if b.replicas("fr") != 1 {
		t.Fatalf("%d replicas", b.replicas("fr"))
	}
}

// A replica that nobody put in the ledger, because it was there before, can be
// stopped under the name of its pod, and others can be started beside it.
func TestReplicasThatWereThereBefore(t *testing.T) {
	b := newBench()
	b.deploy("fr", 2, false)
	b.do(t, buy("n-1"))
	b.settle(t, 3)
	before := b.podsOn("n-1")
	if len(before) != 2 || b.replicas("fr") != 2 {
		t.Fatalf("pods %v, %d replicas", before, b.replicas("fr"))
	}
	b.do(t, start("fr-00002", "n-1", 4))
	b.settle(t, 2)
	if b.replicas("fr") != 3 {
		t.Fatalf("%d replicas beside two that were there, want 3", b.replicas("fr"))
	}
	b.do(t, stop(fleet.ReplicaID(before[1])))
	b.settle(t, 5)
	if b.replicas("fr") != 2 || len(b.ledger().Replicas) != 2 {
		t.Errorf("%d replicas, seats %+v", b.replicas("fr"), b.ledger().Replicas)
	}
}

// A replica that never got a pod is forgotten at once, and the number with it.
func TestAReplicaWithoutAPodGoesAtOnce(t *testing.T) {
	b := three(t, true)
	b.do(t, start("fr-00005", "n-1", 3), stop("fr-00005"))
	b.settle(t, 3)
	if b.replicas("fr") != 3 || len(b.ledger().Replicas) != 3 || len(b.podsOn("n-1")) != 3 {
		t.Errorf("%d replicas, seats %+v", b.replicas("fr"), b.ledger().Replicas)
	}
}

// The seat goes before the number does, so that nothing comes in place of the pod.
func TestTheSeatGoesBeforeTheNumber(t *testing.T) {
	b := three(t, true)
	lowered := false
	b.before = func(_, path string) int {
		if strings.HasSuffix(path, "/scale") {
			lowered = true
			n := load[corev1.Node](b.objects[nodesPath+"n-1"])
			if q := n.Status.Allocatable[kube.SeatPrefix+"fr"]; q.Value() != 2 {
				t.Errorf("%s seats when the number is lowered to 2", q.String())
			}
		}
		return 0
	}
	b.do(t, stop("fr-00003"))
	b.settle(t, 4)
	if !lowered {
		t.Error("never lowered")
	}
}
