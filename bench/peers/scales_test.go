package peers

import (
	"fmt"
	"sync"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/scale/fake"
	"k8s.io/client-go/testing"
)

// scales is the scale subresource of every Deployment, behind the client that the
// controller calls.
type scales struct {
	fake.FakeScaleClient
	mu       sync.Mutex
	replicas map[string]int32 // spec.replicas; as many pods exist
}

func newScales() *scales {
	s := &scales{replicas: map[string]int32{}}
	s.AddReactor("get", "deployments", s.get)
	s.AddReactor("update", "deployments", s.update)
	return s
}

func (s *scales) get(action testing.Action) (bool, runtime.Object, error) {
	name := action.(testing.GetAction).GetName()
	n, ok := s.of(name)
	if !ok {
		return true, nil, fmt.Errorf("there is no Deployment %s", name)
	}
	return true, &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: n},
		Status:     autoscalingv1.ScaleStatus{Replicas: n, Selector: "model=" + name},
	}, nil
}

func (s *scales) update(action testing.Action) (bool, runtime.Object, error) {
	scale := action.(testing.UpdateAction).GetObject().(*autoscalingv1.Scale)
	s.set(scale.Name, scale.Spec.Replicas)
	return true, scale, nil
}

func (s *scales) of(name string) (int32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.replicas[name]
	return n, ok
}

func (s *scales) set(name string, n int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replicas[name] = n
}
