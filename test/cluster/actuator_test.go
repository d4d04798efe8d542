package cluster

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
	words "github.com/tessera-autoscaler/tessera/internal/kube"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// hand is an actuator on the shared cluster, with a namespace, a ledger and one
// Deployment of its own.
type hand struct {
	*actuator.Actuator
	name  string
	ahead time.Duration // how far its clock is ahead
	plans int
	seen  []fleet.Replica
	// before, if set, is called ahead of every write.
	before func(*http.Request)
	told   []string
}

// Tell keeps what was told.
func (h *hand) Tell(_ runtime.Object, kind, reason, sentence string, _ fleet.PlanID) {
	h.told = append(h.told, kind+" "+reason+": "+sentence)
}

func newHand(t *testing.T, name string) *hand {
	t.Helper()
	manifest := strings.ReplaceAll(`
apiVersion: v1
kind: Namespace
metadata: {name: NAME}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: fr
  namespace: NAME
  labels: &labels {tessera.dev/model: fr, tessera.dev/variant: fp16, tessera.dev/slice: a100-80gb_1g.10gb}
spec:
  replicas: 0
  selector: {matchLabels: *labels}
  template:
    metadata: {labels: *labels}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: server, image: none, resources: {limits: {nvidia.com/mig-1g.10gb: 1, seat.tessera.dev/NAME: 1}}}]
`, "NAME", name)
	if err := kube.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	h := &hand{name: name}
	config := rest.CopyConfig(kube.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return actuator.Door(between{h, next}, actuator.Open, "tessera/test")
	})
	h.Actuator = actuator.New(kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config), actuator.Config{
		Ledger: words.Key{Namespace: name, Name: "ledger"}, Leader: "test", Namespaces: []string{name},
		MIGConfigs: words.Key{Namespace: "gpu-operator", Name: "default-mig-parted-config"},
		Engine: actuator.Karpenter{Types: map[fleet.OfferingName]actuator.NodeType{"a100": {
			InstanceType: "a2-ultragpu-1g", Class: actuator.ClassRef{Group: rig.NodeClasses.Group, Kind: "KWOKNodeClass", Name: rig.NodeClass},
		}}},
		ReshapeDeadline: 2 * time.Minute,
	}, h, func() time.Time { return time.Now().Add(h.ahead) }, slog.New(slog.DiscardHandler))
	return h
}

// between is the transport behind the door.
type between struct {
	h    *hand
	next http.RoundTripper
}

// RoundTrip lets a test come in between.
func (b between) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.h.before != nil && r.Method != http.MethodGet {
		b.h.before(r)
	}
	return b.next.RoundTrip(r)
}

func (h *hand) plan() fleet.PlanID {
	h.plans++
	return fleet.PlanID(fmt.Sprintf("plan-%s-%04d", h.name, h.plans))
}

func (h *hand) do(t *testing.T, steps ...fleet.Step) {
	t.Helper()
	for _, s := range steps {
		eventually(t, s.Describe(), func() (bool, any) {
			err := h.Do(t.Context(), h.plan(), s)
			return actuator.KindOf(err) != actuator.Conflict && err == nil, err
		})
	}
}

// until settles until a condition holds.
func (h *hand) until(t *testing.T, what string, condition func() (bool, any)) {
	t.Helper()
	eventually(t, what, func() (bool, any) {
		err := h.Settle(t.Context(), h.plan(), fleet.Snapshot{At: time.Now(), Replicas: h.seen})
		if err != nil && actuator.KindOf(err) != actuator.Conflict {
			return false, err
		}
		holds, last := condition()
		return holds, fmt.Sprintf("%v; settled with: %v", last, err)
	})
}

// nodeOf is the node that bears a fleet id, nil when there is none.
func nodeOf(t *testing.T, id fleet.NodeID) *corev1.Node {
	t.Helper()
	list, err := kube.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: words.LabelNode + "=" + string(id)})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) == 0 {
		return nil
	}
	return &list.Items[0]
}

// runs counts the running pods of the hand's Deployment on a node.
func (h *hand) runs(t *testing.T, id fleet.NodeID) func(int) func() (bool, any) {
	return func(want int) func() (bool, any) {
		return func() (bool, any) {
			n := nodeOf(t, id)
			pods, err := kube.Client.CoreV1().Pods(h.name).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, p := range pods.Items {
				if n != nil && p.Spec.NodeName == n.Name && p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
					count++
				}
			}
			return count == want, fmt.Sprintf("%d of %d pods on %s; told %q", count, len(pods.Items), id, h.told)
		}
	}
}

