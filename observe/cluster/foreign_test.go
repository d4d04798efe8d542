package cluster

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

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
		{name: "somebody else's that is called as one of ours is not counted, and said so", set: func(in *inputs) {
			in.ledger.PutNode(wishFor("n1"))
			in.nodes = []*corev1.Node{
				ours(nodeOf("kwok-1", "a1", young, cut(1, sevenths)), "n1"), nodeOf("n1", "a1", young, cut(1, halves)),
			}
		}, nodes: map[fleet.NodeID]fleet.NodeState{"n1": fleet.NodeReady}, doubt: "node n1"},
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
