package simulator

import (
	"maps"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// bill is what a node costs. It is paid from the wish for it to its return, or
// to the end of its minimum billing where that is later.
type bill struct {
	rate    fleet.Rate
	from    int64 // when it was asked for
	settled int64 // in the ledger up to here
	paid    fleet.Money
	stakes  []stake // whose it is at present
}

func newBill(rate fleet.Rate, now int64) *bill {
	return &bill{rate: rate, from: now, settled: now, paid: fleet.Micros(0, rate.Hourly().Currency())}
}

// due is what is owed from the time up to which a bill is settled to another. Dues
// are differences of one rounded sum, so that they add up to the node's rate times
// its life, however many there are.
func (b *bill) due(until int64) fleet.Money {
	return b.rate.For(time.Duration(until - b.from)).Sub(b.rate.For(time.Duration(b.settled - b.from)))
}

// bills calls f with every bill that is still open: those of the nodes that are
// bought, and those of the reserved ones.
func (w *World) bills(f func(*bill)) {
	for _, n := range w.live {
		if n.reserved == nil {
			f(n.bill)
		}
	}
	for _, r := range w.reserved {
		f(r.bill)
	}
}

// settle puts what a node has cost into the ledger. It is called where its money
// begins to fall to others: when a replica comes or goes, at midnight and at the
// end of its life, and never because somebody looks: the shares of the models are
// rounded each time.
func (w *World) settle(b *bill) { w.settleUntil(b, w.now) }

func (w *World) settleUntil(b *bill, until int64) {
	amount := b.due(until)
	b.settled = until
	b.paid = b.paid.Add(amount)
	w.ledger.pay(amount, b.stakes)
}

// end takes a node out of the world, which is paid until an instant: that falls to
// nobody after now. Of what is gone, only the sums are kept.
func (w *World) end(n *node, paidUntil int64) {
	w.settle(n.bill)
	if n.reserved != nil {
		paidUntil = w.now // the rest of its bill is not the node's
		w.vacate(n.reserved)
	} else {
		n.bill.stakes = nil
		w.settleUntil(n.bill, max(paidUntil, w.now))
		w.ended.paid = w.ended.paid.Add(n.bill.paid)
	}
	w.ended.gpus.enter(n, max(paidUntil, w.now))
	w.nodes[n.index], w.byNode[n.ID] = nil, nil
	w.live = without(w.live, n)
}

// ended sums up the nodes that are gone.
type ended struct {
	paid fleet.Money // for those that were not reserved
	gpus gpuAccount
}

// divide finds out who shares a node from now on.
func (w *World) divide(n *node) {
	on := make([]fleet.Replica, len(n.replicas))
	for i, r := range n.replicas {
		on[i] = fleet.Replica{Model: r.model.Name, Slice: r.slice}
	}
	group := func(name fleet.ModelName) fleet.GroupName { return w.byModel[name].Group }
	n.bill.stakes = w.ledger.stakes(fleet.ModelWeights(n.Node, on), group)
}

// midnight closes the account of the day, and of the month on its last day.
func (w *World) midnight() {
	w.bills(w.settle)
	w.ledger.day = w.ledger.empty()
	if w.time(w.now).UTC().Day() == 1 {
		w.ledger.month = w.ledger.empty()
	}
	w.scheduleMidnight()
}

// scheduleMidnight puts the next end of a UTC day into the heap.
func (w *World) scheduleMidnight() {
	w.heap.push(event{at: int64(nextDay(w.time(w.now)).Sub(w.start)), kind: evMidnight})
}

// nextDay is the midnight, UTC, that ends the day of an instant.
func nextDay(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, time.UTC)
}

// nextMonth is the midnight, UTC, that ends the month of an instant.
func nextMonth(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// accounts is the ledger as if every bill had been settled now.
func (w *World) accounts() ledger {
	l := w.ledger.clone()
	w.bills(func(b *bill) { l.pay(b.due(w.now), b.stakes) })
	return l
}

// spend is the account of the current day and month for a snapshot.
func (w *World) spend() fleet.Spend {
	l := w.accounts()
	out := fleet.Spend{Day: l.day.sum(), Month: l.month.sum()}
	day, month := by(&l, &l.day, groupOf), by(&l, &l.month, groupOf)
	for _, g := range slices.Sorted(maps.Keys(day)) {
		out.Groups = append(out.Groups, fleet.GroupSpend{Group: g, Day: day[g], Month: month[g]})
	}
	return out
}

// shared is what the models bear of the whole bill, and the bill: the same to the
// millionth, unless nothing was ever anybody's.
func (w *World) shared() (models, all fleet.Money) {
	l := w.accounts()
	all = l.total.sum()
	if l.total.borne().IsZero() {
		return all, all
	}
	models = fleet.Micros(0, l.currency)
	for _, share := range l.total.shares() {
		models = models.Add(share)
	}
	return models, all
}
