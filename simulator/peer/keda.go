package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// keda is a KEDA ScaledObject with the lag of a consumer group as its trigger.
// Source: keda.sh/docs, "Scaling Deployments" and "Apache Kafka"; kafka_scaler.go
// and the scale loop of v2:
//
//	metric  = min(lag, partitions * lagThreshold)
//	desired = ceil(metric / lagThreshold)         by the HPA that KEDA makes, between max(1, minimum) and maximum
//
// Every polling interval KEDA itself looks whether there is any lag: it takes a
// Deployment at zero to its minimum or one replica, and one that may be at zero to
// zero when there has been none for the cooldown period. The lag of any model is its
// backlog. As ignoreNullValues of the Prometheus trigger says by default, a lag
// that is not known is read as zero; set ignore-null-values to 0 for an error, on
// which the HPA and the loop leave everything as it is.
type keda struct {
	about
	by map[fleet.ModelName]*scaledObject
}

type scaledObject struct {
	hpa            *horizontal
	least          int
	polled, active time.Time
}

func newKEDA(a about) Scaler { return &keda{about: a, by: map[fleet.ModelName]*scaledObject{}} }

var kedaParameters = []Parameter{
	{Name: "lag-threshold", Default: 10, Try: []float64{1, 2, 5, 10, 20, 50, 100}, Why: "requests that wait for one replica (lagThreshold)"},
	{Name: "partitions", Default: 0, Try: []float64{0}, Why: "of the topic, which bound how many replicas count; 0 is as many as the maximum of replicas"},
	{Name: "polling-interval", Default: 30, Try: []float64{30}, Why: "seconds between two looks whether there is anything to do (pollingInterval)"},
	{Name: "cooldown-period", Default: 300, Try: []float64{300, 900, 1800}, Why: "seconds without lag before the last replica goes, where the minimum is 0 (cooldownPeriod)"},
	{Name: "ignore-null-values", Default: 1, Try: []float64{0, 1}, Why: "1 reads a lag that is not known as zero, 0 as an error"},
}

// Every is the sync period of the HPA.
func (s *keda) Every() time.Duration { return syncPeriod }

// Scale answers for every model.
func (s *keda) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i, v := range models {
		m := v.Model.Name
		o := s.by[m]
		if o == nil {
			o = &scaledObject{hpa: s.horizontal(v)}
			o.least, o.hpa.least = o.hpa.least, max(1, o.hpa.least)
			s.by[m] = o
		}
		lag := v.Backlog
		if _, known := lag.Read(); !known && s.of("ignore-null-values", m) > 0 {
			lag = fleet.Measured(0, 0, 1)
		}
		out[i] = s.scale(now, v, o, lag)
		if n := s.activate(now, v, o, lag); n != Keep {
			out[i] = n
		}
	}
	return out
}

// activate is KEDA's own loop: from zero and to zero.
func (s *keda) activate(now time.Time, v View, o *scaledObject, lag fleet.Signal) int {
	m := v.Model.Name
	if !o.polled.IsZero() && now.Sub(o.polled) < s.seconds("polling-interval", m) {
		return Keep
	}
	o.polled = now
	switch lag.State() {
	case fleet.SignalValue:
		o.active = now
		if v.Replicas == 0 {
			return o.hpa.least
		}
	case fleet.SignalZero:
		if v.Replicas > 0 && o.least == 0 && now.Sub(o.active) >= s.seconds("cooldown-period", m) {
			return 0
		}
	}
	return Keep
}

// scale is the HPA that KEDA made. It does nothing at zero.
func (s *keda) scale(now time.Time, v View, o *scaledObject, lag fleet.Signal) int {
	m := v.Model.Name
	return o.hpa.reconcile(now, v.Replicas, func() (int, bool) {
		waiting, known := lag.Read()
		if !known {
			return 0, false
		}
		threshold, partitions := s.of("lag-threshold", m), s.of("partitions", m)
		if partitions == 0 {
			partitions = float64(o.hpa.most)
		}
		return externalMetric(math.Min(waiting, partitions*threshold), threshold, s.of("tolerance", m), v.Replicas), true
	})
}
