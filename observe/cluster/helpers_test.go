package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

const a100 fleet.GPUType = "a100-80gb"

var (
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	home  = kube.Key{Namespace: "tessera", Name: "fleet"}
	small = fleet.SliceKind{GPU: a100, Profile: "1g.10gb"}
	large = fleet.SliceKind{GPU: a100, Profile: "3g.40gb"}
)

// minute is so many minutes after the start.
func minute(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Minute))) }

// settings are of two models, measured on both kinds of slice and on CPUs, and of
// offerings with one and with two A100 and without a GPU.
func settings() control.Settings {
	usd := func(units int64) fleet.Rate { return fleet.PerHour(fleet.Micros(units*1_000_000, "USD")) }
	s := control.Settings{Catalog: fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "a1", GPU: a100, GPUs: 1, Price: usd(5), MinimumBilling: time.Minute},
		{Name: "a2", GPU: a100, GPUs: 2, Price: usd(10), MinimumBilling: time.Minute},
		{Name: "c1", GPU: fleet.CPU, GPUs: 1, Price: usd(1)},
	}}}
	for _, name := range []fleet.ModelName{"de", "fr"} {
		v := fleet.Variant{Name: "fp16", Accuracy: 1}
		for _, kind := range []fleet.SliceKind{small, large, fleet.CPUSlice} {
			v.Slices = append(v.Slices, fleet.Performance{Kind: kind, Batch: []int{1}, Seconds: []float64{1}, MemoryMiB: 1})
		}
		s.Policy.Models = append(s.Policy.Models, fleet.Model{
			Name: name, Group: fleet.GroupName("team-" + name), Profile: fleet.PerformanceProfile{Name: "asr", Variants: []fleet.Variant{v}},
		})
	}
	s.Policy.Currency = "USD"
	return s
}

// nothing are the inputs of a cluster in which both models are deployed on both
// kinds of slice, and nothing runs.
func nothing() inputs {
	in := inputs{
		now: start, settings: settings(), namespaces: []string{"speech"}, home: home, yield: 10 * time.Minute,
		placeholders: map[string]bool{},
	}
	for _, model := range []string{"de", "fr"} {
		in.deployments = append(in.deployments, deployment(model, small), deployment(model, large))
	}
	return in
}

// deployment is one of a model on a kind of slice, named model-profile, with a seat.
func deployment(model string, kind fleet.SliceKind) *appsv1.Deployment {
	name := strings.ReplaceAll(fmt.Sprintf("%s-%s", model, kind.Profile), ".", "-")
	labels := map[string]string{kube.LabelModel: model, kube.LabelVariant: "fp16", kube.LabelSlice: kube.SliceLabel(kind)}
	limits := corev1.ResourceList{corev1.ResourceName(kube.SeatPrefix + name): resource.MustParse("1")}
	if r, counted := kube.SliceResource(kind); counted {
		limits[r] = resource.MustParse("1")
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "speech", Name: name, Labels: labels, CreationTimestamp: metav1.NewTime(start.Add(-time.Hour))},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Resources: corev1.ResourceRequirements{Limits: limits}}}},
		}},
	}
}

// podOf is a pod of a Deployment on a node, or on none; ready where it runs.
func podOf(d *appsv1.Deployment, name, node string, born time.Time) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(born), Labels: d.Labels,
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
	if node == "" {
		return p
	}
	at := func(s int) metav1.Time { return metav1.NewTime(born.Add(time.Duration(s) * time.Second)) }
	p.Status = corev1.PodStatus{
		Phase: corev1.PodRunning,
		Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: at(1)},
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(30)},
		},
		ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(10)}}}},
	}
	return p
}

// nodeOf is a node of the cluster whose kubelet is ready since a minute after it was
// born, and which offers what GPUs cut so do.
func nodeOf(name string, offering fleet.OfferingName, born time.Time, gpus []fleet.GPU) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(born),
			Labels: map[string]string{kube.LabelOffering: string(offering)},
		},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{"cpu": resource.MustParse("12")},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(born.Add(time.Minute))}},
		},
	}
	for r, count := range kube.Offered(gpus) {
		n.Status.Allocatable[r] = *resource.NewQuantity(count, resource.DecimalSI)
	}
	return n
}

