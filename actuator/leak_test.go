package actuator_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// kubelet lets the kubelet of a node come or go.
func (b *bench) kubelet(name string, is corev1.ConditionStatus) {
	n := load[corev1.Node](b.objects[nodesPath+name])
	n.Status.Conditions[0].Status, n.Status.Conditions[0].LastTransitionTime = is, metav1.NewTime(b.now)
	b.store(nodesPath+name, n)
}

// wait lets so much time pass.
func (b *bench) wait(t testing.TB, d time.Duration) {
	t.Helper()
	for until := b.now.Add(d); b.now.Before(until); {
		b.settle(t, 1)
	}
}

// A node that came and never gets ready is given up, and the next of its kind waits;
// if it is ready in the end, it is a node like any other.
func TestANodeThatNeverGetsReadyIsNotPaidForEver(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.mig = "stuck"
	b.do(t, buy("n-1"), start("fr-00002", "n-1", 0))
	b.round()
	b.kubelet("n-1", corev1.ConditionFalse)
	b.wait(t, 24*time.Minute)
	if l := b.ledger(); l.Node("n-1").Draining || len(l.Replicas) != 1 {
		t.Fatalf("given up after 24 minutes: %+v", l)
	}
	b.wait(t, 2*time.Minute)
	if l := b.ledger(); !l.Node("n-1").Draining || len(l.Replicas) != 0 {
		t.Fatalf("still waited for after 26 minutes: %+v", l)
	}
	b.tells(t, "Warning NodeLate Node/n-1", "look at its kubelet")
	if err := b.try(t, buy("n-2")); actuator.KindOf(err) != actuator.Refused {
		t.Errorf("the next is bought at once: %v", err)
	}
	b.mig, b.applied = "", map[string]string{}
	b.kubelet("n-1", corev1.ConditionTrue)
	b.settle(t, 2)
	b.do(t, keep("n-1"), start("fr-00003", "n-1", 0))
	b.settle(t, 3)
	if len(b.podsOn("n-1")) != 1 {
		t.Errorf("mended, and serves nothing: %+v", b.ledger())
	}
}

// What is on a node that is down is given up in the end, also where nothing stands in
// for it: the dead node's price may be what is lacking to buy another.
func TestWhatIsOnADeadNodeIsGivenUp(t *testing.T) {
	b := three(t, true)
	b.kubelet("n-1", corev1.ConditionUnknown)
	b.wait(t, 14*time.Minute)
	if l := b.ledger(); len(l.Replicas) != 3 {
		t.Fatalf("given up after 14 minutes: %+v", l.Replicas)
	}
	b.wait(t, 2*time.Minute)
	b.do(t, giveBack("n-1"))
	b.settle(t, 2)
	if b.objects[claimsPath+"n-1"] != nil {
		t.Errorf("still paid: %+v", b.ledger())
	}
	b.tells(t, "Warning ReplicaLost Node/n-1", "fr-00003")
}

// A cut that comes about after it was given up in the detour is over.
func TestACutThatIsMendedInTheDetourIsOver(t *testing.T) {
	b := newBench()
	b.config.ReshapeDeadline = 2 * time.Minute
	b.restart()
	b.mig = "stuck"
	b.do(t, buy("n-1"))
	b.round()
	b.intruder("n-1", true) // so that it can be cut in no other way
	for range 40 {
		b.round()
		_ = b.Settle(t.Context(), "plan-x", b.snapshot()) // says that it is not empty
	}
	if w := b.ledger(); w.Node("n-1").Cut == nil || w.Node("n-1").Cut.Failed == "" {
		t.Fatalf("%+v", w.Nodes)
	}
	b.mig, b.applied = "", map[string]string{}
	b.settle(t, 2)
	if w := b.ledger(); w.Node("n-1").Cut != nil {
		t.Errorf("it offers what it should and is left alone: %+v", w.Node("n-1").Cut)
	}
}

// A seat of a Deployment that is no longer looked at holds its node no longer than its
// pods do.
func TestANamespaceThatIsLeftKeepsNoNode(t *testing.T) {
	b := three(t, true)
	b.config.Namespaces = nil
	b.restart()
	b.settle(t, 2)
	if n := len(b.ledger().Replicas); n != 3 {
		t.Fatalf("%d seats while pods run", n)
	}
	for _, name := range b.podsOn("n-1") {
		delete(b.objects, podsPath+name)
	}
	delete(b.objects, deploymentsPath+"fr")
	b.settle(t, 2)
	if l := b.ledger(); len(l.Replicas) != 0 {
		t.Errorf("seats of nobody: %+v", l.Replicas)
	}
}

