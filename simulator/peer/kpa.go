package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// kpaTick is how often the Knative autoscaler decides.
const kpaTick = 2 * time.Second

// kpa is the Knative Pod Autoscaler on concurrency. Source: knative.dev/docs,
// "About autoscaling", config-autoscaler.yaml, and pkg/autoscaler/scaling:
//
//	stable = ceil(average over the stable window / target), panic likewise over the panic window,
//	both within [floor(ready / maxScaleDownRate), ceil(ready * maxScaleUpRate)], with ready at least 1
//	panic begins when ceil(panic average / target) / ready >= threshold, and ends once it has been below
//	for longer than the stable window; in it the larger of both counts and nothing shrinks
//
// Concurrency is looked at every two seconds, and a bucket of the averages is as
// long; Knative scrapes every second into buckets of a second. A look at which it
// is not known records nothing; when nothing was recorded for longer than the stable
// window, the scale is kept as it is. The last replica goes after the scale-to-zero
// grace period.
type kpa struct {
	about
	by map[fleet.ModelName]*revision
}

type revision struct {
	stable, panicked *window
	panicking        time.Time // zero when it does not panic
	most             int       // that a panic asked for
	delay            *highest  // nil without a scale-down delay
	idle             time.Time // since when nothing is wanted
	target           float64
	window           time.Duration
}

func newKPA(a about) Scaler { return &kpa{about: a, by: map[fleet.ModelName]*revision{}} }

var kpaParameters = []Parameter{
	{Name: "utilisation", Default: 0.7, Try: []float64{0.5, 0.7, 0.9}, Why: "share of the target that is aimed at (container-concurrency-target-percentage)"},
	{Name: "stable-window", Default: 60, Try: []float64{60, 180, 600}, Why: "seconds of the stable average (stable-window)"},
	{Name: "panic-window", Default: 0.1, Try: []float64{0.1}, Why: "the panic window as a share of the stable one (panic-window-percentage)"},
	{Name: "panic-threshold", Default: 2, Try: []float64{2, 4, 1000}, Why: "times the ready replicas that must be wanted for panic (panic-threshold-percentage)"},
	{Name: "max-up", Default: 1000, Try: []float64{2, 1000}, Why: "times the ready replicas that may be wanted at once (max-scale-up-rate)"},
	{Name: "max-down", Default: 2, Try: []float64{2}, Why: "into which part of the ready replicas they may shrink at once (max-scale-down-rate)"},
	{Name: "scale-down-delay", Default: 0, Try: []float64{0, 300, 900, 1800}, Why: "seconds of which the largest wish counts (scale-down-delay)"},
	{Name: "scale-to-zero-grace", Default: 30, Try: []float64{30}, Why: "seconds before the last replica goes, where the minimum is 0 (scale-to-zero-grace-period)"},
}

// Every is two seconds.
func (s *kpa) Every() time.Duration { return kpaTick }

// Scale answers for every model.
func (s *kpa) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i := range models {
		v := &models[i]
		r := s.by[v.Model.Name]
		if r == nil {
			r = s.revision(now, v)
			s.by[v.Model.Name] = r
		}
		if concurrency, known := v.Concurrency.Read(); known {
			r.stable.record(now, concurrency)
			r.panicked.record(now, concurrency)
		}
		out[i] = s.bounded(now, v, r, s.scale(now, v, r))
	}
	return out
}

// revision begins to watch a model. One that has several replicas already begins in
// panic, so that it does not shrink before there is anything to go by.
func (s *kpa) revision(now time.Time, v *View) *revision {
	m := v.Model.Name
	r := &revision{window: s.seconds("stable-window", m)}
	r.stable = newWindow(r.window, kpaTick)
	r.panicked = newWindow(time.Duration(float64(r.window)*s.of("panic-window", m)), kpaTick)
	r.target = math.Max(0.01, s.target(m)*s.of("utilisation", m))
	if delay := s.seconds("scale-down-delay", m); delay > 0 {
		r.delay = newHighest(delay, kpaTick)
	}
	if v.Ready > 1 {
		r.panicking, r.most = now, v.Ready
	}
	return r
}

// scale is the decision before the bounds of the Deployment.
func (s *kpa) scale(now time.Time, v *View, r *revision) int {
	if r.stable.empty(now) {
		return Keep
	}
	m := v.Model.Name
	ready := math.Max(1, float64(v.Ready))
	ceiling := math.Ceil(s.of("max-up", m) * ready)
	floor := math.Floor(ready / math.Max(1, s.of("max-down", m)))
	stable := math.Ceil(r.stable.average(now) / r.target)
	surge := math.Ceil(r.panicked.average(now) / r.target)
	desired := int(math.Min(math.Max(stable, floor), ceiling))
	urgent := int(math.Min(math.Max(surge, floor), ceiling))

	over := surge/ready >= s.of("panic-threshold", m)
	switch {
	case over:
		r.panicking = now
	case !r.panicking.IsZero() && r.panicking.Add(r.window).Before(now):
		r.panicking, r.most = time.Time{}, 0
	}
	if !r.panicking.IsZero() {
		r.most = max(r.most, desired, urgent)
		desired = r.most
	}
	if r.delay != nil {
		desired = r.delay.record(now, desired)
	}
	return desired
}

// bounded holds the decision within the Deployment's bounds and lets the last
// replica stay for the grace period.
func (s *kpa) bounded(now time.Time, v *View, r *revision, desired int) int {
	if desired == Keep {
		return Keep
	}
	least, most := s.setup.bounds(v.Model)
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