// ours marks a node as the one that a wish is for.
func ours(n *corev1.Node, id fleet.NodeID) *corev1.Node {
	n.Labels[kube.LabelNode], n.Labels[kube.LabelLedger] = string(id), ledgerLabel(home)
	return n
}

// notReady is a node whose kubelet is not ready since an instant.
func notReady(n *corev1.Node, since time.Time) *corev1.Node {
	n.Status.Conditions[0].Status, n.Status.Conditions[0].LastTransitionTime = corev1.ConditionUnknown, metav1.NewTime(since)
	return n
}

// claimOf is a NodeClaim of ours.
func claimOf(id fleet.NodeID, offering fleet.OfferingName, born time.Time) *unstructured.Unstructured {
	c := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim"}}
	c.SetName(string(id))
	c.SetCreationTimestamp(metav1.NewTime(born))
	c.SetLabels(map[string]string{kube.LabelNode: string(id), kube.LabelOffering: string(offering), kube.LabelLedger: ledgerLabel(home)})
	return c
}

// cut is GPUs that are cut alike.
func cut(count int, geometry fleet.Geometry) []fleet.GPU {
	out := make([]fleet.GPU, count)
	for i := range out {
		out[i] = fleet.GPU{Type: a100, Geometry: geometry.Clone()}
	}
	return out
}

var (
	halves   = fleet.Geometry{{Profile: "3g.40gb", Start: 0}, {Profile: "3g.40gb", Start: 4}}
	sevenths = fleet.Geometry{
		{Profile: "1g.10gb", Start: 0},
		{Profile: "1g.10gb", Start: 1},
		{Profile: "1g.10gb", Start: 2},
		{Profile: "1g.10gb", Start: 3},
		{Profile: "1g.10gb", Start: 4},
		{Profile: "1g.10gb", Start: 5},
		{Profile: "1g.10gb", Start: 6},
	}
)

// wishFor is a node of offering a1 in sevenths that was asked for at the start.
func wishFor(id fleet.NodeID) kube.Wish {
	return kube.Wish{ID: id, Offering: "a1", GPUs: cut(1, sevenths), RequestedAt: start}
}

// seatOn is a replica of a Deployment on the slice of the first GPU that begins there.
func seatOn(id fleet.ReplicaID, d *appsv1.Deployment, node fleet.NodeID, at int) kube.Seat {
	return kube.Seat{ID: id, Server: keyOf(d), Since: start, Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: at}}
}

// snapshot is a view as the loop gets it.
func (v View) snapshot(now time.Time) fleet.Snapshot {
	s := fleet.Snapshot{At: now, Nodes: v.Nodes, Replicas: v.Replicas, Holds: v.Holds, Doubts: v.Doubts}
	s.Sort()
	return s
}

// theNode is the one node of a view.
func theNode(t *testing.T, v View) fleet.Node {
	t.Helper()
	if len(v.Nodes) != 1 {
		t.Fatalf("%d nodes, want 1; doubts %v", len(v.Nodes), v.Doubts)
	}
	return v.Nodes[0]
}

// doubted finds the doubt about a subject that says something.
func doubted(t *testing.T, v View, subject, says string) fleet.Doubt {
	t.Helper()
	for _, d := range v.Doubts {
		if d.Subject == subject && strings.Contains(d.Cause, says) {
			return d
		}
	}
	t.Errorf("nothing says %q of %s: %v", says, subject, v.Doubts)
	return fleet.Doubt{}
}

// sure fails where a view has a doubt.
func sure(t *testing.T, v View) {
	t.Helper()
	for _, d := range v.Doubts {
		t.Errorf("doubt about %s: %s", d.Subject, d.Cause)
	}
}
