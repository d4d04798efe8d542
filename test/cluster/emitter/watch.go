package emitter

import (
	"cmp"
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// watch follows the pods that carry ModelLabel and returns once it has seen all of them.
func (e *Emitter) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(e.options.Client, 0,
		informers.WithNamespace(e.options.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = ModelLabel }))
	registration, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { e.Apply(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { e.Apply(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			e.Remove(object.(*corev1.Pod))
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	e.done.Go(func() {
		<-ctx.Done()
		factory.Shutdown()
	})
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return errors.New("the context ended before all pods were listed: see whether the API server answers and pods may be listed")
	}
	return nil
}

// Apply takes note of a pod as it is now.
func (e *Emitter) Apply(pod *corev1.Pod) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	t, ok := e.byName[pod.Labels[ModelLabel]]
	if !ok {
		return
	}
	s := t.find(pod)
	if s != nil && s.uid != string(pod.UID) {
		e.vanish(t, s)
		s = nil
	}
	if s == nil {
		if !ready(pod) || ended(pod) {
			return
		}
		if s = e.open(t, pod); s == nil {
			return
		}
	}
	if pod.DeletionTimestamp != nil && !s.stopping {
		s.stopping, s.deadline = true, e.now.Add(grace(pod))
	}
	taking := serving(pod) && !ended(pod)
	if taking && !s.taking {
		s.since = e.now
	}
	s.taking = taking
	if ended(pod) {
		t.interrupt(s, e.now)
		e.vanish(t, s)
	}
}

// Remove takes note that a pod is no longer there.
func (e *Emitter) Remove(pod *corev1.Pod) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	t, ok := e.byName[pod.Labels[ModelLabel]]
	if !ok {
		return
	}
	if s := t.find(pod); s != nil && s.uid == string(pod.UID) {
		if !s.stopping && pod.DeletionTimestamp != nil {
			s.stopping, s.deadline = true, e.now.Add(grace(pod)) // an update that was missed
		}
		e.vanish(t, s)
	}
}

// vanish takes a server's pod away. What it runs goes on if there is a grace.
func (e *Emitter) vanish(t *traffic, s *server) {
	s.present, s.taking = false, false
	if !s.stopping {
		s.stopping, s.deadline = true, e.now
	}
	t.finish(e.now)
}

// open makes the server of a pod that became ready; nil if nobody knows its speed.
func (e *Emitter) open(t *traffic, pod *corev1.Pod) *server {
	kind := e.options.Kind(pod)
	speed, ok := t.speed(kind)
	if !ok {
		e.options.Log.Warn("a pod runs on a kind of slice without a speed, and serves nothing: add it to the model's speeds",
			"pod", podKey(pod), "model", t.Name, "kind", kind)
		return nil
	}
	s := &server{
		key: podKey(pod), uid: string(pod.UID), namespace: pod.Namespace, name: pod.Name,
		node: pod.Spec.NodeName, kind: kind, speed: speed, stream: t.Stream,
		born: e.now, since: e.now, next: e.now, present: true, latency: newHistogram(vllmBounds),
	}
	s.device = e.place(pod, s)
	at, _ := slices.BinarySearchFunc(t.servers, s.key, func(s *server, key string) int { return cmp.Compare(s.key, key) })
	t.servers = slices.Insert(t.servers, at, s)
	return s
}

// find is the server of a pod that is there.
func (t *traffic) find(pod *corev1.Pod) *server {
	key := podKey(pod)
	for _, s := range t.servers {
		if s.key == key && s.present {
			return s
		}
	}
	return nil
}

func podKey(pod *corev1.Pod) string { return pod.Namespace + "/" + pod.Name }
