package peers

import (
	"context"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/autoscaler/aggregation"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
)

// kpaTick is how often Knative's MultiScaler asks its autoscalers.
const kpaTick = 2 * time.Second

// kpa is the autoscaler of Knative Serving as a Scaler. It needs no bubble, and
// bears none, because it tells its metrics to a goroutine of its package.
//
// Original are the windows over the measurements and the decision. Two things of
// Knative that need a cluster around them are said again here: the scraper, which
// is the simulator's own look every two seconds, one to a bucket, and the grace
// period before the last pod goes.
type kpa struct {
	knobs
	log       *zap.SugaredLogger
	revisions map[fleet.ModelName]*revision
}

// revision is one model with its measurements.
type revision struct {
	decide        scaling.UniScaler
	stable, panic *aggregation.TimedFloat64Buckets
	ready, asked  int
	shift         time.Duration // from the simulator's clock to the autoscaler's
	idle          time.Time     // since when no pod is wanted
}

var _ metrics.MetricClient = (*revision)(nil)

// newKPA makes autoscalers that start with the first Scale.
func newKPA(_ *testing.T, k knobs) peer.Scaler {
	k.peer = "kpa"
	return &kpa{knobs: k, log: zap.NewNop().Sugar(), revisions: map[fleet.ModelName]*revision{}}
}

// Every is the tick of Knative's MultiScaler.
func (*kpa) Every() time.Duration { return kpaTick }

// Scale measures and asks the autoscaler of every model.
func (s *kpa) Scale(now time.Time, models []peer.View) []int {
	out := make([]int, len(models))
	for i, v := range models {
		r := s.revisions[v.Model.Name]
		if r == nil {
			r = s.revision(now, v)
			s.revisions[v.Model.Name] = r
		}
		r.ready, r.asked = v.Ready, v.Replicas
		if concurrency, known := v.Concurrency.Read(); known {
			r.stable.Record(now.Add(r.shift), concurrency)
			r.panic.Record(now.Add(r.shift), concurrency)
		}
		out[i] = peer.Keep
		if answer := r.decide.Scale(s.log, now.Add(r.shift)); answer.ScaleValid {
			out[i] = s.bounded(now, v, r, int(answer.DesiredPodCount))
		}
	}
	return out
}

func (s *kpa) revision(now time.Time, v peer.View) *revision {
	m := v.Model.Name
	window := s.seconds("stable-window", m)
	panicWindow := time.Duration(float64(window) * s.of("panic-window", m))
	r := &revision{
		stable: aggregation.NewTimedFloat64Buckets(window, kpaTick),
		panic:  aggregation.NewTimedFloat64Buckets(panicWindow, kpaTick),
		ready:  v.Ready, asked: v.Replicas,
	}
	total := s.target(v.Model)
	// Of all times only the panic with which an autoscaler of several pods begins is
	// read from the clock: so the clock says that now is now.
	r.shift = time.Since(now)
	r.decide = scaling.New(context.Background(), namespace, string(m), r, r, &scaling.DeciderSpec{
		MaxScaleUpRate: s.of("max-up", m), MaxScaleDownRate: max(1, s.of("max-down", m)),
		ScalingMetric: autoscaling.Concurrency,
		TargetValue:   max(0.01, total*s.of("utilisation", m)), TotalValue: total,
		TargetBurstCapacity: 211, ActivatorCapacity: 100,
		PanicThreshold: s.of("panic-threshold", m), StableWindow: window,
		ScaleDownDelay: s.seconds("scale-down-delay", m), Reachable: true,
	})
	return r
}

// bounded is what the reconciler does with a decision: it holds it within the
// bounds, and lets what there is stay for the grace period before the last pod goes.
func (s *kpa) bounded(now time.Time, v peer.View, r *revision, desired int) int {
	least, most := s.bounds(v.Model)
	desired = min(max(desired, least), most)
	if desired > 0 || v.Replicas == 0 {
		r.idle = time.Time{}
		return desired
	}
	if r.idle.IsZero() {
		r.idle = now
	}
	if now.Sub(r.idle) < s.seconds("scale-to-zero-grace", v.Model.Name) {
		return 1
	}
	return 0
}

// StableAndPanicConcurrency is what Knative's collector answers.
func (r *revision) StableAndPanicConcurrency(_ types.NamespacedName, now time.Time) (stable, panicked float64, err error) {
	if r.stable.IsEmpty(now) {
		return 0, 0, metrics.ErrNoData
	}
	return r.stable.WindowAverage(now), r.panic.WindowAverage(now), nil
}

// StableAndPanicRPS is not asked for.
func (*revision) StableAndPanicRPS(types.NamespacedName, time.Time) (stable, panicked float64, err error) {
	return 0, 0, metrics.ErrNoData
}

// ReadyCount is how many pods serve.
func (r *revision) ReadyCount() (int, error) { return r.ready, nil }

// NotReadyCount is how many were asked for and do not serve yet.
func (r *revision) NotReadyCount() (int, error) { return max(0, r.asked-r.ready), nil }
