package peers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	kubernetes "k8s.io/client-go/kubernetes/fake"
	core "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

const namespace = "models"

// What kube-controller-manager runs with unless its flags say otherwise.
const (
	syncPeriod        = 15 * time.Second
	downscaleWindow   = 5 * time.Minute
	cpuInitialization = 5 * time.Minute
	initialReadiness  = 30 * time.Second
)

// afterSync is how long after a sync of the controller its answer is read.
const afterSync = time.Second

// hpa is the HPA controller of Kubernetes as a Scaler, with one
// HorizontalPodAutoscaler for each model. It lives in a synctest bubble, whose
// clock moves as far between two calls of Scale as the simulator's.
type hpa struct {
	t         *testing.T
	tolerance float64
	spec      func(fleet.Model) hpaSpec
	metric    func(peer.View) fleet.Signal
	metrics   *podMetrics
	scales    *scales
	objects   *kubernetes.Clientset
	pods      cache.Indexer

	began time.Time // in the simulator
	epoch time.Time // of the controller's first sync, in the bubble
}

// newHPA makes a controller that starts with the first Scale. It must be made and
// used in the bubble of t, whose end ends the controller. metric is what a model's
// HorizontalPodAutoscaler scales on, summed over all replicas.
func newHPA(t *testing.T, tolerance float64, spec func(fleet.Model) hpaSpec, metric func(peer.View) fleet.Signal) *hpa {
	return &hpa{t: t, tolerance: tolerance, spec: spec, metric: metric, metrics: newPodMetrics(), scales: newScales()}
}

// Every is the sync period of kube-controller-manager.
func (*hpa) Every() time.Duration { return syncPeriod }

// Scale shows the controller what is now, lets its clock run until it has synced,
// and reads what it wrote to the Deployments.
func (h *hpa) Scale(now time.Time, models []peer.View) []int {
	if h.began.IsZero() {
		h.start(models)
		h.began, h.epoch = now, time.Now().Add(syncPeriod)
	}
	for _, v := range models {
		h.metrics.set(v, h.metric(v))
		h.scales.set(string(v.Model.Name), int32(v.Replicas))
		if h.spec(v.Model).pods {
			h.populate(v)
		}
	}
	time.Sleep(time.Until(h.epoch.Add(now.Sub(h.began) + afterSync)))
	synctest.Wait()
	h.objects.ClearActions() // the fakes keep every call that was ever made
	h.scales.ClearActions()

	out := make([]int, len(models))
	for i, v := range models {
		n, _ := h.scales.of(string(v.Model.Name))
		out[i] = int(n)
	}
	return out
}

// start creates the objects and runs the controller.
func (h *hpa) start(models []peer.View) {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	var objects []runtime.Object
	for _, v := range models {
		objects = append(objects, h.spec(v.Model).object(v.Model.Name))
	}
	h.objects = kubernetes.NewClientset(objects...)
	h.objects.PrependReactor("*", "events", func(core.Action) (bool, runtime.Object, error) { return true, &corev1.Event{}, nil })

	// A resync period of zero would make the reflector wait on a channel of the whole
	// package, which is outside of the bubble: its clock would stand still.
	shared := informers.NewSharedInformerFactory(h.objects, 10*time.Hour)
	pods := shared.Core().V1().Pods()
	controller := podautoscaler.NewHorizontalController(
		ctx, h.objects.CoreV1(), h.scales, h.objects.AutoscalingV2(), deployments(), h.metrics,
		shared.Autoscaling().V2().HorizontalPodAutoscalers(), pods,
		syncPeriod, downscaleWindow, h.tolerance, cpuInitialization, initialReadiness,
	)
	h.pods = pods.Informer().GetIndexer()
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		controller.Run(ctx, 1)
	}()
	h.t.Cleanup(func() {
		cancel()
		shared.Shutdown()
		<-stopped
		time.Sleep(time.Minute) // loops that look at every tick whether they shall end
	})
}

// deployments maps the one kind that is scaled here to its resource.
func deployments() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
	mapper.Add(appsv1.SchemeGroupVersion.WithKind("Deployment"), meta.RESTScopeNamespace)
	return mapper
}

// populate puts into the controller's cache as many pods as the model has, running
// and ready or pending.
func (h *hpa) populate(v peer.View) {
	for i := 0; ; i++ {
		pod := podOf(string(v.Model.Name), i, i < v.Ready)
		_, there, err := h.pods.Get(pod)
		if err == nil && i < v.Replicas {
			err = h.pods.Update(pod)
		} else if err == nil && there {
			err = h.pods.Delete(pod)
		}
		if err != nil {
			h.t.Fatalf("pod %s: %v", pod.Name, err)
		}
		if i >= v.Replicas && !there {
			return
		}
	}
}
