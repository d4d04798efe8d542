package peers

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hpaSpec is what the owner of one model writes in its HorizontalPodAutoscaler.
type hpaSpec struct {
	least, most int
	target      float64 // AverageValue of the metric
	pods        bool    // the metric is of type Pods, else External
	up, down    hpaRules
}

// hpaRules are the behavior in one direction.
type hpaRules struct {
	window  time.Duration // stabilizationWindowSeconds
	percent int           // of the replicas, in 15 s
	pods    int           // in 15 s, where positive
}

// object is the HorizontalPodAutoscaler, as the API server keeps it. A minimum of
// zero stands for a cluster with the feature gate HPAScaleToZero.
func (s hpaSpec) object(model fleet.ModelName) *autoscalingv2.HorizontalPodAutoscaler {
	least := int32(s.least)
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: string(model), Namespace: namespace},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: string(model)},
			MinReplicas:    &least,
			MaxReplicas:    int32(s.most),
			Metrics:        []autoscalingv2.MetricSpec{s.metric(model)},
			Behavior:       &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: s.up.object(), ScaleDown: s.down.object()},
		},
	}
}

func (s hpaSpec) metric(model fleet.ModelName) autoscalingv2.MetricSpec {
	name := autoscalingv2.MetricIdentifier{Name: string(model)}
	target := autoscalingv2.MetricTarget{
		Type:         autoscalingv2.AverageValueMetricType,
		AverageValue: resource.NewMilliQuantity(max(1, milli(s.target)), resource.DecimalSI),
	}
	if s.pods {
		return autoscalingv2.MetricSpec{
			Type: autoscalingv2.PodsMetricSourceType,
			Pods: &autoscalingv2.PodsMetricSource{Metric: name, Target: target},
		}
	}
	return autoscalingv2.MetricSpec{
		Type:     autoscalingv2.ExternalMetricSourceType,
		External: &autoscalingv2.ExternalMetricSource{Metric: name, Target: target},
	}
}

func (r hpaRules) object() *autoscalingv2.HPAScalingRules {
	window, largest := int32(r.window/time.Second), autoscalingv2.MaxChangePolicySelect
	rules := &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: &window, SelectPolicy: &largest,
		Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PercentScalingPolicy, Value: int32(r.percent), PeriodSeconds: 15}},
	}
	if r.pods > 0 {
		rules.Policies = append(rules.Policies, autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: int32(r.pods), PeriodSeconds: 15})
	}
	return rules
}

// podName is the name of a model's pod.
func podName(model string, i int) string { return fmt.Sprintf("%s-%d", model, i) }

// podOf is a pod of a model: running and ready, or without a node.
func podOf(model string, i int, ready bool) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: podName(model, i), Namespace: namespace, Labels: map[string]string{"model": model}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	if ready {
		p.Status.Phase = corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return p
}
