package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// What becomes of one node that the ledger knows, ten minutes after it was asked for.
func TestNodesThatWereAskedFor(t *testing.T) {
	born := minute(2)
	there := func() *corev1.Node { return ours(nodeOf("kwok-1", "a1", born, cut(1, sevenths)), "n1") }
	bare := func() *corev1.Node { return ours(nodeOf("kwok-1", "a1", born, nil), "n1") }
	was := func(w kube.Wish) kube.Wish { w.ReadyAt = minute(4); return w }

	for _, c := range []struct {
		name      string
		wish      kube.Wish
		node      *corev1.Node
		claimed   bool
		gone      bool // the claim is being deleted
		state     fleet.NodeState
		reshaping bool
		doubt     string
	}{
		{name: "asked for", wish: wishFor("n1"), claimed: true, state: fleet.NodeStarting},
		{name: "asked for and nowhere", wish: wishFor("n1"), state: fleet.NodeStarting, doubt: "neither a node, a NodeClaim nor a placeholder"},
		{name: "ready without its GPUs", wish: wishFor("n1"), node: bare(), claimed: true, state: fleet.NodeStarting},
		{name: "its GPUs are there and its kubelet is not", wish: wishFor("n1"), node: notReady(there(), born), claimed: true, state: fleet.NodeStarting},
		{name: "cut in another way", wish: wishFor("n1"), node: ours(nodeOf("kwok-1", "a1", born, cut(1, halves)), "n1"), claimed: true, state: fleet.NodeStarting},
		{name: "all there", wish: wishFor("n1"), node: there(), claimed: true, state: fleet.NodeReady},
		{name: "all there, on its way out", wish: func() kube.Wish { w := wishFor("n1"); w.Draining = true; return w }(), node: there(), claimed: true, state: fleet.NodeDraining},
		{name: "given back and still there", wish: func() kube.Wish { w := wishFor("n1"); w.Draining, w.Returning = true, true; return w }(), node: there(), claimed: true, gone: true, state: fleet.NodeDraining},
		{
			name: "lost its slices", wish: was(wishFor("n1")), node: bare(), claimed: true, state: fleet.NodeReady, reshaping: true,
			doubt: "it offers no GPU and should offer 7×nvidia.com/mig-1g.10gb",
		},
		{name: "is cut anew", wish: func() kube.Wish { w := was(wishFor("n1")); w.Cut = &kube.Cut{Since: minute(9)}; return w }(), node: bare(), claimed: true, state: fleet.NodeReady, reshaping: true},
		{
			name: "could not be cut", wish: func() kube.Wish { w := was(wishFor("n1")); w.Cut = &kube.Cut{Failed: "timed out"}; return w }(), node: bare(), claimed: true, state: fleet.NodeDraining, reshaping: true,
			doubt: "timed out",
		},
		{
			name: "could not be cut when it came", claimed: true, node: bare(), state: fleet.NodeDraining, reshaping: true, doubt: "two tries",
			wish: func() kube.Wish {
				w := wishFor("n1")
				w.Cut, w.Draining = &kube.Cut{Failed: "two tries"}, true
				return w
			}(),
		},
		{
			name: "its kubelet went away", wish: was(wishFor("n1")), node: notReady(there(), minute(8)), claimed: true, state: fleet.NodeReady, reshaping: true,
			doubt: "not ready since 2026-03-02T09:08:00Z",
		},
		{
			name: "its kubelet is away for long", wish: was(wishFor("n1")), node: notReady(there(), minute(5)), claimed: true, state: fleet.NodeDraining, reshaping: true,
			doubt: "not ready since 2026-03-02T09:05:00Z",
		},
		{name: "its kubelet never came", wish: wishFor("n1"), node: notReady(there(), minute(2)), claimed: true, state: fleet.NodeStarting},
		{name: "it left and its claim stands", wish: was(wishFor("n1")), claimed: true, state: fleet.NodeReady, reshaping: true, doubt: "left the cluster"},
		{name: "somebody deletes it", wish: wishFor("n1"), node: there(), claimed: true, gone: true, state: fleet.NodeDraining, doubt: "somebody deletes it"},
		{
			name: "somebody cordoned it", wish: wishFor("n1"), node: func() *corev1.Node { n := there(); n.Spec.Unschedulable = true; return n }(), claimed: true,
			state: fleet.NodeDraining, doubt: "kubectl uncordon kwok-1",
		},
		{
			name: "Tessera's own cordon is about to be lifted", wish: was(wishFor("n1")), claimed: true, state: fleet.NodeReady,
			node: func() *corev1.Node {
				n := there()
				n.Spec.Unschedulable, n.Annotations = true, map[string]string{kube.AnnotationCordoned: "plan-1"}
				return n
			}(),
		},
		{
			name: "without GPUs", wish: kube.Wish{ID: "n1", Offering: "c1", GPUs: []fleet.GPU{{Type: fleet.CPU, Geometry: fleet.Geometry{{Profile: fleet.WholeGPU}}}}, RequestedAt: start},
			node: ours(nodeOf("kwok-1", "c1", born, nil), "n1"), claimed: true, state: fleet.NodeReady,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := nothing()
			in.now = minute(10)
			in.ledger.PutNode(c.wish)
			if c.node != nil {
				in.nodes = []*corev1.Node{c.node}
			}
			if c.claimed {
				claim := claimOf("n1", c.wish.Offering, start)
				if c.gone {
					claim.SetDeletionTimestamp(&metav1.Time{Time: minute(9)})
				}
				in.claims = []*unstructured.Unstructured{claim}
			}
			v := view(in)
			n := theNode(t, v)
			if n.ID != "n1" || n.State != c.state || n.GPUs[0].Reshaping != c.reshaping {
				t.Errorf("got %s, want %s, reshaping %t", n.Describe(), c.state, c.reshaping)
			}
			if c.doubt == "" {
				sure(t, v)
			} else {
				doubted(t, v, "node n1", c.doubt)
			}
		})
	}
}

