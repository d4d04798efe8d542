package judge

import (
	"cmp"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// option is a way to run one replica of a model: a variant on a kind of slice of
// an offering.
type option struct {
	offering fleet.Offering
	profile  fleet.ProfileName
	variant  fleet.VariantName
	carries  float64 // average requests a second within the SLO, as one of a few
	price    float64 // of its share of the GPU's memory, an hour
}

// company is the size of the pool in which a replica's capacity is taken: more
// share their peaks, so that each carries more.
const company = 4

// options lists how a model may be run, the cheapest for what it carries first.
// On each kind of slice there is the variant that carries most.
func options(sizer *policy.Sizer, settings control.Settings, m fleet.Model) []option {
	best := map[string]option{}
	for _, name := range settings.Policy.Offerings {
		o, ok := settings.Catalog.Offering(name)
		if !ok {
			continue
		}
		for _, v := range m.Candidates() {
			for _, perf := range v.Slices {
				if perf.Kind.GPU != o.GPU || o.GPU == fleet.CPU && perf.MemoryMiB > o.MemoryMiB {
					continue
				}
				c := sizer.Capacity(m, perf, company) / company
				key := string(name) + "/" + string(perf.Kind.Profile)
				if c > 0 && c > best[key].carries {
					best[key] = option{o, perf.Kind.Profile, v.Name, c, shareOf(o, perf.Kind.Profile)}
				}
			}
		}
	}
	out := make([]option, 0, len(best))
	for _, o := range best {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b option) int {
		return cmp.Or(cmp.Compare(a.price/a.carries, b.price/b.carries), a.compare(b))
	})
	return out
}

// compare orders options by the place they take.
func (o option) compare(b option) int {
	return cmp.Or(cmp.Compare(o.offering.Name, b.offering.Name), cmp.Compare(o.profile, b.profile))
}

// replicas is how many carry a rate, at least one.
func (o option) replicas(rate float64) int {
	return max(1, int(math.Ceil(rate/o.carries-1e-9)))
}

// shareOf is what a slice costs an hour: its share of the memory of a GPU.
func shareOf(o fleet.Offering, profile fleet.ProfileName) float64 {
	price := o.PricePerGPU().Hourly().Float()
	spec, known := fleet.LookupGPU(o.GPU)
	row, there := spec.Profile(profile)
	if !known || !there {
		return price
	}
	return price * float64(row.Memory) / float64(spec.MemorySlices)
}