func cutAs(profile fleet.ProfileName, starts ...int) []fleet.GPU {
	var g fleet.Geometry
	for _, s := range starts {
		g = append(g, fleet.Placement{Profile: profile, Start: s})
	}
	return []fleet.GPU{{Type: "a100-80gb", Geometry: g}}
}

func seat(id fleet.ReplicaID, node fleet.NodeID, start int) fleet.Step {
	return fleet.StartReplica{Replica: id, Model: "fr", Variant: "fp16", Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: start}}
}

// Seats put each pod on the node that the plan gave it, a replica that stops goes, and
// a node that is given back is gone, with everything written for a plan.
func TestSeatsBindPodsToThePlannedNodes(t *testing.T) {
	t.Parallel()
	h := newHand(t, "seated")
	sevenths := cutAs("1g.10gb", 0, 1, 2, 3, 4, 5, 6)
	h.do(t, fleet.BuyNode{Node: "seated-1", Offering: "a100", GPUs: sevenths}, fleet.BuyNode{Node: "seated-2", Offering: "a100", GPUs: sevenths},
		seat("fr-00003", "seated-1", 0), seat("fr-00004", "seated-2", 0), seat("fr-00005", "seated-2", 1), seat("fr-00006", "seated-2", 2))
	h.until(t, "three replicas on seated-2", h.runs(t, "seated-2")(3))
	h.until(t, "one replica on seated-1", h.runs(t, "seated-1")(1))
	h.do(t, fleet.DrainNode{Node: "seated-2"})
	for _, id := range []fleet.ReplicaID{"fr-00004", "fr-00005", "fr-00006"} {
		h.do(t, fleet.StopReplica{Replica: id})
		h.seen = append(h.seen, fleet.Replica{ID: id, InFlight: fleet.Unknown(fleet.NotMeasured)})
	}
	h.until(t, "seated-2 being empty", h.runs(t, "seated-2")(0))
	if ok, seen := h.runs(t, "seated-1")(1)(); !ok {
		t.Fatalf("the replica on seated-1 went too: %v", seen)
	}
	h.until(t, "the return of seated-2", func() (bool, any) {
		err := h.Do(t.Context(), h.plan(), fleet.ReturnNode{Node: "seated-2"})
		return err == nil, err
	})
	h.until(t, "seated-2 being gone", func() (bool, any) {
		_, err := kube.Dynamic.Resource(rig.NodeClaims).Get(t.Context(), "seated-2", metav1.GetOptions{})
		return apierrors.IsNotFound(err) && nodeOf(t, "seated-2") == nil, err
	})
	writes := audited(t, 1, func(e rig.AuditEvent) bool {
		return strings.HasPrefix(e.UserAgent, "tessera/test") && strings.Contains(e.UserAgent, "plan-seated-") && e.IsWrite()
	})
	t.Logf("%d writes", len(writes))
}

// A number that a person writes between the read and the write stands, although the
// API server does not record when it was written.
func TestAScaleConflictIsNotSentAgain(t *testing.T) {
	t.Parallel()
	h := newHand(t, "contested")
	h.do(t, fleet.BuyNode{Node: "contested-1", Offering: "a100", GPUs: cutAs("1g.10gb", 0, 1, 2, 3)}, seat("fr-00002", "contested-1", 0))
	h.until(t, "one replica", h.runs(t, "contested-1")(1))
	h.before = func(r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/scale") {
			return
		}
		h.before = nil
		body := []byte(`{"spec":{"replicas":3}}`)
		_, err := kube.Client.AppsV1().Deployments("contested").Patch(t.Context(), "fr", types.MergePatchType, body, metav1.PatchOptions{FieldManager: "kubectl"}, "scale")
		if err != nil {
			t.Error(err)
		}
	}
	err := h.Do(t.Context(), h.plan(), seat("fr-00003", "contested-1", 1))
	if actuator.KindOf(err) != actuator.Conflict {
		t.Fatalf("%v, want a conflict", err)
	}
	h.until(t, "three replicas, as the person wants", h.runs(t, "contested-1")(3))
	d, err := kube.Client.AppsV1().Deployments("contested").Get(t.Context(), "fr", metav1.GetOptions{})
	if err != nil || *d.Spec.Replicas != 3 {
		t.Errorf("%d replicas, %v", *d.Spec.Replicas, err)
	}
	if err := h.Do(t.Context(), h.plan(), fleet.StopReplica{Replica: "fr-00002"}); actuator.KindOf(err) != actuator.Refused {
		t.Errorf("a step against a person's number: %v", err)
	}
}

