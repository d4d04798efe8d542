package cluster

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

// A cache that shows far less than before is believed only when the server says so.
func TestWatcherDoesNotBelieveThatAllIsGone(t *testing.T) {
	var nodes []runtime.Object
	for i := range 8 {
		nodes = append(nodes, nodeOf(fmt.Sprintf("train-%d", i), "a1", start, cut(1, halves)))
	}
	world := newWorld(nodes...)
	w := world.watch(t)
	synced(t, w)
	look := func() (int, error) {
		v, err := w.Look(t.Context(), minute(10), settings())
		return len(v.Nodes), err
	}
	if n, err := look(); n != 8 || err != nil {
		t.Fatalf("%d nodes, %v", n, err)
	}

	// The server shows eight and the cache three.
	all := world.ReactionChain
	world.PrependReactor("list", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
		list := &corev1.NodeList{}
		for _, o := range nodes {
			list.Items = append(list.Items, *o.(*corev1.Node))
		}
		return true, list, nil
	})
	for i := range 5 {
		if err := world.CoreV1().Nodes().Delete(t.Context(), fmt.Sprintf("train-%d", i), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the cache losing them", func() bool { return len(w.nodes.informer.GetStore().List()) == 3 })
	for range 2 { // and it goes on not to believe it
		if _, err := look(); err == nil || !strings.Contains(err.Error(), "the cache shows 3 nodes and the server 8: waiting") {
			t.Fatalf("got %v", err)
		}
	}

	// The server says the same.
	world.ReactionChain = all
	for range 2 {
		if n, err := look(); n != 3 || err != nil {
			t.Fatalf("%d nodes, %v", n, err)
		}
	}
}

// A cache that was filled in a bad moment is found out at the first look.
func TestWatcherDoesNotBelieveAnEmptyBeginning(t *testing.T) {
	world := newWorld(nodeOf("train-1", "a1", start, cut(1, halves)))
	lists := 0
	world.PrependReactor("list", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
		lists++
		return lists == 1, &corev1.NodeList{}, nil
	})
	world.PrependWatchReactor("nodes", clienttesting.DefaultWatchReactor(watch.NewFake(), nil))
	w := world.watch(t)
	synced(t, w)
	if _, err := w.Look(t.Context(), start, settings()); err == nil || !strings.Contains(err.Error(), "the cache shows 0 nodes and the server 1") {
		t.Errorf("got %v", err)
	}
}
