package policy

import (
	"fmt"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Infeasible is the answer of Replicas where no number of replicas would do. It
// is large, so that a mistaken use asks for too much and never for nothing.
const Infeasible = math.MaxInt32

// AsyncUtilisation is the share of its best throughput that a replica of an
// asynchronous class is counted with: the rest absorbs the variation of work and
// of arrivals within a deadline.
const AsyncUtilisation = 0.9

// Sizer answers how much traffic replicas carry within their service level. It
// remembers what it computed, answers the same whatever was asked before, and may
// be kept for as long as the program runs. It is not safe for use by several
// goroutines at once.
type Sizer struct {
	works  map[float64]*work
	tables map[tableKey][]*table
}

// NewSizer makes a sizer that remembers nothing yet.
func NewSizer() *Sizer {
	return &Sizer{works: map[float64]*work{}, tables: map[tableKey][]*table{}}
}

// tableKey is what capacities depend on besides the batch times, of which it has
// a digest.
type tableKey struct {
	kind         fleet.ClassKind
	slo          fleet.SLO
	queue        fleet.Queue
	cv           float64
	interference float64
	streams      int
	sessions     float64 // their mean duration in seconds; 0 for requests
	refuses      bool
	digest       uint64
}

// table holds the capacities of one key by number of replicas.
type table struct {
	batch      []int
	seconds    []float64
	capacities map[int]float64
}

// Capacity is the largest arrival rate, in average requests a second, at which n
// replicas of the given performance keep the model's service level for its target
// share, with busy neighbours and the model's queue discipline and variation of
// work. It is zero where n is zero, and where even a lone request misses the
// service level too often. Of a model of sessions it is sessions a second.
//
// It panics on figures that Performance.Validate or Load refuse.
func (s *Sizer) Capacity(m fleet.Model, perf fleet.Performance, n int) float64 {
	if n <= 0 {
		return 0
	}
	t := s.table(m, perf)
	if known, ok := t.capacities[n]; ok {
		return known
	}
	mustBeSound(m, perf)
	answer := s.compute(m, perf, n)
	t.capacities[n] = answer
	return answer
}

// Replicas is the smallest number of replicas whose capacity is at least the
// rate: zero for no rate, Infeasible where no number would do.
//
// It panics on a rate that is not a finite number of zero or more.
func (s *Sizer) Replicas(m fleet.Model, perf fleet.Performance, rate float64) int {
	if !(rate >= 0) || math.IsInf(rate, 1) {
		panic(fmt.Sprintf("policy: rate %v of %s is not a finite number of zero or more", rate, m.Name))
	}
	if rate == 0 {
		return 0
	}
	if s.Capacity(m, perf, 1) <= 0 {
		return Infeasible
	}
	least := math.Ceil(rate / atMost(m, perf))
	if least > Infeasible/4 {
		return Infeasible
	}
	// 1. Gallop from what pure throughput needs, which is never too much.
	low, high := max(1, int(least))-1, max(1, int(least))
	for jump := 1; s.Capacity(m, perf, high) < rate; jump *= 2 {
		low, high = high, high+jump
	}
	// 2. Halve the gap: low is too few, high is enough.
	for high-low > 1 {
		middle := (low + high) / 2
		if s.Capacity(m, perf, middle) < rate {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// atMost bounds the rate that one replica of any number carries.
func atMost(m fleet.Model, perf fleet.Performance) float64 {
	if m.Profile.Sessions() {
		return float64(perf.RealTime(true)) / (m.SLO.Target * m.Profile.MeanWork)
	}
	return curveOf(perf).throughput()
}

// compute answers Capacity without memory.
func (s *Sizer) compute(m fleet.Model, perf fleet.Performance, n int) float64 {
	if m.Profile.Sessions() {
		return sessionCapacity(m, perf, n)
	}
	c := curveOf(perf)
	limit := m.SLO.Limit.Seconds()
	w := s.works[m.Profile.WorkCV]
	if w == nil {
		w = newWork(m.Profile.WorkCV)
		s.works[m.Profile.WorkCV] = w
	}
	if m.Kind == fleet.Async {
		if w.exceeds(limit/c.at(1), 1) > 1-m.SLO.Target {
			return 0
		}
		return float64(n) * c.throughput() * AsyncUtilisation
	}
	return newPool(c, w, m.Profile.Queue, n, limit).capacity(m.SLO.Target)
}

func (s *Sizer) table(m fleet.Model, perf fleet.Performance) *table {
	key := tableKey{
		kind: m.Kind, slo: m.SLO, queue: m.Profile.Queue, cv: m.Profile.WorkCV,
		interference: perf.Interference, streams: perf.Streams, digest: digest(perf),
	}
	if m.Profile.Sessions() {
		key.sessions, key.refuses = m.Profile.MeanWork, m.Profile.WhenFull == fleet.FullRefuses
	}
	for _, t := range s.tables[key] {
		if slices.Equal(t.batch, perf.Batch) && slices.Equal(t.seconds, perf.Seconds) {
			return t
		}
	}
	t := &table{
		batch: slices.Clone(perf.Batch), seconds: slices.Clone(perf.Seconds), capacities: map[int]float64{},
	}
	s.tables[key] = append(s.tables[key], t)
	return t
}

// digest is the FNV-1a hash of the batch times, a word at a time.
func digest(perf fleet.Performance) uint64 {
	h := uint64(14695981039346656037)
	for i, b := range perf.Batch {
		h = (h ^ uint64(b)) * 1099511628211
		h = (h ^ math.Float64bits(perf.Seconds[i])) * 1099511628211
	}
	return h
}

// mustBeSound panics on figures that no file could have given.
func mustBeSound(m fleet.Model, perf fleet.Performance) {
	if err := m.Profile.Check(perf); err != nil {
		panic(fmt.Sprintf("policy: performance of %s: %v", m.Name, err))
	}
	if d := m.Profile.MeanWork; m.Profile.Sessions() && !(d > 0 && d <= longestMean) {
		panic(fmt.Sprintf("policy: sessions of %s last %v s on average, must be more than nothing and at most a day", m.Name, d))
	}
	if m.SLO.Limit <= 0 || !(m.SLO.Target > 0 && m.SLO.Target < 1) {
		panic(fmt.Sprintf("policy: service level of %s is %v: the limit must be positive and the target between 0 and 1", m.Name, m.SLO))
	}
	if cv := m.Profile.WorkCV; !(cv >= 0 && cv <= maxWorkCV) {
		panic(fmt.Sprintf("policy: variation of work of %s is %v, must be between 0 and %d", m.Name, cv, maxWorkCV))
	}
}

// maxWorkCV bounds the variation of work: beyond it a mean says nothing.
const maxWorkCV = 10
