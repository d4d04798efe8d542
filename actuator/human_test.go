package actuator_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// A person's number stands for as long as Tessera yields: the ledger follows it, and
// steps against it are refused.
func TestAPersonsNumberStands(t *testing.T) {
	for _, tt := range []struct {
		name         string
		to           int
		seats, after int // in the ledger meanwhile; replicas afterwards
	}{
		{"fewer", 1, 1, 1},
		{"more, with room", 5, 5, 5},
		{"more than there is room", 9, 7, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := three(t, true)
			b.person("fr", tt.to)
			b.settle(t, 4)
			l := b.ledger()
			if b.replicas("fr") != tt.to || len(l.Replicas) != tt.seats || len(b.podsOn("n-1")) != tt.seats {
				t.Fatalf("%d replicas, %d seats, pods %v", b.replicas("fr"), len(l.Replicas), b.podsOn("n-1"))
			}
			if last := l.Replicas[len(l.Replicas)-1]; tt.to > 3 && (last.By != "kubectl" || last.ID != "fr-00007" && tt.to == 9 && last.ID != "fr-00008") {
				t.Errorf("the last seat is %+v", last)
			}
			if err := b.try(t, stop(l.Replicas[0].ID)); actuator.KindOf(err) != actuator.Refused {
				t.Errorf("a step against it: %v", err)
			}
			b.now = b.now.Add(30 * time.Minute)
			b.settle(t, 4)
			if b.replicas("fr") != tt.after {
				t.Errorf("%d replicas afterwards, want %d", b.replicas("fr"), tt.after)
			}
		})
	}
}

// A Deployment that somebody made a moment ago is not taken down because no seat is
// planned for it, and can be scaled at once.
func TestANewDeploymentIsNotAChangeOfOurs(t *testing.T) {
	b := newBench()
	b.do(t, buy("n-1"))
	b.settle(t, 2)
	b.deploy("fr", 0, true)
	b.person("fr", 2)
	b.settle(t, 3)
	if b.replicas("fr") != 2 || len(b.podsOn("n-1")) != 2 {
		t.Fatalf("%d replicas, pods %v", b.replicas("fr"), b.podsOn("n-1"))
	}
	b.do(t, start("fr-00009", "n-1", 5))
	b.settle(t, 2)
	if b.replicas("fr") != 3 {
		t.Errorf("%d replicas", b.replicas("fr"))
	}
}

// A write that never arrived is nobody's change: wherever it breaks off, the number is
// written again, although somebody else set the one before it a moment ago.
func TestAWriteThatNeverArrivedIsNobodysChange(t *testing.T) {
	for broken := 1; broken <= 4; broken++ {
		b := newBench()
		b.do(t, buy("n-1"))
		b.settle(t, 2)
		b.deploy("fr", 0, true)
		b.person("fr", 1)
		b.settle(t, 3)
		b.crash = broken
		_ = b.try(t, start("fr-00009", "n-1", 5))
		b.restart()
		if l := b.ledger(); l.Replica("fr-00009") == nil {
			b.do(t, start("fr-00009", "n-1", 5)) // it broke off before the intention
		}
		b.settle(t, 3)
		if b.replicas("fr") != 2 || len(b.podsOn("n-1")) != 2 {
			t.Errorf("broken off at write %d: %d replicas, pods %v, told %q", broken, b.replicas("fr"), b.podsOn("n-1"), b.told)
		}
	}
}

// A person who takes back at once what Tessera wrote is heard.
func TestAPersonMayTakeBackAtOnceWhatWasWritten(t *testing.T) {
	b := newBench()
	b.do(t, buy("n-1"))
	b.settle(t, 2)
	b.deploy("fr", 0, true)
	b.settle(t, 3)
	b.do(t, start("fr-00009", "n-1", 5))
	for range 3 { // and not one look more than it takes
		if b.replicas("fr") == 1 {
			break
		}
		b.settle(t, 1)
	}
	if b.replicas("fr") != 1 {
		t.Fatalf("%d replicas, told %q", b.replicas("fr"), b.told)
	}
	b.person("fr", 0)
	b.settle(t, 3)
	if b.replicas("fr") != 0 {
		t.Errorf("it was overruled: %d replicas", b.replicas("fr"))
	}
}

// A paused Deployment and a paused fleet get no write at all.
func TestPausedMeansNoWrite(t *testing.T) {
	for _, path := range []string{deploymentsPath + "fr", ledgerPath} {
		b := three(t, true)
		b.do(t, stop("fr-00003"))
		dig(b.objects[path], "metadata", "annotations")[kube.AnnotationPaused] = "true"
		before := len(b.writes)
		b.settle(t, 5)
		for _, w := range b.writes[before:] {
			if path == ledgerPath || w.path != ledgerPath {
				t.Errorf("%s is paused, and %s %s was sent", path, w.method, w.path)
			}
		}
	}
}

// A person's own cordon is not lifted.
func TestAPersonsCordonStays(t *testing.T) {
	b := three(t, true)
	dig(b.objects[nodesPath+"n-1"], "spec")["unschedulable"] = true
	b.do(t, drain("n-1"), keep("n-1"))
	b.settle(t, 2)
	if n := load[corev1.Node](b.objects[nodesPath+"n-1"]); !n.Spec.Unschedulable {
		t.Error("uncordoned")
	}
}

// Pods that ask for no seat may find their place elsewhere; the ledger follows them
// instead of starting others.
func TestAPodThatMovesTakesItsSeatAlong(t *testing.T) {
	b := three(t, false)
	b.do(t, buy("n-2"))
	b.settle(t, 3)
	delete(b.objects, claimsPath+"n-1")
	delete(b.objects, nodesPath+"n-1")
	b.settle(t, 5)
	if l := b.ledger(); b.replicas("fr") > 3 || l.Node("n-1") != nil {
		t.Errorf("%d replicas, ledger %+v", b.replicas("fr"), l)
	}
	b.tells(t, "Warning NodeLost", "n-1")
}
