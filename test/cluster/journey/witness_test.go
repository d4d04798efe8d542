package journey

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// machine is what was seen of one bought node.
type machine struct {
	claim    string
	node     string
	asked    time.Time // NodeClaim created
	appeared time.Time // Node created
	gone     time.Time // Node deleted
	slices   string    // what it offered last
}

// witness watches the cluster, tells the diary what happens, and remembers it. It
// looks at everything that anybody does; who was allowed to do what is the audit
// log's matter.
type witness struct {
	diary *diary

	mu       sync.Mutex
	machines map[string]*machine // by claim
	pods     map[string]*corev1.Pod
	replicas map[string]int32 // by Deployment
	events   []corev1.Event   // of the program
}

// watch begins to watch.
func watch(t *testing.T, d *diary, c *rig.Cluster) *witness {
	t.Helper()
	w := &witness{diary: d, machines: map[string]*machine{}, pods: map[string]*corev1.Pod{}, replicas: map[string]int32{}}
	factory := informers.NewSharedInformerFactory(c.Client, 0)
	resources := dynamicinformer.NewDynamicSharedInformerFactory(c.Dynamic, 0)
	follow := func(informer cache.SharedIndexInformer, seen func(old, now any)) {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(now any) { w.locked(func() { seen(nil, now) }) },
			UpdateFunc: func(old, now any) { w.locked(func() { seen(old, now) }) },
			DeleteFunc: func(last any) {
				if unknown, ok := last.(cache.DeletedFinalStateUnknown); ok {
					last = unknown.Obj
				}
				w.locked(func() { seen(last, nil) })
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	follow(factory.Core().V1().Nodes().Informer(), both(w.node))
	follow(factory.Core().V1().Pods().Informer(), both(w.pod))
	follow(factory.Core().V1().Events().Informer(), both(w.event))
	follow(factory.Apps().V1().Deployments().Informer(), both(w.deployment))
	follow(resources.ForResource(rig.NodeClaims).Informer(), both(w.claim))
	factory.Start(t.Context().Done())
	resources.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	resources.WaitForCacheSync(t.Context().Done())
	t.Cleanup(func() { factory.Shutdown(); resources.Shutdown() })
	return w
}

// both gives a handler its objects as what they are; the zero value where there is none.
func both[T any](f func(old, now T)) func(old, now any) {
	return func(old, now any) {
		o, _ := old.(T)
		n, _ := now.(T)
		f(o, n)
	}
}

func (w *witness) locked(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// of is what is remembered of a claim.
func (w *witness) of(claim string) *machine {
	m, ok := w.machines[claim]
	if !ok {
		m = &machine{claim: claim}
		w.machines[claim] = m
	}
	return m
}

func (w *witness) claim(old, now metav1.Object) {
	switch {
	case old == nil:
		w.of(now.GetName()).asked = now.GetCreationTimestamp().Time
		w.diary.say("a node is asked for: NodeClaim %s, mig.config %q, for %s", now.GetName(), now.GetLabels()["nvidia.com/mig.config"], now.GetAnnotations()["tessera.dev/plan"])
	case now == nil:
		w.diary.say("NodeClaim %s is gone", old.GetName())
	case old.GetDeletionTimestamp() == nil && now.GetDeletionTimestamp() != nil:
		w.diary.say("NodeClaim %s is deleted", now.GetName())
	}
}

func (w *witness) node(old, now *corev1.Node) {
	n := now
	if n == nil {
		n = old
	}
	if n.Labels["tessera.dev/node"] == "" {
		return
	}
	m := w.of(n.Labels[corev1.LabelHostname])
	m.node = n.Name
	at := time.Now()
	switch {
	case now == nil:
		m.gone = at
		w.diary.say("node %s is gone", m.claim)
		return
	case old == nil:
		m.appeared = at
		w.diary.say("node %s appears, %.0f s after it was asked for", m.claim, at.Sub(m.asked).Seconds())
		old = &corev1.Node{}
	}
	if isReady(now) && !isReady(old) {
		w.diary.say("node %s is ready and offers %s", m.claim, offered(now))
	}
	if o := offered(now); o != offered(old) && o != "no slices" {
		m.slices = o
		w.diary.say("node %s offers %s", m.claim, o)
	}
	if state := now.Labels["nvidia.com/mig.config.state"]; state != old.Labels["nvidia.com/mig.config.state"] {
		w.diary.say("mig-manager on %s: %s is %s", m.claim, now.Labels["nvidia.com/mig.config"], state)
	}
	if now.Spec.Unschedulable != old.Spec.Unschedulable {
		w.diary.say("node %s is cordoned: %t", m.claim, now.Spec.Unschedulable)
	}
}

func (w *witness) pod(old, now *corev1.Pod) {
	if now == nil {
		delete(w.pods, old.Name)
		if old.Namespace == modelsNamespace {
			w.diary.say("pod %s on %s is gone", old.Name, claimOf(old.Spec.NodeName))
		}
		return
	}
	if now.Namespace != modelsNamespace {
		return
	}
	w.pods[now.Name] = now
	switch {
	case podReady(now) && (old == nil || !podReady(old)):
		w.diary.say("pod %s serves on %s", now.Name, claimOf(now.Spec.NodeName))
	case old != nil && old.Labels["tessera.dev/serving"] == "true" && now.Labels["tessera.dev/serving"] == "false":
		w.diary.say("pod %s gets no new work", now.Name)
	}
}

func (w *witness) deployment(old, now *appsv1.Deployment) {
	if now == nil || now.Namespace != modelsNamespace {
		return
	}
	w.replicas[now.Name] = *now.Spec.Replicas
	if old != nil && *old.Spec.Replicas != *now.Spec.Replicas {
		w.diary.say("deployment %s: %d replicas, before %d", now.Name, *now.Spec.Replicas, *old.Spec.Replicas)
	}
}

func (w *witness) event(_, now *corev1.Event) {
	if now == nil || now.Annotations["tessera.dev/plan"] == "" {
		return
	}
	w.events = append(w.events, *now)
	times := ""
	if now.Count > 1 {
		times = fmt.Sprintf(" (%d times)", now.Count)
	}
	w.diary.say("   says of %s %s: %s: %s%s", strings.ToLower(now.InvolvedObject.Kind), claimOf(now.InvolvedObject.Name), now.Reason, now.Message, times)
}
