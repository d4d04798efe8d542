package actuator_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// world is a cluster around the API server: what Karpenter, mig-manager, the
// controllers, the scheduler and the kubelets do, one round at a time.
type world struct {
	*api
	noCapacity bool   // Karpenter gives every claim up
	mig        string // what mig-manager does: "" cuts, "failed" says so, "stuck" nothing at all
	migOnce    int    // how many changes of the label it does that for; 0: for ever
	applied    map[string]string
	unready    map[string]bool // pods that never get ready
	busy       map[string]bool // pods that have streams
	cutOff     []string        // pods that were removed in spite of their streams
	pods       int             // made so far
}

func newWorld(now time.Time) *world {
	return &world{api: newAPI(now), applied: map[string]string{}, unready: map[string]bool{}, busy: map[string]bool{}}
}

const (
	podsPath        = "/api/v1/namespaces/models/pods/"
	nodesPath       = "/api/v1/nodes/"
	deploymentsPath = "/apis/apps/v1/namespaces/models/deployments/"
	claimsPath      = "/apis/karpenter.sh/v1/nodeclaims/"
	ledgerPath      = "/api/v1/namespaces/tessera/configmaps/ledger"
	geometriesPath  = "/api/v1/namespaces/tessera/configmaps/geometries"
)

func load[T any](o object) *T {
	text, _ := json.Marshal(o)
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	return out
}

func (w *world) store(path string, o any) {
	text, _ := json.Marshal(o)
	var raw object
	_ = json.Unmarshal(text, &raw)
	w.put(path, raw)
}

// below lists the objects under a path, by name.
func below[T any](w *world, path string) []*T {
	var out []*T
	for _, at := range slices.Sorted(maps.Keys(w.objects)) {
		if strings.HasPrefix(at, path) {
			out = append(out, load[T](w.objects[at]))
		}
	}
	return out
}

// round lets everybody act once, and time pass.
func (w *world) round() {
	w.now = w.now.Add(15 * time.Second)
	w.karpenter()
	w.cut()
	for _, d := range below[appsv1.Deployment](w, deploymentsPath) {
		w.replicaSet(d)
	}
	w.schedule()
}

func (w *world) karpenter() {
	for _, at := range slices.Sorted(maps.Keys(w.objects)) {
		if name, ok := strings.CutPrefix(at, claimsPath); ok && w.noCapacity {
			delete(w.objects, claimsPath+name)
		} else if ok && w.objects[nodesPath+name] == nil {
			claim := w.objects[at]
			n := node(name)
			n.Labels = map[string]string{}
			for k, v := range dig(claim, "metadata", "labels") {
				n.Labels[k] = v.(string)
			}
			w.store(nodesPath+name, n)
		}
	}
	for _, n := range below[corev1.Node](w, nodesPath) {
		if n.Labels[kube.LabelLedger] != "" && w.objects[claimsPath+n.Name] == nil {
			delete(w.objects, nodesPath+n.Name)
		}
	}
}

func node(name string) *corev1.Node {
	return &corev1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
}

// cut is mig-manager and the device plugin.
func (w *world) cut() {
	for _, n := range below[corev1.Node](w, nodesPath) {
		name := n.Labels[kube.LabelMIGConfig]
		if name == "" || w.applied[n.Name] == name {
			continue
		}
		w.applied[n.Name] = name
		mode := w.mig
		if w.migOnce--; w.migOnce == 0 {
			w.mig = ""
		}
		n.Labels[kube.LabelMIGState] = map[string]string{"": kube.MIGSuccess, "failed": kube.MIGFailed, "stuck": kube.MIGPending}[mode]
		if mode == "" {
			n.Status.Allocatable = seatsOnly(n.Status.Allocatable)
			for r, count := range w.devices(name) {
				n.Status.Allocatable[r] = *resource.NewQuantity(count, resource.DecimalSI)
			}
		}
		w.store(nodesPath+n.Name, n)
	}
}

func (w *world) devices(name string) map[corev1.ResourceName]int64 {
	file := load[corev1.ConfigMap](w.objects[geometriesPath])
	configs, err := kube.ParseMIGConfigs(file.Data[kube.MIGConfigKey])
	if err != nil || configs.Configs[name] == nil {
		panic(fmt.Sprintf("mig-manager does not know %q: %v", name, err))
	}
	out := map[corev1.ResourceName]int64{}
	if !configs.Configs[name][0].Enabled {
		return map[corev1.ResourceName]int64{kube.GPUResource: 1}
	}
	for profile, count := range configs.Configs[name][0].Slices {
		r, _ := kube.SliceResource(fleet.SliceKind{GPU: "a100-80gb", Profile: profile})
		out[r] = int64(count)
	}
	return out
}

func seatsOnly(list corev1.ResourceList) corev1.ResourceList {
	out := corev1.ResourceList{}
	for name, q := range list {
		if strings.HasPrefix(string(name), kube.SeatPrefix) {
			out[name] = q
		}
	}
	return out
}

// replicaSet brings the pods of a Deployment to its number, with the real one's order
// of who goes first.
func (w *world) replicaSet(d *appsv1.Deployment) {
	var pods []*corev1.Pod
	for _, pod := range below[corev1.Pod](w, podsPath) {
		if pod.Spec.NodeName != "" && w.objects[nodesPath+pod.Spec.NodeName] == nil {
			delete(w.objects, podsPath+pod.Name)
		} else if pod.Labels[kube.LabelModel] == d.Labels[kube.LabelModel] {
			pods = append(pods, pod)
		}
	}
	for ; len(pods) < int(*d.Spec.Replicas); w.pods++ {
		pod := &corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%03d", d.Name, w.pods), Labels: d.Spec.Template.Labels},
			Spec:       d.Spec.Template.Spec, Status: corev1.PodStatus{Phase: corev1.PodPending},
		}
		w.store(podsPath+pod.Name, pod)
		pods = append(pods, pod)
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(cost(a), cost(b)), cmp.Compare(b.Name, a.Name))
	})
	for len(pods) > int(*d.Spec.Replicas) {
		if w.busy[pods[0].Name] {
			w.cutOff = append(w.cutOff, pods[0].Name)
		}
		delete(w.objects, podsPath+pods[0].Name)
		pods = pods[1:]
	}
	d.Status.Replicas, d.Status.ObservedGeneration = int32(len(pods)), d.Generation
	w.store(deploymentsPath+d.Name, d)
}

func rank(pod *corev1.Pod) int {
	_, ready := kube.Ready(pod)
	switch {
	case pod.Spec.NodeName == "":
		return 0
	case !ready:
		return 1
	}
	return 2
}

func cost(pod *corev1.Pod) int {
	n, _ := strconv.Atoi(pod.Annotations[kube.PodDeletionCost])
	return n
}
