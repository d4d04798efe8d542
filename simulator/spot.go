package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// notice is how long before a seller takes a spot node back it says so.
const notice = 2 * time.Minute

// lend draws for how long a seller leaves a spot node, the n-th of its offering:
// exponential, from the purchase on.
func (w *World) lend(n *node, number int) {
	perHour := n.offering.Interruptions
	if n.offering.Purchase != fleet.Spot || perHour <= 0 {
		return
	}
	hours := w.stream("spot/"+ordinal(n.Offering, number)).ExpFloat64() / perHour
	if hours > longestLoan {
		return
	}
	w.heap.push(event{at: w.now + int64(hours*float64(time.Hour)), kind: evNotice, subject: n.index})
}

// longestLoan is after every end, in hours; what is longer need not happen.
const longestLoan = 100 * 366 * 24

// noticed tells that a node will be taken: it takes nothing new from now on, and
// nobody can keep it.
func (w *World) noticed(n *node) {
	if n == nil {
		return // it was given back
	}
	n.State, n.Fixed, n.LostAt = fleet.NodeDraining, true, w.time(w.now).Add(notice)
	w.heap.push(event{at: w.now + int64(notice), kind: evTaken, subject: n.index})
}

// taken is the end of a node whose seller gave notice.
func (w *World) taken(n *node) {
	if n != nil {
		w.lose(n)
	}
}
