package cluster

import (
	"testing"
	"time"

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
			name: "could not be cut", wish: func() kube.Wish { w := was(wishFor("n1")); w.Cut = &kube.Cut{Failed: "timed out"}; return w }(), node: bare(), claimed: true, state: fleet.NodeReady, reshaping: true,
			doubt: "timed out",
		},
		{
			name: "its kubelet went away", wish: was(wishFor("n1")), node: notReady(there(), minute(8)), claimed: true, state: fleet.NodeReady, reshaping: true,
			doubt: "not ready since 2026-03-02T09:08:00Z",
		},
		{name: "it left and its claim stands", wish: was(wishFor("n1")), claimed: true, state: fleet.NodeReady, reshaping: true, doubt: "left the cluster"},
		{name: "somebody deletes it", wish: wishFor("n1"), node: there(), claimed: true, gone: true, state: fleet.NodeDraining, doubt: "somebody deletes it"},
		{
			name: "somebody cordoned it", wish: wishFor("n1"), node: func() *corev1.Node { n := there(); n.Spec.Unschedulable = true; return n }(), claimed: true,
			state: fleet.NodeDraining, doubt: "kubectl uncordon kwok-1",
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
	if n := theNode(t, view(in)); n.State != fleet.NodeDraining {
		t.Errorf("it is %s", n.State)
	}
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

func TestNodesOfSomebodyElse(t *testing.T) {
	born := start.Add(-time.Hour)
	for _, c := range []struct {
		name      string
		node      *corev1.Node
		before    *corev1.Node // as it was seen before
		state     fleet.NodeState
		geometry  fleet.Geometry
		reshaping bool
		doubt     string
	}{
		{name: "cut", node: nodeOf("train-1", "a1", born, cut(1, halves)), state: fleet.NodeReady, geometry: halves},
		{
			name: "cordoned", node: func() *corev1.Node {
				n := nodeOf("train-1", "a1", born, cut(1, halves))
				n.Spec.Unschedulable = true
				return n
			}(),
			state: fleet.NodeDraining, geometry: halves,
		},
		{name: "never ready", node: notReady(nodeOf("train-1", "a1", born, nil), born), state: fleet.NodeStarting},
		{name: "ready without a GPU", node: nodeOf("train-1", "a1", born, nil), state: fleet.NodeStarting, doubt: "offers no GPU"},
		{
			name: "its kubelet went away", node: notReady(nodeOf("train-1", "a1", born, cut(1, halves)), start), state: fleet.NodeReady, geometry: halves, reshaping: true,
			doubt: "not ready since",
		},
		{
			name: "its device plugin starts again", node: nodeOf("train-1", "a1", born, nil), before: nodeOf("train-1", "a1", born, cut(1, halves)),
			state: fleet.NodeReady, geometry: halves, reshaping: true, doubt: "offers no GPU",
		},
		{name: "shared by time", node: nodeOf("train-1", "a1", born, cut(4, fleet.Geometry{{Profile: fleet.WholeGPU}})), state: fleet.NodeStarting, doubt: "cannot be cut to offer 4×nvidia.com/gpu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := nothing()
			in.nodes = []*corev1.Node{c.node}
			if c.before != nil {
				in.memory = in.memory.after([]*corev1.Node{c.before}, start.Add(-time.Minute))
			}
			in.memory = in.memory.after(in.nodes, start)
			v := view(in)
			n := theNode(t, v)
			if n.ID != "train-1" || !n.Fixed || n.State != c.state || !n.GPUs[0].Geometry.Equal(c.geometry) || n.GPUs[0].Reshaping != c.reshaping {
				t.Errorf("got %s, fixed %t; want %s %s, reshaping %t", n.Describe(), n.Fixed, c.state, c.geometry, c.reshaping)
			}
			if c.doubt == "" {
				sure(t, v)
			} else {
				doubted(t, v, "node train-1", c.doubt)
			}
		})
	}
}

