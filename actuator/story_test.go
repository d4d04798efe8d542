package actuator_test

import (
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// A node is bought, born with its geometry; replicas are started while it comes, and
// stand where the plan put them; they are stopped, and the node is given back.
func TestANodeLivesFromWishToReturn(t *testing.T) {
	b := newBench()
	b.deploy("fr", 0, true)
	b.do(t, buy("n-1"), buy("n-2"), start("fr-00003", "n-2", 0), start("fr-00004", "n-2", 1), start("fr-00005", "n-1", 0))
	if n := b.replicas("fr"); n != 0 {
		t.Fatalf("scaled to %d before a node was there", n)
	}
	b.settle(t, 3)
	if one, two := len(b.podsOn("n-1")), len(b.podsOn("n-2")); one != 1 || two != 2 {
		t.Fatalf("%d pods on n-1 and %d on n-2, want 1 and 2", one, two)
	}
	b.tells(t, "Normal Scaled Deployment/fr", "scaled from 0 to 3 for fr", "needs 12/s by Mon 09:10, has 8/s")
	b.do(t, stop("fr-00003"), stop("fr-00004"), fleet.DrainNode{Node: "n-2", Reason: why})
	b.settle(t, 4)
	if n := b.replicas("fr"); n != 1 || len(b.podsOn("n-1")) != 1 {
		t.Fatalf("%d replicas and %v on n-1 after two stopped", n, b.podsOn("n-1"))
	}
	b.do(t, fleet.ReturnNode{Node: "n-2", Reason: why})
	b.settle(t, 2)
	l := b.ledger()
	if b.objects[nodesPath+"n-2"] != nil || l.Node("n-2") != nil || len(l.Replicas) != 1 || l.Sequence != 5 {
		t.Fatalf("after the return: %+v", l)
	}
	for _, w := range b.writes {
		if !strings.Contains(w.agent, "(plan plan-0") {
			t.Errorf("%s %s bears no plan: %q", w.method, w.path, w.agent)
		}
	}
}
