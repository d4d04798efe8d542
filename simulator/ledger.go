package simulator

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// ledger is the money of the whole world by group: since the start, in the
// current day and in the current month.
type ledger struct {
	currency          fleet.Currency
	groups            []fleet.GroupName // of all models, sorted; "" is the group of those without one
	total, day, month tally
}

// tally is money by group. What falls to nobody (the price of nodes without a
// replica) is kept apart and shared in proportion only where it is read.
type tally struct {
	groups []fleet.Money
	nobody fleet.Money
}

func newLedger(models []fleet.Model, c fleet.Currency) ledger {
	l := ledger{currency: c}
	for _, m := range models {
		l.groups = append(l.groups, m.Group)
	}
	slices.Sort(l.groups)
	l.groups = slices.Compact(l.groups)
	l.total, l.day, l.month = l.empty(), l.empty(), l.empty()
	return l
}

func (l *ledger) empty() tally {
	t := tally{groups: make([]fleet.Money, len(l.groups)), nobody: fleet.Micros(0, l.currency)}
	for i := range t.groups {
		t.groups[i] = fleet.Micros(0, l.currency)
	}
	return t
}

func (l *ledger) clone() ledger {
	c := *l
	for _, t := range []*tally{&c.total, &c.day, &c.month} {
		t.groups = slices.Clone(t.groups)
	}
	return c
}

// pay divides an amount among those who share a node.
func (l *ledger) pay(amount fleet.Money, payers []fleet.GroupWeight) {
	if len(payers) == 0 {
		for _, t := range []*tally{&l.total, &l.day, &l.month} {
			t.nobody = t.nobody.Add(amount)
		}
		return
	}
	weights := make([]int64, len(payers))
	for i, p := range payers {
		weights[i] = p.Slices
	}
	for i, part := range split(amount, weights) {
		g, _ := slices.BinarySearch(l.groups, payers[i].Group)
		for _, t := range []*tally{&l.total, &l.day, &l.month} {
			t.groups[g] = t.groups[g].Add(part)
		}
	}
}

// borne is what falls to the groups themselves.
func (t *tally) borne() fleet.Money {
	sum := fleet.Micros(0, t.nobody.Currency())
	for _, g := range t.groups {
		sum = sum.Add(g)
	}
	return sum
}

// sum is everything that was paid.
func (t *tally) sum() fleet.Money { return t.borne().Add(t.nobody) }

// shares is what each group pays: its own, and of what falls to nobody as much
// as of the rest. They add up to everything that was paid, unless no group bears
// anything; then all of it stays with the fleet.
func (t *tally) shares() []fleet.Money {
	out := slices.Clone(t.groups)
	if t.borne().IsZero() {
		return out
	}
	weights := make([]int64, len(out))
	for i, g := range out {
		weights[i] = g.Micros()
	}
	for i, part := range split(t.nobody, weights) {
		out[i] = out[i].Add(part)
	}
	return out
}

// split divides an amount in proportion to weights of which one is positive. Each
// part is the difference of two rounded sums, so that the parts add up to the
// amount and each is right to a millionth.
func split(amount fleet.Money, weights []int64) []fleet.Money {
	var all, so int64
	for _, g := range weights {
		all += g
	}
	parts := make([]fleet.Money, len(weights))
	before := fleet.Micros(0, amount.Currency())
	for i, g := range weights {
		so += g
		upTo := amount.Share(so, all)
		parts[i] = upTo.Sub(before)
		before = upTo
	}
	return parts
}
