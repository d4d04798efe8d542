package actuator

import (
	"context"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// The kinds of what is told, as Kubernetes names them.
const (
	Normal  = corev1.EventTypeNormal
	Warning = corev1.EventTypeWarning
)

// A Teller tells people in the cluster what was done and why.
type Teller interface {
	// Tell says a sentence about an object, or about an *corev1.ObjectReference. The
	// kind is Normal or Warning; the reason is one word in CamelCase.
	Tell(about runtime.Object, kind, reason, sentence string, plan fleet.PlanID)
}

// NewTeller tells by Kubernetes Events that bear the plan as an annotation. The
// client may go through the Door, which then sees their plan. While the door is not
// open, what would be told is logged and nothing is sent. The function returned stops
// the telling after what is in the queue.
func NewTeller(client kubernetes.Interface, component string, open bool, log *slog.Logger) (t Teller, stop func()) {
	if !open {
		return logged{log}, func() {}
	}
	b := record.NewBroadcaster()
	b.StartRecordingToSink(sink{client})
	return events{b.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component})}, b.Shutdown
}

type events struct{ to record.EventRecorder }

// Tell records an event.
func (e events) Tell(about runtime.Object, kind, reason, sentence string, plan fleet.PlanID) {
	e.to.AnnotatedEventf(about, map[string]string{kube.AnnotationPlan: string(plan)}, kind, reason, "%s", sentence)
}

type logged struct{ log *slog.Logger }

// Tell logs what would be told.
func (l logged) Tell(about runtime.Object, kind, reason, sentence string, plan fleet.PlanID) {
	name := ""
	if ref, ok := about.(*corev1.ObjectReference); ok {
		name = ref.Kind + " " + ref.Namespace + "/" + ref.Name
	}
	l.log.Info("not told: shadow mode writes nothing", "about", name, "kind", kind, "reason", reason, "sentence", sentence, "plan", string(plan))
}

// sink writes events, each for the plan that it bears. It hands on the API server's
// errors as they are, because the recorder tells by their type whether to try again.
type sink struct{ client kubernetes.Interface }

// Create writes a new event.
func (s sink) Create(e *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(e.Namespace).Create(planOf(e), e, metav1.CreateOptions{FieldManager: kube.FieldManager})
}

// Update writes an event over the one that is there.
func (s sink) Update(e *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(e.Namespace).Update(planOf(e), e, metav1.UpdateOptions{FieldManager: kube.FieldManager})
}

// Patch counts an event that was told before.
func (s sink) Patch(e *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.client.CoreV1().Events(e.Namespace).Patch(planOf(e), e.Name, types.StrategicMergePatchType, data, metav1.PatchOptions{FieldManager: kube.FieldManager})
}

func planOf(e *corev1.Event) context.Context {
	return WithPlan(context.Background(), fleet.PlanID(e.Annotations[kube.AnnotationPlan]))
}
