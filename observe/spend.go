package observe

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
)

// accrue is what was paid in the current day and month, UTC: what the ledger says up
// to the instant at which it was written, and since then the price of the nodes that
// are there, each from the wish for it at the earliest. So time in which nobody
// looked is counted for what is still there. A ledger that never counted begins now.
func accrue(v cluster.View, s control.Settings, now time.Time) fleet.Spend {
	from := v.Ledger.SpentAt
	if from.IsZero() {
		from = now
	}
	a := account{from: from, now: now, currency: s.Catalog.Currency}
	a.carry(v.Ledger.Spend)
	for _, n := range v.Nodes {
		o, priced := s.Catalog.Offering(n.Offering)
		if !priced {
			continue // a view shows none such
		}
		a.pay(n, o.Price, fleet.GroupWeights(n, v.Replicas, s.Policy.Group))
	}
	return a.spend
}

// account is what was paid, in the making.
type account struct {
	from, now time.Time // the part of time that is added
	currency  fleet.Currency
	spend     fleet.Spend
}

// carry takes over what was paid before in the day and month that are still the
// current ones.
func (a *account) carry(before fleet.Spend) {
	nothing := fleet.Micros(0, a.currency)
	sameDay, sameMonth := !a.from.Before(dayOf(a.now)), !a.from.Before(monthOf(a.now))
	keep := func(m fleet.Money, same bool) fleet.Money {
		if !same || m.Currency() != "" && m.Currency() != a.currency { // in another currency than today's prices
			return nothing
		}
		return nothing.Add(m)
	}
	a.spend = fleet.Spend{Day: keep(before.Day, sameDay), Month: keep(before.Month, sameMonth)}
	for _, g := range before.Groups {
		day, month := keep(g.Day, sameDay), keep(g.Month, sameMonth)
		if !month.IsZero() || !day.IsZero() {
			a.spend.Groups = append(a.spend.Groups, fleet.GroupSpend{Group: g.Group, Day: day, Month: month})
		}
	}
	slices.SortFunc(a.spend.Groups, func(x, y fleet.GroupSpend) int { return cmp.Compare(x.Group, y.Group) })
}

// pay adds what a node cost. Nobody but the fleet pays for one without replicas.
func (a *account) pay(n fleet.Node, rate fleet.Rate, payers []fleet.GroupWeight) {
	day, month := a.due(n, rate, dayOf(a.now)), a.due(n, rate, monthOf(a.now))
	a.spend.Day, a.spend.Month = a.spend.Day.Add(day), a.spend.Month.Add(month)
	total, before := int64(0), int64(0)
	for _, p := range payers {
		total += p.Slices
	}
	for _, p := range payers {
		g := a.group(p.Group)
		// Parts are differences of rounded sums, so that they add up to the whole.
		g.Day = g.Day.Add(day.Share(before+p.Slices, total).Sub(day.Share(before, total)))
		g.Month = g.Month.Add(month.Share(before+p.Slices, total).Sub(month.Share(before, total)))
		before += p.Slices
	}
}

// due is what a node cost since the account was written, but not before an instant.
// Dues are differences of one rounded sum, so that many small ones add up to the
// node's rate times its life.
func (a *account) due(n fleet.Node, rate fleet.Rate, notBefore time.Time) fleet.Money {
	since := n.RequestedAt
	begin := latest(since, a.from, notBefore)
	if !begin.Before(a.now) {
		return fleet.Micros(0, a.currency)
	}
	return rate.For(a.now.Sub(since)).Sub(rate.For(begin.Sub(since)))
}

// group finds a group's part; it may be changed in place.
func (a *account) group(name fleet.GroupName) *fleet.GroupSpend {
	i, found := slices.BinarySearchFunc(a.spend.Groups, name, func(g fleet.GroupSpend, n fleet.GroupName) int { return cmp.Compare(g.Group, n) })
	if !found {
		nothing := fleet.Micros(0, a.currency)
		a.spend.Groups = slices.Insert(a.spend.Groups, i, fleet.GroupSpend{Group: name, Day: nothing, Month: nothing})
	}
	return &a.spend.Groups[i]
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// dayOf is the midnight, UTC, that began the day of an instant.
func dayOf(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// monthOf is the midnight, UTC, that began the month of an instant.
func monthOf(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}
