package control

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	// exchangeAmong is among how many nodes, those that are used least, two are looked
	// for that one could replace.
	exchangeAmong = 6
	// exchangeTries is how many pairs one search asks the packer about.
	exchangeTries = 6
	// exchangeGain is how much an exchange must save from the time when the new node serves
	// until capacity bought now has earned its keep, in shares of what that node costs before.
	exchangeGain = 0.5
)

// exchange looks for two nodes whose servers fit on fewer or cheaper ones, beside what
// is free elsewhere. Fleets grow one model at a time, and so a model may sit on a GPU
// of its own of which it needs a third, and none that stands has room for it.
func (d *decider) exchange(nodes []fleet.Node) error {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n fleet.Node) bool {
		o, ok := d.settings.Catalog.Offering(n.Offering)
		return !ok || o.Purchase == fleet.Reserved // paid for, whoever uses it
	})
	used := d.usages(nodes)
	slices.SortStableFunc(used, func(a, b usage) int { return cmp.Compare(a.share, b.share) })
	used = used[:min(len(used), exchangeAmong)]
	tries := 0
	for sum := 1; sum < 2*len(used)-2; sum++ { // pairs by the sum of their ranks
		for i := 0; 2*i < sum; i++ {
			j := sum - i
			if j >= len(used) || used[i].worth+used[j].worth > max(used[i].price, used[j].price) {
				continue
			}
			if tries++; tries > exchangeTries {
				return nil
			}
			if done, err := d.replace([]fleet.Node{used[i].node, used[j].node}); done || err != nil {
				return err
			}
		}
	}
	return nil
}

// replace plans to buy what carries the servers of some nodes for less, and to drain
// these; false where nothing does. A node is paid until its minimum billing is over and its
// sessions have ended, and what is bought for as long as it must be kept, which is counted
// from then on.
func (d *decider) replace(old []fleet.Node) (bool, error) {
	lead, keep := d.horizons.lead, d.horizons.keep
	for _, n := range old {
		keep = max(keep, d.horizons.keep+d.lasting(n))
	}
	var names []string
	before, saved := d.free(), 0.0
	for _, n := range old {
		o, _ := d.settings.Catalog.Offering(n.Offering)
		names, before = append(names, string(n.ID)), before.Add(o.Price)
		paid := max(lead+d.lasting(n), n.BilledUntil.Sub(d.in.Now))
		saved += o.Price.For(max(0, keep-paid)).Float()
	}
	return d.standIn(old, d.short(d.kept(), ids(old)...), true, func(a answer) (fleet.Reason, bool) {
		starting := a.price.For(lead).Float()
		serving := -starting
		for _, n := range a.nodes() {
			serving += n.offering.Price.For(max(keep, n.offering.MinimumBilling)).Float()
		}
		why := fleet.Because(fleet.ReasonExchange, "nodes", strings.Join(names, " and "), "at", clock(d.kept().by),
			"price", before.Sub(a.price).Describe())
		return why, saved-serving > exchangeGain*starting
	})
}

// lasting is for how long what runs on a node goes on after its servers are told to drain.
func (d *decider) lasting(n fleet.Node) time.Duration {
	longest := time.Duration(0)
	for _, r := range d.onNodes()[n.ID] {
		if m, _ := d.settings.Policy.Model(r.Model); m.Profile.Sessions() {
			longest = max(longest, meanDuration(m))
		}
	}
	return longest
}

// usage is how much of a node is needed.
type usage struct {
	node         fleet.Node
	price, worth float64 // an hour: of the node, and of what is needed of it
	share        float64
}

// usages weigh what would be lacking of each model without a node, at the least price
// for which a slice carries as much.
func (d *decider) usages(nodes []fleet.Node) []usage {
	on := d.onNodes()
	rates := map[fleet.ModelName]float64{}
	out := make([]usage, len(nodes))
	for k, n := range nodes {
		o, _ := d.settings.Catalog.Offering(n.Offering)
		u := usage{node: n, price: o.Price.Hourly().Float()}
		for i, m := range d.models() {
			if !slices.ContainsFunc(on[n.ID], func(r fleet.Replica) bool { return r.Model == m.Name }) {
				continue
			}
			rest := filter(d.staying(m.Name), func(s server) bool { return s.node != n.ID })
			lacks := d.needs[i].Keep - capacity(d.sizer, m, rest)
			if lacks <= 0 {
				continue
			}
			if _, known := rates[m.Name]; !known {
				rates[m.Name] = d.leastPrice(m)
			}
			u.worth += lacks * rates[m.Name]
		}
		u.worth = min(u.worth, u.price)
		u.share = u.worth / max(u.price, 1e-9)
		out[k] = u
	}
	return out
}

// leastPrice is the least price, an hour, for which a slice carries one request or
// session a second, infinite where none does.
func (d *decider) leastPrice(m fleet.Model) float64 {
	least := math.Inf(1)
	pool := len(d.staying(m.Name))
	for _, name := range d.settings.Policy.Offerings {
		o, ok := d.settings.Catalog.Offering(name)
		if !ok {
			continue
		}
		for _, p := range profilesOf(o.GPU) {
			if _, c, ok := d.best(m, o, p, pool); ok {
				least = min(least, o.PricePerGPU().Hourly().Float()*partOf(fleet.SliceKind{GPU: o.GPU, Profile: p})/c)
			}
		}
	}
	return least
}

// partOf is the part of a GPU that a slice is, by its memory.
func partOf(kind fleet.SliceKind) float64 {
	spec, known := fleet.LookupGPU(kind.GPU)
	row, ok := spec.Profile(kind.Profile)
	if !known || !ok || spec.MemorySlices == 0 {
		return 1
	}
	return float64(row.Memory) / float64(spec.MemorySlices)
}
