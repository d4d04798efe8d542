package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// audit judges from outside whether a controller keeps the hard caps of a
// policy. It shares no code with the guard that is to keep them, and knows what
// the guard can only estimate: the world's own bills.
//
// What is committed against a cap is what cannot be avoided any more:
//
//   - per hour, the price of every node that runs or was asked for;
//   - per day or month, what was paid in it so far, and what every node will
//     still cost in it through the end of its minimum billing.
//
// A cap per thousand units is not judged: what was served within its SLO is told by
// signals, which the guard sees rounded to minutes and the world does not, so that at
// the cap one of the two would be wrong about the other.
//
// Of a group's cap, a node counts with the part of the memory slices in use that
// replicas of the group hold; what was paid falls to groups as in every result.
//
// A tick violates a hard cap when after it more is committed than the cap
// allows, and less would be without the nodes it bought and the replicas it
// started. That spending passes a cap because time goes by, because a neighbour
// left a shared node, or because a cap was lowered, is no violation: nothing that
// runs is cut to cure it.
type audit struct {
	world           *World
	caps            []policy.Budget
	nodes, replicas int // how many there had been before the tick
}

func newAudit(w *World, p policy.Policy) *audit {
	a := &audit{world: w}
	for _, b := range p.Budgets {
		if b.Hard() && b.Per != policy.ThousandUnits {
			a.caps = append(a.caps, b)
		}
	}
	return a
}

// before is called right before a tick.
func (a *audit) before() { a.nodes, a.replicas = len(a.world.nodes), len(a.world.replicas) }

// after is called right after a tick and counts the caps that it violated.
func (a *audit) after() int {
	w := a.world
	if len(a.caps) == 0 || len(w.nodes) == a.nodes && len(w.replicas) == a.replicas {
		return 0
	}
	spent := w.spend()
	violated := 0
	for _, b := range a.caps {
		committed, without := paid(b, spent), paid(b, spent)
		for _, n := range w.live {
			price := w.unavoidable(n, b.Per)
			committed = committed.Add(part(price, n, b.Group, len(w.replicas)))
			if int(n.index) < a.nodes {
				without = without.Add(part(price, n, b.Group, a.replicas))
			}
		}
		if b.Amount.Less(committed) && without.Less(committed) {
			violated++
		}
	}
	return violated
}

// paid is what was spent against a cap in its period.
func paid(b policy.Budget, s fleet.Spend) fleet.Money {
	day, month := s.Day, s.Month
	if b.Group != "" {
		day, month = fleet.Money{}, fleet.Money{}
		for _, g := range s.Groups {
			if g.Group == b.Group {
				day, month = g.Day, g.Month
			}
		}
	}
	switch b.Per {
	case policy.Day:
		return day
	case policy.Month:
		return month
	}
	return fleet.Money{}
}

// unavoidable is what a node will still cost in the period, whatever is decided;
// its price per hour where the cap is one of the rate.
func (w *World) unavoidable(n *node, per policy.Period) fleet.Money {
	now := w.time(w.now)
	end := n.BilledUntil
	switch per {
	case policy.Day:
		end = earlier(end, nextDay(now))
	case policy.Month:
		end = earlier(end, nextMonth(now))
	default:
		return n.offering.Price.Hourly()
	}
	return n.offering.Price.For(max(0, end.Sub(now)))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// part is what of a node's money falls to a group, as if only the replicas with
// an index below so many were on it. The group "" stands for the whole fleet.
func part(m fleet.Money, n *node, group fleet.GroupName, below int) fleet.Money {
	if group == "" {
		return m
	}
	var own, all int64
	for _, r := range n.replicas {
		if int(r.index) >= below {
			continue
		}
		size := r.memorySlices()
		all += size
		if r.model.Group == group {
			own += size
		}
	}
	if own == 0 {
		return fleet.Micros(0, m.Currency())
	}
	return m.Share(own, all)
}

// memorySlices is how much of its GPU a replica holds; all of a node without one.
func (r *replica) memorySlices() int64 {
	kind, _ := r.node.Kind(r.slice)
	if spec, ok := fleet.LookupGPU(kind.GPU); ok {
		if row, ok := spec.Profile(kind.Profile); ok {
			return int64(row.Memory)
		}
	}
	return 1
}