// A reshape is over when the node offers what is wanted; it gets over a mig-manager
// that fails or hangs once, and leaves the node alone when it does so again.
func TestReshapingSurvivesTheMIGManager(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault gpu.Fault
		once  bool
	}{
		"healthy": {gpu.None, true}, "hung-once": {gpu.Stuck, true}, "failed-once": {gpu.Fails, true},
		"hung": {gpu.Stuck, false}, "failed": {gpu.Fails, false}, "lies": {gpu.SuccessWithoutDevices, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const hangs, heals = 8 * time.Second, 2 * time.Minute // the second is for what must not fail again, however slow
			h := newHand(t, "cut-"+name)
			id := fleet.NodeID("cut-" + name)
			h.do(t, fleet.BuyNode{Node: id, Offering: "a100", GPUs: cutAs("1g.10gb", 0, 1, 2, 3, 4, 5, 6)})
			h.until(t, "the node being there", func() (bool, any) {
				n := nodeOf(t, id)
				return n != nil && slicesOf(n)["mig-1g.10gb"] == 7, n
			})
			if tt.once {
				operator.FaultOnce(nodeOf(t, id).Name, tt.fault)
			} else {
				operator.Fault(nodeOf(t, id).Name, tt.fault)
			}
			if tt.fault != gpu.None {
				h.ReshapeDeadline = hangs // what hangs is not waited for longer
			}
			h.do(t, fleet.Reshape{GPU: fleet.GPUID{Node: id}, Geometry: cutAs("3g.40gb", 0, 4)[0].Geometry})
			h.until(t, "the reshape being over", func() (bool, any) {
				told := strings.Join(h.told, "\n")
				n := nodeOf(t, id)
				if tt.once {
					if strings.Contains(told, "ReshapeStuck") {
						h.ReshapeDeadline = heals
					}
					return slicesOf(n)["mig-3g.40gb"] == 2 && strings.Contains(told, "NodeReshaped") && !n.Spec.Unschedulable, told
				}
				return strings.Contains(told, "ReshapeFailed") && n.Spec.Unschedulable, told
			})
		})
	}
}

// A pod of ours on a node that is given back is evicted once its budget allows.
func TestEvictionWaitsForTheBudget(t *testing.T) {
	t.Parallel()
	h := newHand(t, "evicted")
	h.do(t, fleet.BuyNode{Node: "evicted-1", Offering: "a100", GPUs: cutAs("1g.10gb", 0, 1)})
	h.until(t, "the node being there", func() (bool, any) { n := nodeOf(t, "evicted-1"); return n != nil && len(slicesOf(n)) > 0, n })
	node := nodeOf(t, "evicted-1").Name
	guest := `
apiVersion: v1
kind: Pod
metadata: {name: guest, namespace: evicted}
spec: {nodeName: ` + node + `, terminationGracePeriodSeconds: 0, containers: [{name: server, image: none}]}
`
	if err := kube.Apply(t.Context(), []byte(guest)); err != nil {
		t.Fatal(err)
	}
	h.do(t, fleet.DrainNode{Node: "evicted-1"}, fleet.ReturnNode{Node: "evicted-1"})
	manifest := `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: keep, namespace: evicted}
spec: {minAvailable: 1, selector: {matchLabels: {keep: me}}}
---
apiVersion: v1
kind: Pod
metadata: {name: late, namespace: evicted, labels: {keep: me, tessera.dev/model: fr}}
spec:
  nodeName: ` + node + `
  terminationGracePeriodSeconds: 0
  containers: [{name: server, image: none}]
`
	if err := kube.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	awaitRunning(t, "evicted", "late") // a budget does not hold for a pod that has not begun
	h.seen = []fleet.Replica{{ID: "late", InFlight: fleet.Unknown(fleet.NotMeasured)}}
	eventually(t, "the budget holding the eviction up", func() (bool, any) {
		err := h.Settle(t.Context(), h.plan(), fleet.Snapshot{At: time.Now(), Replicas: h.seen})
		return err != nil && strings.Contains(err.Error(), "its disruption budget allows none now"), err
	})
	if err := kube.Client.PolicyV1().PodDisruptionBudgets("evicted").Delete(t.Context(), "keep", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.ahead = 10 * time.Minute
	h.until(t, "the eviction", func() (bool, any) {
		_, err := kube.Client.CoreV1().Pods("evicted").Get(t.Context(), "late", metav1.GetOptions{})
		return apierrors.IsNotFound(err), err
	})
	if n := nodeOf(t, "evicted-1"); n == nil || n.DeletionTimestamp != nil || !strings.Contains(strings.Join(h.told, "\n"), "evicted/guest") {
		t.Errorf("the node with somebody else's pod: %v, told %q", n, h.told)
	}
	if err := kube.Client.CoreV1().Pods("evicted").Delete(t.Context(), "guest", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.until(t, "the node being gone", func() (bool, any) { return nodeOf(t, "evicted-1") == nil, h.told })
}
