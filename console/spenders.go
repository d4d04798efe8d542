package console

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// spendersOf divides the committed rate of spending among the models: the price of a
// node by the memory slices that the replicas on it have, those that start included,
// and that of nodes without a replica in proportion to the rest. The parts add up to
// the whole, unless no model has a replica; then it stays with the fleet.
func spendersOf(s State) (map[fleet.ModelName]fleet.Rate, error) {
	snapshot := s.Record.Inputs.Snapshot
	on := make(map[fleet.NodeID][]fleet.Replica, len(snapshot.Nodes))
	for _, r := range snapshot.Replicas {
		on[r.Slice.GPU.Node] = append(on[r.Slice.GPU.Node], r)
	}
	zero := fleet.PerHour(fleet.Micros(0, s.Settings.Policy.Currency))
	out, nobody, borne := map[fleet.ModelName]fleet.Rate{}, zero, zero
	for _, m := range s.Settings.Policy.Models {
		out[m.Name] = zero
	}
	for _, n := range snapshot.Nodes {
		o, ok := s.Settings.Catalog.Offering(n.Offering)
		if !ok {
			return nil, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		weights := fleet.ModelWeights(n, on[n.ID])
		if len(weights) == 0 {
			nobody = nobody.Add(o.Price)
			continue
		}
		borne = borne.Add(o.Price)
		divide(o.Price, weights, func(w fleet.ModelWeight) int64 { return w.Slices }, func(w fleet.ModelWeight, part fleet.Rate) {
			out[w.Model] = zero.Add(out[w.Model]).Add(part)
		})
	}
	if borne.Hourly().Micros() <= 0 {
		return out, nil
	}
	names := slices.Sorted(maps.Keys(out))
	divide(nobody, names, func(m fleet.ModelName) int64 { return out[m].Hourly().Micros() }, func(m fleet.ModelName, part fleet.Rate) {
		out[m] = out[m].Add(part)
	})
	return out, nil
}

// divide splits a rate by weights of which one is positive. Parts are differences of
// rounded sums, so that they add up to the whole.
func divide[T any](whole fleet.Rate, among []T, weight func(T) int64, take func(T, fleet.Rate)) {
	var all, so int64
	weights := make([]int64, len(among))
	for i, who := range among {
		weights[i] = weight(who)
		all += weights[i]
	}
	before := whole.Sub(whole)
	for i, who := range among {
		so += weights[i]
		upTo := whole.Share(so, all)
		take(who, upTo.Sub(before))
		before = upTo
	}
}

// unitCostOf is what a thousand units of a model's work within its SLO cost at a rate
// of spending, in units of the currency; false while nothing is served or that is
// unknown, because neither is a cost of zero.
func unitCostOf(s State, m fleet.Model, rate fleet.Rate) (float64, bool) {
	signals := seen(s, m.Name)
	arrivals, known := signals.Arrivals.Read()
	attained, judged := signals.Attainment.Read()
	units := arrivals * attained * m.Profile.MeanWork * 3600
	if !known || !judged || !(units > 0) {
		return 0, false
	}
	return rate.Hourly().Float() / units * 1000, true
}

// spending is who bears how much of the committed spending an hour.
type spending struct {
	Name string     `json:"name"`
	Rate fleet.Rate `json:"per_hour"`
}

// spendingBy adds up the models' parts by a property, sorted by its name; models
// without it come together under no name.
func spendingBy[K ~string](s State, shares map[fleet.ModelName]fleet.Rate, of func(fleet.Model) K) []spending {
	sums := map[K]fleet.Rate{}
	for _, m := range s.Settings.Policy.Models {
		sums[of(m)] = sums[of(m)].Add(shares[m.Name])
	}
	out := make([]spending, 0, len(sums))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, spending{string(name), sums[name]})
	}
	return out
}
