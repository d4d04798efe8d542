package peers

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// newHorizontal makes the HPA controller that scales on concurrency.
func newHorizontal(t *testing.T, k knobs) peer.Scaler {
	k.peer = "hpa"
	spec := func(m fleet.Model) hpaSpec {
		s := hpaSpec{target: k.target(m), pods: k.of("pods-metric", m.Name) > 0}
		s.least, s.most = k.bounds(m)
		s.up, s.down = k.rules(m.Name)
		return s
	}
	return newHPA(t, k.tolerance(t), spec, func(v peer.View) fleet.Signal { return v.Concurrency })
}

// tolerance is a flag of kube-controller-manager, so that no model has its own.
func (k knobs) tolerance(t *testing.T) float64 {
	for _, m := range k.settings.Policy.Models {
		if _, own := k.setup.Parameters["tolerance/"+string(m.Name)]; own {
			t.Fatalf("%s of model %s: the controller has one tolerance for all", k.peer, m.Name)
		}
	}
	return k.of("tolerance", "")
}

// keda is the HPA controller behind a KEDA ScaledObject with consumer lag as its
// trigger. The controller is original. KEDA's share, which is not importable, is
// said again from its documentation: the metric, and the step between zero and one.
type keda struct {
	knobs
	hpa     *hpa
	objects map[fleet.ModelName]*scaledObject
}

// scaledObject is what KEDA's scale loop remembers of one Deployment.
type scaledObject struct{ polled, active time.Time }

func newKEDA(t *testing.T, k knobs) peer.Scaler {
	k.peer = "keda-lag"
	s := &keda{knobs: k, objects: map[fleet.ModelName]*scaledObject{}}
	spec := func(m fleet.Model) hpaSpec {
		h := hpaSpec{target: k.of("lag-threshold", m.Name)}
		h.least, h.most = k.bounds(m)
		h.least = max(1, h.least)
		h.up, h.down = k.rules(m.Name)
		return h
	}
	s.hpa = newHPA(t, k.tolerance(t), spec, s.metric)
	return s
}

// Every is the sync period of the HPA controller.
func (*keda) Every() time.Duration { return syncPeriod }

// Scale lets the HPA controller sync, and then KEDA step in where it has to.
func (s *keda) Scale(now time.Time, models []peer.View) []int {
	out := s.hpa.Scale(now, models)
	for i, v := range models {
		o := s.objects[v.Model.Name]
		if o == nil {
			o = &scaledObject{}
			s.objects[v.Model.Name] = o
		}
		if n := s.activate(now, v, o); n != peer.Keep {
			out[i] = n
		}
	}
	return out
}

// lag is a model's lag as the trigger reads it: what is not known is zero unless the
// owner says otherwise.
func (s *keda) lag(v peer.View) fleet.Signal {
	if _, known := v.Backlog.Read(); !known && s.of("ignore-null-values", v.Model.Name) > 0 {
		return fleet.Measured(0, 0, 1)
	}
	return v.Backlog
}

// metric is the lag that KEDA's Kafka scaler reports: no more than keeps every
// partition busy.
func (s *keda) metric(v peer.View) fleet.Signal {
	m := v.Model.Name
	lag, known := s.lag(v).Read()
	if !known {
		return s.lag(v)
	}
	partitions := s.of("partitions", m)
	if partitions == 0 {
		_, most := s.bounds(v.Model)
		partitions = float64(most)
	}
	return fleet.Measured(min(lag, partitions*s.of("lag-threshold", m)), 0, 1)
}

// activate is KEDA's own scale loop: from zero as soon as there is lag, to zero when
// there has been none for the cooldown period, and peer.Keep otherwise.
func (s *keda) activate(now time.Time, v peer.View, o *scaledObject) int {
	m := v.Model.Name
	if !o.polled.IsZero() && now.Sub(o.polled) < s.seconds("polling-interval", m) {
		return peer.Keep
	}
	o.polled = now
	least, _ := s.bounds(v.Model)
	lag, known := s.lag(v).Read()
	switch {
	case !known:
		return peer.Keep
	case lag > 0:
		o.active = now
		if v.Replicas == 0 {
			return max(1, least)
		}
	case v.Replicas > 0 && least == 0 && now.Sub(o.active) >= s.seconds("cooldown-period", m):
		return 0
	}
	return peer.Keep
}
