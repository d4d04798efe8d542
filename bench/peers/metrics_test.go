package peers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// podMetrics is what the custom and external metrics APIs answer: one metric for
// each model, under the model's name, as it was at the last sync.
type podMetrics struct {
	mu     sync.Mutex
	values map[string]sample
}

// sample is a sum over the pods that serve.
type sample struct {
	sum   fleet.Signal
	ready int
}

var _ metrics.MetricsClient = (*podMetrics)(nil)

func newPodMetrics() *podMetrics { return &podMetrics{values: map[string]sample{}} }

func (m *podMetrics) set(v peer.View, sum fleet.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[string(v.Model.Name)] = sample{sum: sum, ready: min(v.Ready, v.Replicas)}
}

// of is a sum in thousandths, as resource.Quantity has it, and the pods behind it;
// an error where nothing was measured.
func (m *podMetrics) of(name string) (sum int64, ready int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.values[name]
	v, known := s.sum.Read()
	if !known {
		return 0, 0, fmt.Errorf("metric %s: nothing was measured", name)
	}
	return int64(math.Ceil(v * 1000)), s.ready, nil
}

// milli is a target in thousandths.
func milli(v float64) int64 { return int64(math.Round(v * 1000)) }

// GetExternalMetric answers with the sum.
func (m *podMetrics) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	sum, _, err := m.of(name)
	return []int64{sum}, time.Now(), err
}

// GetRawMetric divides the sum among the pods that serve.
func (m *podMetrics) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	sum, ready, err := m.of(name)
	out := metrics.PodMetricsInfo{}
	for i := range ready {
		each := sum / int64(ready-i)
		sum -= each
		out[podName(name, i)] = metrics.PodMetric{Timestamp: time.Now(), Window: syncPeriod, Value: each}
	}
	return out, time.Now(), err
}

var errNotServed = errors.New("only pod and external metrics are served here")

// GetResourceMetric is not served.
func (*podMetrics) GetResourceMetric(context.Context, corev1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errNotServed
}

// GetObjectMetric is not served.
func (*podMetrics) GetObjectMetric(string, string, *autoscalingv2.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errNotServed
}
