package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// bill is what a node costs. It is paid from the wish for it to its return, or
// to the end of its minimum billing where that is later.
type bill struct {
	from    int64 // when it was asked for
	settled int64 // in the ledger up to here
	paid    fleet.Money
	payers  []fleet.GroupWeight // who shares it at present
}

func newBill(now int64, c fleet.Currency) bill {
	return bill{from: now, settled: now, paid: fleet.Micros(0, c)}
}

// due is what a node costs from the time up to which its bill is settled to
// another. Dues are differences of one rounded sum, so that they add up to the
// node's rate times its life, however many there are.
func (n *node) due(until int64) fleet.Money {
	rate := n.offering.Price
	return rate.For(time.Duration(until - n.bill.from)).Sub(rate.For(time.Duration(n.bill.settled - n.bill.from)))
}

// settle puts what a node has cost into the ledger. It is called where its money
// begins to fall to others: when a replica comes or goes, at midnight and at the
// end of its life, and never because somebody looks: the shares of the groups are
// rounded each time.
func (w *World) settle(n *node) { w.settleUntil(n, w.now) }

func (w *World) settleUntil(n *node, until int64) {
	amount := n.due(until)
	n.bill.settled = until
	n.bill.paid = n.bill.paid.Add(amount)
	w.ledger.pay(amount, n.bill.payers)
}

// closeBill settles a node's bill for good, with what the minimum billing asks
// beyond its life. That falls to nobody: the node is empty.
func (w *World) closeBill(n *node) {
	w.settle(n)
	if end := n.bill.from + int64(n.offering.MinimumBilling); end > w.now {
		w.settleUntil(n, end)
	}
}

// divide finds out who shares a node from now on.
func (w *World) divide(n *node) {
	on := make([]fleet.Replica, len(n.replicas))
	for i, r := range n.replicas {
		on[i] = fleet.Replica{Model: r.model.Name, Slice: r.slice}
	}
	n.bill.payers = fleet.GroupWeights(n.Node, on, func(name fleet.ModelName) fleet.GroupName { return w.byModel[name].Group })
}

// midnight closes the account of the day, and of the month on its last day.
func (w *World) midnight() {
	for _, n := range w.live {
		w.settle(n)
	}
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
	for _, n := range w.live {
		l.pay(n.due(w.now), n.bill.payers)
	}
	return l
}

// spend is the account of the current day and month for a snapshot.
func (w *World) spend() fleet.Spend {
	l := w.accounts()
	out := fleet.Spend{Day: l.day.sum(), Month: l.month.sum(), Groups: make([]fleet.GroupSpend, len(l.groups))}
	day, month := l.day.shares(), l.month.shares()
	for i, g := range l.groups {
		out.Groups[i] = fleet.GroupSpend{Group: g, Day: day[i], Month: month[i]}
	}
	return out
}
