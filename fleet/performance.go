package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Queue is how requests of a model reach its replicas.
type Queue string

// The disciplines: one queue for all replicas, or each request goes to the
// replica with the least work at its arrival.
const (
	CentralQueue Queue = "central"
	LeastLoad    Queue = "least-load"
)

// Performance is what one server of a variant does on one kind of slice, as
// measured: the time of a batch by its size, what it needs and how it starts.
type Performance struct {
	Kind         SliceKind `json:"kind"`
	Batch        []int     `json:"batch"`             // ascending batch sizes
	Seconds      []float64 `json:"seconds"`           // time of a batch of that many average requests
	Streams      int       `json:"streams,omitempty"` // most sessions, or requests, at once; 0: no limit but the batch
	MemoryMiB    int64     `json:"memory_mib"`
	Load         Delay     `json:"load"`         // weights and warm-up
	Interference float64   `json:"interference"` // share by which busy neighbours lengthen a batch
	Measured     string    `json:"measured"`     // where the figures come from, or "assumed: ..."
}

// MaxBatch is the largest batch the server takes.
func (p Performance) MaxBatch() int { return p.Batch[len(p.Batch)-1] }

// BatchSeconds is the time of a batch of n average requests: linear between the
// measured sizes. n is clamped to what was measured.
func (p Performance) BatchSeconds(n int) float64 {
	if n <= p.Batch[0] {
		return p.Seconds[0]
	}
	for i := 1; i < len(p.Batch); i++ {
		if n > p.Batch[i] {
			continue
		}
		share := float64(n-p.Batch[i-1]) / float64(p.Batch[i]-p.Batch[i-1])
		return p.Seconds[i-1] + share*(p.Seconds[i]-p.Seconds[i-1])
	}
	return p.Seconds[len(p.Seconds)-1]
}

// Throughput is the most average requests a second that the server completes,
// at the best measured batch size and without busy neighbours.
func (p Performance) Throughput() float64 {
	best := 0.0
	for i, n := range p.Batch {
		best = math.Max(best, float64(n)/p.Seconds[i])
	}
	return best
}

// Validate tells what is wrong with the figures of a server of requests, naming the
// field.
func (p Performance) Validate() error {
	if len(p.Batch) == 0 || len(p.Batch) != len(p.Seconds) {
		return fmt.Errorf("batch has %d entries and seconds %d: give one time for each batch size", len(p.Batch), len(p.Seconds))
	}
	for i := range p.Batch {
		if p.Batch[i] < 1 || i > 0 && p.Batch[i] <= p.Batch[i-1] {
			return fmt.Errorf("batch[%d] = %d: batch sizes start at 1 or more and ascend", i, p.Batch[i])
		}
		if !(p.Seconds[i] > 0) || math.IsInf(p.Seconds[i], 0) || i > 0 && p.Seconds[i] < p.Seconds[i-1] {
			return fmt.Errorf("seconds[%d] = %v: times are positive and a larger batch takes no less", i, p.Seconds[i])
		}
	}
	return p.validateNeeds()
}

// validateNeeds tells what is wrong with what a server needs, whatever it serves.
func (p Performance) validateNeeds() error {
	if p.MemoryMiB <= 0 {
		return fmt.Errorf("memory = %dMi: a server needs some", p.MemoryMiB)
	}
	if !(p.Interference >= 0 && p.Interference <= 1) {
		return fmt.Errorf("interference = %v: give the share, 0 to 1, by which busy neighbours lengthen a batch", p.Interference)
	}
	return p.Load.Validate()
}

// Variant is a build of a model with its accuracy, relative to the best build,
// and its performance by kind of slice, sorted.
type Variant struct {
	Name     VariantName   `json:"name"`
	Accuracy float64       `json:"accuracy"`
	Slices   []Performance `json:"slices"`
}

// On finds the variant's performance on a kind of slice. A kind that nobody
// measured is not there.
func (v Variant) On(kind SliceKind) (Performance, bool) {
	for _, p := range v.Slices {
		if p.Kind == kind {
			return p, true
		}
	}
	return Performance{}, false
}

// PerformanceProfile is the measured behaviour of a model's builds. Unit names
// the unit of work; an average request carries MeanWork of it, with coefficient
// of variation WorkCV. The unit of sessions is a second of media, whatever its
// name, so that MeanWork is their mean duration in seconds.
type PerformanceProfile struct {
	Name     PerformanceName `json:"name"`
	Serves   Serving         `json:"serves,omitempty"` // empty: requests
	Unit     string          `json:"unit"`
	Queue    Queue           `json:"queue"`               // of requests
	WhenFull Full            `json:"when_full,omitempty"` // of sessions
	MeanWork float64         `json:"mean_work"`
	WorkCV   float64         `json:"work_cv"`
	Variants []Variant       `json:"variants"`
}

// Sort brings variants and their slices into a fixed order.
func (p *PerformanceProfile) Sort() {
	slices.SortFunc(p.Variants, func(a, b Variant) int { return cmp.Compare(a.Name, b.Name) })
	for _, v := range p.Variants {
		slices.SortFunc(v.Slices, func(a, b Performance) int { return a.Kind.Compare(b.Kind) })
	}
}

// Variant finds a variant by name.
func (p PerformanceProfile) Variant(name VariantName) (Variant, bool) {
	for _, v := range p.Variants {
		if v.Name == name {
			return v, true
		}
	}
	return Variant{}, false
}
