package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// world is a cluster that a test changes.
type world struct {
	*fake.Clientset
	dynamic *dynamicfake.FakeDynamicClient
}

func newWorld(objects ...runtime.Object) world {
	claims := map[schema.GroupVersionResource]string{kube.NodeClaims: "NodeClaimList"}
	return world{fake.NewClientset(objects...), dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), claims)}
}

// watch starts a watcher of the world.
func (w world) watch(t *testing.T) *Watcher {
	t.Helper()
	watcher := New(Options{Client: w, Dynamic: w.dynamic, Namespaces: []string{"speech"}, Ledger: home, Yield: 10 * time.Minute})
	watcher.Start(t.Context())
	return watcher
}

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s did not happen", what)
}

func synced(t *testing.T, w *Watcher) {
	t.Helper()
	until(t, "the caches being filled", func() bool { return w.Synced() == nil })
}

// ledgerMap is the ConfigMap with a ledger.
func ledgerMap(t *testing.T, l kube.Ledger) *corev1.ConfigMap {
	t.Helper()
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: home.Namespace, Name: home.Name}, Data: map[string]string{kube.LedgerKey: text}}
}

func TestWatcherShowsWhatIsThere(t *testing.T) {
	in := serving()
	fr := in.deployments[2]
	in.ledger.PutReplica(seatOn("fr-1", fr, "n1", 0))
	in.ledger.Sequence = 7
	objects := []runtime.Object{ledgerMap(t, in.ledger), in.nodes[0], podOf(fr, "fr-a", "kwok-1", minute(5))}
	for _, d := range in.deployments {
		objects = append(objects, d)
	}
	other := podOf(fr, "elsewhere", "kwok-1", minute(5))
	other.Namespace = "elsewhere"
	world := newWorld(append(objects, other)...)
	if _, err := world.dynamic.Resource(kube.NodeClaims).Create(t.Context(), claimOf("n1", "a1", start), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w := world.watch(t)
	synced(t, w)

	v, err := w.Look(t.Context(), minute(10), in.settings)
	if err != nil {
		t.Fatal(err)
	}
	sure(t, v)
	if n := theNode(t, v); n.ID != "n1" || n.State != fleet.NodeReady || v.Ledger.Sequence != 7 {
		t.Errorf("got %s and sequence %d", n.Describe(), v.Ledger.Sequence)
	}
	if len(v.Replicas) != 1 || v.Replicas[0].State != fleet.ReplicaReady || v.Pods["fr-1"].Name != "fr-a" {
		t.Errorf("got %v and %v", v.Replicas, v.Pods)
	}

	// The ledger is read anew at every look.
	if err := world.CoreV1().ConfigMaps(home.Namespace).Delete(t.Context(), home.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Look(t.Context(), minute(11), in.settings); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("what it made is there and the ledger is not: %v", err)
	}
}

func TestWatcherBeginsWithoutALedger(t *testing.T) {
	w := newWorld(nodeOf("train-1", "a1", start, cut(1, halves))).watch(t)
	synced(t, w)
	v, err := w.Look(t.Context(), minute(10), settings())
	if err != nil || !theNode(t, v).Fixed {
		t.Errorf("got %v, %v", v.Nodes, err)
	}
}

func TestWatcherReadsNoDamagedLedger(t *testing.T) {
	damaged := ledgerMap(t, kube.Ledger{})
	damaged.Data[kube.LedgerKey] = "{"
	w := newWorld(damaged).watch(t)
	synced(t, w)
	if _, err := w.Look(t.Context(), start, settings()); err == nil || !strings.Contains(err.Error(), "tessera/fleet: the ledger cannot be read") {
		t.Errorf("got %v", err)
	}
}

func TestWatcherSaysWhatIsInTheWay(t *testing.T) {
	refusal := func(resource, group string) error {
		return apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, "",
			fmt.Errorf(`User "system:serviceaccount:x:y" cannot list resource %q in API group %q`, resource, group))
	}
	for _, c := range []struct {
		name, resource string
		err            error
		says           string
	}{
		{"nodes", "nodes", refusal("nodes", ""), "cannot list nodes at cluster scope: forbidden; grant list and watch on nodes to system:serviceaccount:x:y"},
		{"pods", "pods", refusal("pods", ""), "cannot list pods in namespace speech: forbidden; grant list and watch on pods to system:serviceaccount:x:y"},
		{
			"claims", "nodeclaims", refusal("nodeclaims", "karpenter.sh"),
			"cannot list nodeclaims in API group karpenter.sh at cluster scope: forbidden; grant list and watch on nodeclaims to system:serviceaccount:x:y",
		},
		{"no Karpenter", "nodeclaims", apierrors.NewNotFound(schema.GroupResource{Resource: "nodeclaims"}, ""), "the API server does not know them"},
		{"away", "nodes", errors.New("dial tcp 10.0.0.1:443: connect: connection refused"), "cannot list nodes at cluster scope: the API server does not answer: dial tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := newWorld()
			refuse := func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.err }
			world.PrependReactor("list", c.resource, refuse)
			world.dynamic.PrependReactor("list", c.resource, refuse)
			w := world.watch(t)
			until(t, "saying so", func() bool {
				err := w.Synced()
				return err != nil && err.Error() == strings.Split(err.Error(), "\n")[0] && strings.Contains(err.Error(), c.says)
			})
			if _, err := w.Look(t.Context(), start, settings()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it looks nevertheless: %v", err)
			}
		})
	}
}

func TestWatcherThatWasNotStartedKnowsNothing(t *testing.T) {
	w := New(Options{Client: newWorld(), Namespaces: []string{"speech"}, Ledger: home})
	if err := w.Synced(); err == nil || !strings.Contains(err.Error(), "nodes at cluster scope: not listed yet") {
		t.Errorf("got %v", err)
	}
}

func TestWatcherIsNotSureOfWhatItCannotFollow(t *testing.T) {
	w := newWorld().watch(t)
	synced(t, w)
	w.nodes.note(errors.New("connection refused"))
	if err := w.Synced(); err == nil || !strings.Contains(err.Error(), "cannot watch nodes at cluster scope") || !strings.Contains(err.Error(), "is old") {
		t.Errorf("got %v", err)
	}
	w.nodes.note(nil)
	if err := w.Synced(); err != nil {
		t.Errorf("it is followed again: %v", err)
	}
}

func TestWatcherCannotReadTheLedger(t *testing.T) {
	world := newWorld()
	world.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, home.Name, errors.New("no"))
	})
	w := world.watch(t)
	synced(t, w)
	if _, err := w.Look(context.Background(), start, settings()); err == nil || !strings.Contains(err.Error(), "grant get on configmaps in namespace tessera") {
		t.Errorf("got %v", err)
	}
}
