package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	words "github.com/tessera-autoscaler/tessera/internal/kube"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

const speech = `
apiVersion: v1
kind: Namespace
metadata: {name: seen}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: fr
  namespace: seen
  labels: &labels {tessera.dev/model: fr, tessera.dev/variant: fp16, tessera.dev/slice: a100-80gb_1g.10gb}
spec:
  replicas: 1
  selector: {matchLabels: *labels}
  template:
    metadata: {labels: *labels}
    spec:
      nodeSelector: {tessera.dev/node: seen-1}
      terminationGracePeriodSeconds: 0
      containers: [{name: server, image: none, resources: {limits: {nvidia.com/mig-1g.10gb: 1}}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: blind, namespace: seen}
`

// seenSettings are of one model and one offering.
func seenSettings() control.Settings {
	var s control.Settings
	s.Catalog = fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "a2-ultragpu-1g", GPU: "a100-80gb", GPUs: 1, Price: fleet.PerHour(fleet.Micros(5_070_000, "USD"))},
	}}
	kind := fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}
	s.Policy.Models = []fleet.Model{{Name: "fr", Profile: fleet.PerformanceProfile{Variants: []fleet.Variant{{
		Name: "fp16", Slices: []fleet.Performance{{Kind: kind, Batch: []int{1}, Seconds: []float64{1}, MemoryMiB: 1}},
	}}}}}
	return s
}

// A node that is bought is starting until its slices are there, and its pod is a
// replica once it serves. Whoever may see nothing is told what to grant.
func TestTheClusterAsTesseraSeesIt(t *testing.T) {
	t.Parallel()
	if err := kube.Apply(t.Context(), []byte(speech)); err != nil {
		t.Fatal(err)
	}
	home := words.Key{Namespace: "seen", Name: "fleet"}
	var sevenths fleet.Geometry
	for at := range 7 {
		sevenths = append(sevenths, fleet.Placement{Profile: "1g.10gb", Start: at})
	}
	asked := time.Now()
	var ledger words.Ledger
	ledger.PutNode(words.Wish{ID: "seen-1", Offering: "a2-ultragpu-1g", GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: sevenths}}, RequestedAt: asked})
	ledger.PutReplica(words.Seat{
		ID: "fr-1", Server: words.Key{Namespace: "seen", Name: "fr"}, Since: asked,
		Slice: fleet.SliceID{GPU: fleet.GPUID{Node: "seen-1"}, Start: 2},
	})
	ledger.SetScaled(words.Key{Namespace: "seen", Name: "fr"}, 0, 1)
	text, err := ledger.Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, err = kube.Client.CoreV1().ConfigMaps("seen").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "fleet"}, Data: map[string]string{words.LedgerKey: text},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	w := cluster.New(cluster.Options{Client: kube.Client, Dynamic: kube.Dynamic, Namespaces: []string{"seen"}, Ledger: home, Yield: time.Hour})
	w.Start(t.Context())
	look := func() (cluster.View, error) { return w.Look(t.Context(), time.Now(), seenSettings()) }
	eventually(t, "the watches having begun", func() (bool, any) { err := w.Synced(); return err == nil, err }) // lest the start be missed
	states := map[fleet.NodeState]bool{}
	claimNode(t, "seen-1", "a2-ultragpu-1g", map[string]string{
		gpu.LabelConfig: "sevenths", words.LabelNode: "seen-1", words.LabelOffering: "a2-ultragpu-1g", words.LabelLedger: "seen.fleet",
	})
	t.Cleanup(func() {
		if err := kube.Dynamic.Resource(rig.NodeClaims).Delete(context.WithoutCancel(t.Context()), "seen-1", metav1.DeleteOptions{}); err != nil {
			t.Log(err)
		}
	})
	var last cluster.View
	eventually(t, "the replica serving", func() (bool, any) {
		v, err := look()
		if err != nil {
			return false, err
		}
		last = v
		for _, n := range v.Nodes {
			if n.ID == "seen-1" {
				states[n.State] = true
			}
		}
		// The node and the pod come by different watches, in any order.
		return states[fleet.NodeReady] && len(v.Replicas) == 1 && v.Replicas[0].State == fleet.ReplicaReady && v.Pods["fr-1"].Name != "", v
	})
	if !states[fleet.NodeStarting] {
		t.Errorf("the node was %v, want starting and then ready", states)
	}
	if r := last.Replicas[0]; r.ID != "fr-1" || r.Model != "fr" || len(r.Stages) != 3 || !strings.HasPrefix(last.Pods["fr-1"].Name, "fr-") {
		t.Errorf("got %+v as pod %v", r, last.Pods)
	}
	for _, n := range last.Nodes {
		if n.ID == "seen-1" && len(n.Stages) < 2 {
			t.Errorf("of its start only %v is known", n.Stages)
		}
	}

	// Somebody writes another number of replicas, as kubectl scale does.
	patch := []byte(`{"spec":{"replicas":2}}`)
	if _, err := kube.Client.AppsV1().Deployments("seen").Patch(t.Context(), "fr", types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: "kubectl"}, "scale"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold being seen", func() (bool, any) {
		v, err := look()
		return err == nil && len(v.Holds) == 1 && v.Holds[0].By == "kubectl" && v.Holds[0].Model == "fr", v.Holds
	})

	_, config, err := kube.KubeconfigFor(t.Context(), "seen", "blind")
	if err != nil {
		t.Fatal(err)
	}
	blind := cluster.New(cluster.Options{
		Client: kubernetes.NewForConfigOrDie(config), Dynamic: dynamic.NewForConfigOrDie(config), Namespaces: []string{"seen"}, Ledger: home,
	})
	blind.Start(t.Context())
	eventually(t, "being told what to grant", func() (bool, any) {
		err := blind.Synced()
		return err != nil && strings.Contains(err.Error(), "cannot list nodes at cluster scope: forbidden; grant list and watch on nodes to system:serviceaccount:seen:blind") &&
			strings.Contains(err.Error(), "nodeclaims in API group karpenter.sh at cluster scope"), err
	})
}
