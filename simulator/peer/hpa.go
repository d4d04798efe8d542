package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// syncPeriod is --horizontal-pod-autoscaler-sync-period.
const syncPeriod = 15 * time.Second

// targetParameters are the target of those that scale on concurrency.
func targetParameters(target, share float64, targets ...float64) []Parameter {
	return []Parameter{
		{Name: "target", Default: target, Try: targets, Why: "requests in service and waiting for one replica; used where target-share is 0"},
		{
			Name: "target-share", Default: share, Try: []float64{0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 0.9, 1.5},
			Why: "the target as a share of what one replica serves at once, so that one number suits models of different batch sizes",
		},
	}
}

// target is how many requests a replica of the model shall have.
func (a about) target(m fleet.ModelName) float64 {
	if share := a.of("target-share", m); share > 0 {
		return share * float64(a.servers[m].slots)
	}
	return a.of("target", m)
}

// hpa is the Kubernetes HorizontalPodAutoscaler, autoscaling/v2, on concurrency.
// Source: Kubernetes documentation, "Horizontal Pod Autoscaling: algorithm
// details", and replica_calculator.go of v1.32:
//
//	external metric, AverageValue:  desired = ceil(sum / target)          unless |sum/(target*replicas) - 1| <= tolerance
//	pods metric, AverageValue:      desired = ceil(ready * average/target) unless |average/target - 1| <= tolerance
//
// Of a pods metric, replicas that are not ready yet count as idle when the answer
// would be to grow, are left out when it would be to shrink, and may not turn the
// direction. A metric that is not known changes nothing.
type hpa struct {
	about
	by map[fleet.ModelName]*horizontal
}

func newHPA(a about) Scaler { return &hpa{about: a, by: map[fleet.ModelName]*horizontal{}} }

// Every is 15 seconds.
func (s *hpa) Every() time.Duration { return syncPeriod }

// Scale answers for every model.
func (s *hpa) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i, v := range models {
		m := v.Model.Name
		h := s.by[m]
		if h == nil {
			h = s.horizontal(v)
			s.by[m] = h
		}
		out[i] = h.reconcile(now, v.Replicas, func() (int, bool) {
			total, known := v.Concurrency.Read()
			if !known {
				return 0, false
			}
			if s.of("pods-metric", m) > 0 {
				return podsMetric(total, s.target(m), s.of("tolerance", m), v)
			}
			return externalMetric(total, s.target(m), s.of("tolerance", m), v.Replicas), true
		})
	}
	return out
}

// externalMetric is the proposal for a sum over all replicas. Metrics are whole
// thousandths, as in Kubernetes.
func externalMetric(sum, target, tolerance float64, replicas int) int {
	total, each := math.Ceil(sum*1000), math.Max(1, math.Round(target*1000))
	if replicas > 0 && math.Abs(1-total/(each*float64(replicas))) <= tolerance {
		return replicas
	}
	return count(total / each)
}

// podsMetric is the proposal for a value of each replica, of which the sum over
// the ready ones is known. Without a ready replica there is no metric.
func podsMetric(sum, target, tolerance float64, v View) (int, bool) {
	ready := min(v.Ready, v.Replicas)
	if ready == 0 {
		return 0, false
	}
	each := math.Max(1, math.Round(target*1000))
	ratio := math.Floor(sum*1000/float64(ready)) / each
	if v.Replicas == ready || ratio <= 1 {
		if math.Abs(1-ratio) <= tolerance {
			return v.Replicas, true
		}
		return count(ratio * float64(ready)), true
	}
	ratio = math.Floor(sum*1000/float64(v.Replicas)) / each
	if ratio < 1 || math.Abs(1-ratio) <= tolerance {
		return v.Replicas, true
	}
	return count(ratio * float64(v.Replicas)), true
}

// count rounds up to a number of replicas.
func count(replicas float64) int {
	return int(math.Min(math.Ceil(replicas), math.MaxInt32))
}
