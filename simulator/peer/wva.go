package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// optimiseEvery is GLOBAL_OPT_INTERVAL.
const optimiseEvery = time.Minute

// wva is the llm-d Workload Variant Autoscaler with its saturation engine, whose
// wva_desired_replicas an HPA follows (external metric, AverageValue 1). Source:
// llm-d/llm-d-workload-variant-autoscaler, docs on saturation scaling and HPA
// integration, analyzers saturation V1 and V2:
//
//	V1  a replica is saturated when kv >= 0.80 or queue >= 5
//	    +1 when the spare of those that are not, 0.80 - kv or 5 - queue, is below 0.10 or 3 on average, or none is left
//	    -1 when both spares would still do with one replica less
//	    nothing grows while replicas are pending
//	V2  required = demand/0.85 - supply with pending replicas; spare = supply - demand/0.70
//	    + ceil(required/capacity) or - floor(spare/capacity), capacity = min(0.80 * slots, observed when queue >= 5)
//
// A batching server has no KV cache. Its counterpart is the share of the largest
// batch, or of the streams, that is in service: what is full when nothing more can
// be taken. The queue is what waits, for one replica; demand is both together. Both
// are the highest of the last minute, as max_over_time[1m]; routing by least load
// keeps replicas alike, so that the mean stands for each.
//
// A gap in the metrics is read as zero (llm-d#360) until it has lasted five minutes;
// then they are called stale and the last wish is kept.
type wva struct {
	about
	by map[fleet.ModelName]*saturation
}

type saturation struct {
	hpa       *horizontal
	optimised time.Time
	desired   int
	seen      time.Time // when the metrics were last known
	inService float64   // highest since the last optimisation
	waiting   float64
	compute   []float64 // capacities of one replica that were observed, oldest first
}

// historyOf is how many observed capacities V2 averages.
const historyOf = 10

func newWVA(a about) Scaler { return &wva{about: a, by: map[fleet.ModelName]*saturation{}} }

var wvaParameters = []Parameter{
	{Name: "version", Default: 2, Try: []float64{1, 2}, Why: "of the saturation analyzer"},
	{Name: "kv-threshold", Default: 0.8, Try: []float64{0.6, 0.8}, Why: "share in service from which a replica is saturated, and that of its slots that counts (kvCacheThreshold)"},
	{Name: "queue-threshold", Default: 5, Try: []float64{1, 5}, Why: "requests waiting at a replica from which it is saturated (queueLengthThreshold)"},
	{Name: "kv-spare", Default: 0.1, Try: []float64{0.1, 0.2, 0.4}, Why: "V1 grows below this spare share (kvSpareTrigger)"},
	{Name: "queue-spare", Default: 3, Try: []float64{1, 3}, Why: "V1 grows below this spare queue (queueSpareTrigger)"},
	{Name: "scale-up-threshold", Default: 0.85, Try: []float64{0.5, 0.7, 0.85}, Why: "V2 grows above this use (scaleUpThreshold)"},
	{Name: "scale-down-boundary", Default: 0.7, Try: []float64{0.3, 0.5, 0.7}, Why: "V2 shrinks below this use (scaleDownBoundary)"},
}

// Every is the sync period of the HPA.
func (s *wva) Every() time.Duration { return syncPeriod }

// Scale answers for every model.
func (s *wva) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i := range models {
		v := &models[i]
		m := v.Model.Name
		w := s.by[m]
		if w == nil {
			w = &saturation{hpa: s.horizontal(*v), desired: v.Replicas, seen: now}
			w.hpa.least = max(1, w.hpa.least)
			s.by[m] = w
		}
		w.sample(now, v)
		if w.optimised.IsZero() || now.Sub(w.optimised) >= optimiseEvery {
			w.optimised = now
			if now.Sub(w.seen) <= stale {
				w.desired = s.optimise(v, w)
			}
			w.inService, w.waiting = 0, 0
		}
		if v.Replicas == 0 { // scale from zero is WVA's own, at once when anything waits
			if out[i] = Keep; v.Backlog.State() == fleet.SignalValue {
				out[i] = w.hpa.least
			}
			continue
		}
		out[i] = w.hpa.reconcile(now, v.Replicas, func() (int, bool) {
			return externalMetric(float64(w.desired), 1, s.of("tolerance", m), v.Replicas), true
		})
	}
	return out
}

// sample keeps the highest of what is seen between two optimisations.
func (w *saturation) sample(now time.Time, v *View) {
	total, known := v.Concurrency.Read()
	waiting, too := v.Backlog.Read()
	if !known || !too {
		return
	}
	w.seen = now
	w.inService = math.Max(w.inService, total-waiting)
	w.waiting = math.Max(w.waiting, waiting)
}

// optimise is the wish of the chosen analyzer.
func (s *wva) optimise(v *View, w *saturation) int {
	if v.Ready == 0 || v.Replicas == 0 {
		return v.Replicas
	}
	least, most := s.setup.bounds(v.Model)
	desired := 0
	if s.of("version", v.Model.Name) == 1 {
		desired = s.first(v, w)
	} else {
		desired = s.second(v, w)
	}
	return min(max(desired, least, 1), most)
}

// first is saturation V1.
func (s *wva) first(v *View, w *saturation) int {
	m := v.Model.Name
	n := float64(v.Ready)
	full, long := s.of("kv-threshold", m), s.of("queue-threshold", m)
	kv := w.inService / n / float64(s.servers[m].slots)
	queue := w.waiting / n
	// spares tells whether replicas with so much load each have enough to spare.
	spares := func(kv, queue float64) bool {
		return kv < full && queue < long && full-kv >= s.of("kv-spare", m) && long-queue >= s.of("queue-spare", m)
	}
	pending := v.Ready < v.Replicas
	switch {
	case pending:
		return v.Replicas
	case !spares(kv, queue):
		return v.Replicas + 1
	case v.Ready > 1 && spares(kv*n/(n-1), queue*n/(n-1)):
		return v.Replicas - 1
	}
	return v.Replicas
}

// second is saturation V2.
func (s *wva) second(v *View, w *saturation) int {
	m := v.Model.Name
	slots := float64(s.servers[m].slots)
	each := math.Min(slots*s.of("kv-threshold", m), w.observed(slots, float64(v.Ready), s.of("queue-threshold", m)))
	demand := w.inService + w.waiting
	required := demand/s.of("scale-up-threshold", m) - each*float64(v.Replicas)
	spare := each*float64(min(v.Ready, v.Replicas)) - demand/s.of("scale-down-boundary", m)
	switch {
	case required > 0:
		return v.Replicas + count(required/each)
	case spare >= each:
		return v.Replicas - int(spare/each)
	}
	return v.Replicas
}

// observed is the compute-bound capacity of one replica: what it had in service
// when its queue was saturated, else the mean of what was observed before, else its
// slots. A shorter queue tells nothing: with batches, who comes during one waits.
func (w *saturation) observed(slots, ready, saturated float64) float64 {
	if w.waiting >= saturated*ready && w.inService > 0 {
		now := w.inService / ready
		w.compute = append(w.compute, now)
		if len(w.compute) > historyOf {
			w.compute = w.compute[1:]
		}
		return now
	}
	if len(w.compute) == 0 {
		return slots
	}
	sum := 0.0
	for _, c := range w.compute {
		sum += c
	}
	return sum / float64(len(w.compute))
}