func TestWhatHasNoPriceIsNeverCountedAndNeverHidden(t *testing.T) {
	in := nothing()
	in.nodes = []*corev1.Node{nodeOf("odd-1", "a9", start, cut(1, halves))}
	in.ledger.PutNode(kube.Wish{ID: "n1", Offering: "a8", GPUs: cut(1, halves), RequestedAt: start})
	stray := claimOf("n7", "", start)
	in.claims = []*unstructured.Unstructured{stray}
	v := view(in)
	if len(v.Nodes) != 0 {
		t.Errorf("got %v", v.Nodes)
	}
	for subject, says := range map[string]string{
		"node odd-1": "its label tessera.dev/offering says a9, which the catalog does not list: add it with its price or remove the label",
		"node n1":    "a8", "node n7": "lacks the label tessera.dev/offering",
	} {
		if d := doubted(t, v, subject, says); !d.Money {
			t.Errorf("%s is not said to cost what nobody knows", subject)
		}
	}
}

func TestWhoseNodeItIs(t *testing.T) {
	young := minute(2)
	for _, c := range []struct {
		name  string
		set   func(in *inputs)
		nodes map[fleet.NodeID]fleet.NodeState
		doubt string // its subject
	}{
		{name: "one without our labels is no part of the fleet", set: func(in *inputs) {
			n := nodeOf("train-1", "", start, cut(1, halves))
			delete(n.Labels, kube.LabelOffering)
			in.nodes = []*corev1.Node{n}
		}},
		{name: "one of another installation is counted there", set: func(in *inputs) {
			n := ours(nodeOf("kwok-1", "a1", start, cut(1, halves)), "n1")
			n.Labels[kube.LabelLedger] = "other.fleet"
			in.nodes = []*corev1.Node{n}
		}},
		{name: "a claim that the ledger does not know takes nothing new", set: func(in *inputs) {
			in.claims = []*unstructured.Unstructured{claimOf("n1", "a1", start)}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"n1": fleet.NodeDraining}, doubt: "node n1"},
		{name: "neither does the node that came of it", set: func(in *inputs) {
			in.claims = []*unstructured.Unstructured{claimOf("n1", "a1", start)}
			in.nodes = []*corev1.Node{ours(nodeOf("kwok-1", "a1", young, cut(1, halves)), "n1")}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"n1": fleet.NodeDraining}, doubt: "node n1"},
		{name: "a placeholder keeps a wish from being doubted, and makes no other node ours", set: func(in *inputs) {
			in.ledger.PutNode(wishFor("n1"))
			in.placeholders[kube.PlaceholderName("n1")] = true
			in.nodes = []*corev1.Node{nodeOf("pool-1", "a1", young, cut(1, halves))}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"n1": fleet.NodeStarting, "pool-1": fleet.NodeReady}},
		{name: "two that bear one id are one and a doubt", set: func(in *inputs) {
			in.ledger.PutNode(wishFor("n1"))
			in.nodes = []*corev1.Node{
				ours(nodeOf("kwok-2", "a1", minute(3), cut(1, sevenths)), "n1"), ours(nodeOf("kwok-1", "a1", young, cut(1, sevenths)), "n1"),
			}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"n1": fleet.NodeReady}, doubt: "node kwok-2"},
		{name: "somebody else's that is cut for us is theirs by its name", set: func(in *inputs) {
			w := wishFor("train-1")
			w.Fixed, w.ReadyAt, w.Cut = true, start, &kube.Cut{Since: start}
			in.ledger.PutNode(w)
			in.nodes = []*corev1.Node{nodeOf("train-1", "a1", start, cut(1, halves))}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"train-1": fleet.NodeReady}},
		{name: "and is gone when it goes", set: func(in *inputs) {
			w := wishFor("train-1")
			w.Fixed = true
			in.ledger.PutNode(w)
		}, doubt: "node train-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := nothing()
			in.now = minute(10)
			c.set(&in)
			v := view(in)
			got := map[fleet.NodeID]fleet.NodeState{}
			for _, n := range v.Nodes {
				got[n.ID] = n.State
			}
			if c.nodes == nil {
				c.nodes = map[fleet.NodeID]fleet.NodeState{}
			}
			if diff := cmp.Diff(c.nodes, got); diff != "" {
				t.Error(diff)
			}
			if c.doubt == "" {
				sure(t, v)
			} else {
				doubted(t, v, c.doubt, "")
			}
		})
	}
}