func TestWhatIsGivenBackIsPaidUntilItIsGone(t *testing.T) {
	in := nothing()
	in.now = minute(10)
	w := wishFor("n1")
	w.Draining, w.Returning = true, true
	in.ledger.PutNode(w)
	if v := view(in); len(v.Nodes) != 0 {
		t.Errorf("it is gone and still there: %v", v.Nodes)
	}
	in.claims = []*unstructured.Unstructured{claimOf("n1", "a1", start)}
	n := theNode(t, view(in))
	if n.State != fleet.NodeDraining || !n.Fixed {
		t.Errorf("it is %s, fixed %t: it would be kept, and is not to be had back", n.State, n.Fixed)
	}
	in.claims[0].SetDeletionTimestamp(&metav1.Time{Time: minute(9)})
	sure(t, view(in))
	in.now = minute(30)
	doubted(t, view(in), "node n1", "being deleted since 2026-03-02T09:09:00Z")
}

func TestReadyWhenTheSlicesCameAndTheStagesUntilThen(t *testing.T) {
	in := nothing()
	in.ledger.PutNode(wishFor("n1"))
	n := ours(nodeOf("kwok-1", "a1", minute(2), nil), "n1")
	whole := ours(nodeOf("kwok-1", "a1", minute(2), cut(1, fleet.Geometry{{Profile: fleet.WholeGPU}})), "n1")
	done := ours(nodeOf("kwok-1", "a1", minute(2), cut(1, sevenths)), "n1")
	in.memory = memory(nil).after([]*corev1.Node{n}, minute(3)).after([]*corev1.Node{whole}, minute(6)).
		after([]*corev1.Node{done}, minute(8)).after([]*corev1.Node{done}, minute(10))
	in.nodes, in.now = []*corev1.Node{done}, minute(10)

	got := theNode(t, view(in))
	if !got.ReadyAt.Equal(minute(8)) || !got.BilledUntil.Equal(minute(1)) {
		t.Errorf("ready at %s and billed until %s", got.ReadyAt, got.BilledUntil)
	}
	want := []fleet.Stage{
		{Name: "node", Began: start, Ended: minute(2)},
		{Name: "driver", Began: minute(2), Ended: minute(6)},
		{Name: "geometry", Began: minute(6), Ended: minute(8)},
	}
	if diff := cmp.Diff(want, got.Stages); diff != "" {
		t.Error(diff)
	}

	// A process that began later does not know when the GPUs came, and does not guess.
	in.memory = memory(nil).after([]*corev1.Node{done}, minute(10))
	if diff := cmp.Diff(want[:1], theNode(t, view(in)).Stages); diff != "" {
		t.Error(diff)
	}
}
