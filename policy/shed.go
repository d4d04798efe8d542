package policy

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Withdrawal is a replica that may be withdrawn to come back under a cap, with
// what it serves in an hour at most and what its slice costs.
type Withdrawal struct {
	Replica fleet.ReplicaID `json:"replica"`
	Model   fleet.ModelName `json:"model"`
	Value   fleet.Rate      `json:"value"`
	Price   fleet.Rate      `json:"price"`
}

// Reason is the reason of the step that withdraws the replica under an overrun.
func (w Withdrawal) Reason(o Overrun) fleet.Reason {
	return fleet.Because(fleet.ReasonShed, "spend", o.Budget.Describe(o.Spend), "cap", o.Budget,
		"model", w.Model, "value", w.Value.Describe())
}

// ShedOrder lists the replicas that a cap may withdraw, the first to go first:
// asynchronous models before streaming ones, then the least value for the money,
// then pending ones before ready ones. Every model keeps its fewest replicas, and
// a group's cap takes from its group only. How many go is for the caller to say.
//
// A model without a money value is worth what the cheapest slice that the policy
// may buy asks for the same work. A node whose offering the catalog does not list
// is an error.
func (p Policy) ShedOrder(z *Sizer, c fleet.Catalog, s fleet.Snapshot, b Budget) ([]Withdrawal, error) {
	type candidate struct {
		Withdrawal
		async   bool
		pending bool
		ratio   float64
	}
	spare := map[fleet.ModelName]int{}
	var all []candidate
	for _, r := range s.Replicas {
		m, known := p.Model(r.Model)
		if r.State == fleet.ReplicaDraining || !known || b.Group != "" && m.Group != b.Group {
			continue
		}
		if _, counted := spare[m.Name]; !counted {
			spare[m.Name] = -m.MinReplicas
		}
		spare[m.Name]++
		price, err := priceOf(r, c, s)
		if err != nil {
			return nil, fmt.Errorf("order what to shed: %w", err)
		}
		value := p.worth(z, c, s, m, r)
		all = append(all, candidate{
			Withdrawal: Withdrawal{Replica: r.ID, Model: m.Name, Value: value, Price: price},
			async:      m.Kind == fleet.Async, pending: r.State == fleet.ReplicaPending,
			ratio: value.Hourly().Float() / math.Max(price.Hourly().Float(), 1e-6),
		})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(
			first(a.async, b.async), cmp.Compare(a.ratio, b.ratio),
			first(a.pending, b.pending), cmp.Compare(a.Replica, b.Replica),
		)
	})
	var order []Withdrawal
	for _, w := range all {
		if spare[w.Model] > 0 {
			spare[w.Model]--
			order = append(order, w.Withdrawal)
		}
	}
	return order, nil
}

// first orders what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// priceOf is the price of the slice that a replica sits on: its memory slices'
// part of the node.
func priceOf(r fleet.Replica, c fleet.Catalog, s fleet.Snapshot) (fleet.Rate, error) {
	node, ok := s.Node(r.Slice.GPU.Node)
	if !ok {
		return fleet.Rate{}, fmt.Errorf("replica %s sits on node %s, which is not there", r.ID, r.Slice.GPU.Node)
	}
	o, ok := c.Offering(node.Offering)
	if !ok {
		return fleet.Rate{}, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", node.ID, node.Offering)
	}
	kind, ok := node.Kind(r.Slice)
	if !ok {
		return fleet.Rate{}, fmt.Errorf("replica %s sits on slice %s, which is not there", r.ID, r.Slice)
	}
	return slicePrice(o, kind), nil
}

// slicePrice is a slice's part of the price of a node, by memory slices.
func slicePrice(o fleet.Offering, kind fleet.SliceKind) fleet.Rate {
	part, whole := int64(1), int64(1)
	if spec, ok := fleet.LookupGPU(kind.GPU); ok {
		if row, ok := spec.Profile(kind.Profile); ok {
			part, whole = int64(row.Memory), int64(spec.MemorySlices)
		}
	}
	return o.Price.Share(part, whole*int64(o.GPUs))
}

// worth is the value of what a replica serves in an hour at its capacity; zero
// where nobody measured the model there.
func (p Policy) worth(z *Sizer, c fleet.Catalog, s fleet.Snapshot, m fleet.Model, r fleet.Replica) fleet.Rate {
	none := fleet.PerHour(fleet.Micros(0, p.Currency))
	kind, ok := s.KindOf(r)
	if !ok {
		return none
	}
	v, _ := m.Profile.Variant(r.Variant)
	perf, ok := v.On(kind)
	if !ok {
		return none
	}
	hourly := z.Capacity(m, perf, 1) * 3600
	return fleet.PerHour(fleet.Micros(int64(math.Min(p.Worth(z, c, m)*hourly, 1e15)), p.Currency))
}

// cheapest is the least that a request of the model costs, in millionths, on a
// slice that the policy may buy; zero where there is none.
func (p Policy) cheapest(z *Sizer, c fleet.Catalog, m fleet.Model) float64 {
	least := math.Inf(1)
	for _, v := range m.Candidates() {
		for _, perf := range v.Slices {
			hourly := z.Capacity(m, perf, 1) * 3600
			for _, o := range c.Offerings {
				if hourly > 0 && p.Buys(o.Name) && offers(o, perf) {
					least = math.Min(least, float64(slicePrice(o, perf.Kind).Hourly().Micros())/hourly)
				}
			}
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// offers tells whether a node of the offering has slices of the kind that the
// performance was measured on, with the memory it needs.
func offers(o fleet.Offering, perf fleet.Performance) bool {
	if o.GPU != perf.Kind.GPU {
		return false
	}
	return o.GPU != fleet.CPU || o.MemoryMiB >= perf.MemoryMiB
}
