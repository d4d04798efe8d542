package clairvoyant

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/policy"
)

// mostKinds is how many kinds of slice a mix can count, and mostPlanned how many
// nodes a fleet may have at most: every change of each is looked at.
const (
	mostKinds   = 8
	mostPlanned = 100
)

// mix counts the servers of a model by kind of slice.
type mix [mostKinds]uint16

// server is what one replica of a model does on a kind of slice.
type server struct {
	variant  fleet.VariantName
	perBatch []float64 // seconds of a batch of i+1 average requests, beside busy neighbours
	pace     float64   // seconds a request at best, as the world routes by it
	load     fleet.Delay
}

// geometry is a way to cut a GPU: the slices and their kinds.
type geometry struct {
	cut   fleet.Geometry
	kinds []int
}

// shop is what is bought, and how every model runs on it.
type shop struct {
	offering   fleet.Offering
	price      float64 // of a node, an hour
	most       int     // nodes at a time
	kinds      []fleet.ProfileName
	geometries []geometry
	servers    [][]*server // by model and kind; nil where it cannot run
}

// ErrNotPlannable tells that a fleet is not one that this planner plans: it buys nodes
// of one GPU on which every model runs, no more than a hundred, and knows no sessions.
var ErrNotPlannable = errors.New("foresight plans requests on a hundred nodes at most, of one GPU that serves every model, and nothing else")

// newShop takes the offering of one GPU a node on which all models run and which
// has the most throughput for its price, in the mean over models.
func newShop(s control.Settings) (*shop, error) {
	if slices.ContainsFunc(s.Policy.Models, func(m fleet.Model) bool { return m.Profile.Sessions() }) {
		return nil, ErrNotPlannable
	}
	var best *shop
	least := 0.0
	for _, name := range s.Policy.Offerings {
		o, ok := s.Catalog.Offering(name)
		if !ok || o.GPUs != 1 || o.Limit < 1 || o.GPU == fleet.CPU {
			continue
		}
		at, score := shopOf(s, o)
		if at != nil && (best == nil || score < least) {
			best, least = at, score
		}
	}
	if best == nil {
		return nil, ErrNotPlannable
	}
	best.most = mostNodes(s.Policy, best.offering)
	if best.most < 1 {
		return nil, fmt.Errorf("%w: the caps of the policy leave no room for one %s", ErrNotPlannable, best.offering.Name)
	}
	if best.most > mostPlanned {
		return nil, fmt.Errorf("%w: up to %d of %s may be bought", ErrNotPlannable, best.most, best.offering.Name)
	}
	return best, nil
}

// shopOf makes the shop of an offering, nil where a model does not run on it, and
// answers the price of a unit of throughput, relative between offerings.
func shopOf(s control.Settings, o fleet.Offering) (*shop, float64) {
	spec, known := fleet.LookupGPU(o.GPU)
	if !known {
		return nil, 0
	}
	out := &shop{offering: o, price: o.Price.Hourly().Float()}
	var rows []fleet.ProfileName
	for _, row := range spec.Profiles {
		rows = append(rows, row.Name)
	}
	for _, profile := range append(rows, fleet.WholeGPU) {
		kind := fleet.SliceKind{GPU: o.GPU, Profile: profile}
		if slices.ContainsFunc(s.Policy.Models, func(m fleet.Model) bool { return serverOn(m, kind) != nil }) {
			out.kinds = append(out.kinds, profile)
		}
	}
	if len(out.kinds) > mostKinds {
		return nil, 0
	}
	score := 0.0
	for _, m := range s.Policy.Models {
		list := make([]*server, len(out.kinds))
		fastest := 0.0
		for k, profile := range out.kinds {
			if list[k] = serverOn(m, fleet.SliceKind{GPU: o.GPU, Profile: profile}); list[k] != nil {
				row, _ := spec.Profile(profile)
				fastest = max(fastest, float64(spec.MemorySlices)/float64(row.Memory)/list[k].pace)
			}
		}
		if fastest == 0 {
			return nil, 0
		}
		score += out.price / fastest
		out.servers = append(out.servers, list)
	}
	for _, cut := range append(packing.Maximal(spec, without(out.kinds, fleet.WholeGPU)...), fleet.Geometry{{Profile: fleet.WholeGPU}}) {
		g := geometry{cut: cut}
		for _, p := range cut {
			g.kinds = append(g.kinds, slices.Index(out.kinds, p.Profile))
		}
		if len(cut) > 0 && !slices.Contains(g.kinds, -1) {
			out.geometries = append(out.geometries, g)
		}
	}
	return out, score
}

func without(list []fleet.ProfileName, one fleet.ProfileName) []fleet.ProfileName {
	return slices.DeleteFunc(slices.Clone(list), func(p fleet.ProfileName) bool { return p == one })
}

// serverOn is the variant of a model that is fastest on a kind of slice, nil where
// none that is accurate enough was measured.
func serverOn(m fleet.Model, kind fleet.SliceKind) *server {
	var best *server
	for _, v := range m.Candidates() {
		perf, ok := v.On(kind)
		if !ok {
			continue
		}
		most := perf.MaxBatch()
		if perf.Streams > 0 {
			most = min(most, perf.Streams)
		}
		s := &server{variant: v.Name, load: perf.Load}
		for n := 1; n <= most; n++ {
			seconds := perf.BatchSeconds(n)
			if pace := seconds / float64(n); n == 1 || pace < s.pace {
				s.pace = pace
			}
			if kind.Profile != fleet.WholeGPU {
				seconds *= 1 + perf.Interference
			}
			s.perBatch = append(s.perBatch, seconds)
		}
		if best == nil || s.pace < best.pace {
			best = s
		}
	}
	return best
}

// mostNodes is how many nodes the offering's limit and the hard caps on the rate of
// spending allow.
func mostNodes(p policy.Policy, o fleet.Offering) int {
	most := o.Limit
	for _, b := range p.Budgets {
		if b.Per == policy.Hour && b.Hard() && b.Group == "" && o.Price.Hourly().Micros() > 0 {
			most = min(most, int(b.Amount.Micros()/o.Price.Hourly().Micros()))
		}
	}
	return most
}

// loadBy is how long the weights of a model take on a kind of slice in 19 of 20
// cases.
func (s *shop) loadBy(model, kind int) time.Duration {
	d := s.servers[model][kind].load
	return max(d.P50, d.P95)
}

// slowest is the longest such time of all.
func (s *shop) slowest() time.Duration {
	longest := time.Duration(0)
	for m, list := range s.servers {
		for k, at := range list {
			if at != nil {
				longest = max(longest, s.loadBy(m, k))
			}
		}
	}
	return longest
}

// more tells how a mix with one server more, or less, of a kind looks.
func (m mix) more(kind, by int) mix {
	m[kind] = uint16(int(m[kind]) + by)
	return m
}

// count is how many servers a mix has.
func (m mix) count() int {
	n := 0
	for _, c := range m {
		n += int(c)
	}
	return n
}