// Pods of a rollout's surge are asked for by nobody: no seat is made for them.
func TestASurgeIsNoWish(t *testing.T) {
	b := three(t, true)
	o := clone(b.objects[deploymentsPath+"fr"])
	dig(o, "spec")["replicas"] = 4
	b.own(o, "kubectl")
	b.put(deploymentsPath+"fr", o)
	b.settle(t, 2)
	if n := len(b.ledger().Replicas); n != 4 {
		t.Fatalf("%d seats for four that a person asked for", n)
	}
	surge := clone(b.objects[podsPath+b.podsOn("n-1")[0]])
	dig(surge, "metadata")["name"], dig(surge, "metadata")["uid"] = "surge", "surge"
	delete(dig(surge, "spec"), "nodeName")
	b.put(podsPath+"surge", surge)
	if err := b.Settle(t.Context(), "plan-surge", b.snapshot()); err != nil {
		t.Fatal(err)
	}
	if n := len(b.ledger().Replicas); n != 4 {
		t.Errorf("%d seats: a surge was taken for a wish", n)
	}
}

// Who asks for more while replicas leave gets these back at once.
func TestWhoAsksForMoreGetsBackWhatLeaves(t *testing.T) {
	b := three(t, true)
	for _, name := range b.podsOn("n-1") {
		b.busy[name] = true
	}
	b.do(t, stop("fr-00003"))
	b.settle(t, 2)
	leaving := b.ledger().Replicas[1].Leaving.Pod
	b.person("fr", 5)
	b.settle(t, 2)
	pod := load[corev1.Pod](b.objects[podsPath+leaving])
	if b.ledger().Replicas[1].Leaving != nil || pod.Labels[kube.LabelServing] != "true" || cost(pod) != 0 {
		t.Errorf("%v %v", pod.Labels, pod.Annotations)
	}
	b.tells(t, "ReplicaWanted Pod/"+leaving, "somebody asks for more")
}

// A clock that goes back has no time paid twice.
func TestSpendIsNotCountedTwice(t *testing.T) {
	b := three(t, true)
	at := b.ledger().SpentAt
	settle := func(when time.Time) time.Time {
		s := b.snapshot()
		s.At, s.Sequence = when, b.ledger().Sequence+1 // something to write
		if err := b.Settle(t.Context(), "plan-clock", s); err != nil {
			t.Fatal(err)
		}
		return b.ledger().SpentAt
	}
	if got := settle(at.Add(-10 * time.Minute)); !got.Equal(at) {
		t.Errorf("counted up to %s again", got)
	}
	if wrong := at.Add(-48 * time.Hour); !settle(wrong).Equal(wrong) {
		t.Error("the spend stands still for two days")
	}
}

// A ledger that is nearly full begins nothing new, and still lets go.
func TestAFullLedgerStillLetsGo(t *testing.T) {
	b := three(t, true)
	l := b.ledger()
	l.Leader = strings.Repeat("x", kube.LedgerMost)
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.config.Leader = l.Leader
	b.restart()
	dig(b.objects[ledgerPath], "data")[kube.LedgerKey] = text
	for _, s := range []fleet.Step{buy("n-9"), start("fr-00009", "n-1", 5)} {
		if err := b.try(t, s); actuator.KindOf(err) != actuator.Refused || !strings.Contains(err.Error(), "no room for more") {
			t.Errorf("%s: %v", s.Describe(), err)
		}
	}
	b.do(t, stop("fr-00004"))
	b.settle(t, 4)
	if b.replicas("fr") != 2 {
		t.Errorf("%d replicas", b.replicas("fr"))
	}
}

// Somebody else's node is what they cut it into by now, where every replica keeps its
// slice.
func TestASomebodysNodeIsFollowed(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	n := node("theirs")
	n.Labels = map[string]string{kube.LabelOffering: "a100"}
	offer := func(slices int64) {
		n.Status.Allocatable = corev1.ResourceList{"nvidia.com/mig-1g.10gb": quantity(slices), kube.SeatPrefix + "fr": quantity(1)}
		b.store(nodesPath+"theirs", n)
	}
	offer(7)
	b.do(t, start("fr-00001", "theirs", 3))
	for _, c := range []struct {
		offers int64
		want   int
	}{{6, 6}, {0, 6}, {7, 7}} {
		offer(c.offers)
		b.settle(t, 1)
		if l := b.ledger(); len(l.Node("theirs").GPUs[0].Geometry) != c.want {
			t.Errorf("it offers %d and is taken for %s", c.offers, l.Node("theirs").GPUs[0].Geometry)
		}
	}
}
