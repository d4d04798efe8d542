package policy

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Purse tells what may still be committed under the caps at an instant. What was
// asked for counts like what runs.
//
// Under an hour's budget a node counts with its price per hour from the wish for
// it. Under a day's or a month's it counts with what was already paid and with
// what can no longer be avoided: a node that is still starting with its price
// through the 0.95 quantile of its lead time and its minimum billing, a ready one
// through the end of its minimum billing.
//
// A budget per thousand units of work looks back instead: while the units that were
// served within their SLO cost more over the trailing day, nothing may raise the rate
// of spending. Where that cost is unknown, also because nothing was served, it holds
// nothing: holding would keep a fleet that serves nothing from ever serving.
type Purse struct {
	budgets []Budget
	spend   []fleet.Money    // committed, by budget; under one per thousand units an hour
	units   []fleet.UnitCost // by budget; of those per thousand units
	nodes   map[fleet.NodeID]holding
}

// holding is a node's part of what is committed.
type holding struct {
	price    fleet.Rate
	reserved time.Duration
	groups   []fleet.GroupWeight
}

// Overrun is a cap that what is committed exceeds already.
type Overrun struct {
	Budget Budget      `json:"budget"`
	Spend  fleet.Money `json:"spend"` // in the budget's period
	Cap    fleet.Money `json:"cap"`
}

// Reason renders the overrun as the reason of an alert.
func (o Overrun) Reason() fleet.Reason {
	return fleet.Because(fleet.ReasonOverBudget, "spend", o.Budget.Describe(o.Spend), "cap", o.Budget)
}

// NewPurse counts what the snapshot commits. A node whose offering the catalog
// does not list is an error, because it cannot be free.
func NewPurse(p Policy, c fleet.Catalog, s fleet.Snapshot) (*Purse, error) {
	purse := &Purse{budgets: p.Budgets, nodes: make(map[fleet.NodeID]holding, len(s.Nodes))}
	for _, b := range p.Budgets {
		purse.spend = append(purse.spend, fleet.Micros(0, p.Currency).Add(b.accrued(s.Spend)))
		purse.units = append(purse.units, s.Spend.UnitCost(b.Group))
	}
	on := make(map[fleet.NodeID][]fleet.Replica, len(s.Nodes))
	for _, r := range s.Replicas {
		on[r.Slice.GPU.Node] = append(on[r.Slice.GPU.Node], r)
	}
	for _, n := range s.Nodes {
		o, ok := c.Offering(n.Offering)
		if !ok {
			return nil, fmt.Errorf("count what is committed: node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		purse.add(n.ID, holding{
			price: o.Price, reserved: unavoidable(n, o, s.At),
			groups: fleet.GroupWeights(n, on[n.ID], p.Group),
		})
	}
	return purse, nil
}

// unavoidable is for how long from now a node is paid whatever is decided.
func unavoidable(n fleet.Node, o fleet.Offering, now time.Time) time.Duration {
	until := n.BilledUntil
	if n.ReadyAt.IsZero() {
		until = n.RequestedAt.Add(reserve(o))
	}
	return max(0, until.Sub(now))
}

// reserve is for how long a node that is bought now is paid at least.
func reserve(o fleet.Offering) time.Duration { return o.Lead.P95() + o.MinimumBilling }

// Allows tells whether a further node of the offering fits under every cap that
// holds or sheds, with its slices divided among the groups as given; without
// groups only the fleet pays. Where it does not, the reason names the cap.
func (p *Purse) Allows(o fleet.Offering, groups []fleet.GroupWeight) (fleet.Reason, bool) {
	for i := range p.budgets {
		if over, refused := p.refuses(i, o, groups); refused {
			return p.refusal(string(o.Name), i, over), false
		}
	}
	return fleet.Reason{}, true
}

// refuses tells whether a cap refuses a further node, and what would be committed
// against it with the node.
func (p *Purse) refuses(i int, o fleet.Offering, groups []fleet.GroupWeight) (fleet.Money, bool) {
	b := p.budgets[i]
	more := b.share(b.committed(o.Price, reserve(o)), groups)
	over := p.spend[i].Add(more)
	return over, b.Hard() && more.Micros() > 0 && p.exceeded(i, over)
}

// Refusal is a cap that refuses a further node, and the least by which it would have to
// rise to admit it, in the budget's period.
type Refusal struct {
	Budget Budget      `json:"budget"`
	Rise   fleet.Money `json:"rise"`
}

// Refusals lists the caps that refuse a further node, in the order of the policy.
func (p *Purse) Refusals(o fleet.Offering, groups []fleet.GroupWeight) []Refusal {
	var out []Refusal
	for i, b := range p.budgets {
		over, refused := p.refuses(i, o, groups)
		if !refused {
			continue
		}
		if b.Per == ThousandUnits {
			over, _ = p.units[i].Read()
		}
		out = append(out, Refusal{Budget: b, Rise: over.Sub(b.Amount)})
	}
	return out
}

// Commit counts a further node of the offering.
func (p *Purse) Commit(o fleet.Offering, groups []fleet.GroupWeight) {
	for i, b := range p.budgets {
		p.spend[i] = p.spend[i].Add(b.share(b.committed(o.Price, reserve(o)), groups))
	}
}

// exceeded tells whether a cap is, with so much committed against it.
func (p *Purse) exceeded(i int, committed fleet.Money) bool {
	b := p.budgets[i]
	if b.Per != ThousandUnits {
		return b.Amount.Less(committed)
	}
	cost, known := p.units[i].Read()
	return known && b.Amount.Less(cost)
}

// Standing is how a budget stands.
type Standing struct {
	Budget Budget      `json:"budget"`
	Spend  fleet.Money `json:"spend"` // as the budget counts; none where that is unknown
	// Unknown is why the cost of a thousand units is not known, empty where it is and
	// for other budgets.
	Unknown string `json:"unknown,omitempty"`
	// Exceeded is also true where a cap was lowered or a price rose.
	Exceeded bool `json:"exceeded"`
}

// Standings tells how every budget stands, in the order of the policy.
func (p *Purse) Standings() []Standing {
	out := make([]Standing, len(p.budgets))
	for i, b := range p.budgets {
		out[i] = Standing{Budget: b, Spend: p.spend[i], Exceeded: p.exceeded(i, p.spend[i])}
		if b.Per == ThousandUnits {
			out[i].Spend, _ = p.units[i].Read()
			out[i].Unknown = p.units[i].Unknown
		}
	}
	return out
}

// Overruns lists the caps that are exceeded already, in the order of the policy.
// An excess that comes from a lowered cap or a raised price is one, too.
func (p *Purse) Overruns() []Overrun {
	var out []Overrun
	for _, s := range p.Standings() {
		if s.Exceeded {
			out = append(out, Overrun{Budget: s.Budget, Spend: s.Spend, Cap: s.Budget.Amount})
		}
	}
	return out
}

// Blind lists the hard caps per thousand units that hold nothing, because what the
// work cost is unknown: one reason each.
func (p *Purse) Blind() []fleet.Reason {
	var out []fleet.Reason
	for _, s := range p.Standings() {
		if s.Budget.Hard() && s.Unknown != "" {
			out = append(out, fleet.Because(fleet.ReasonNoUnitCost, "cap", s.Budget, "cause", s.Unknown))
		}
	}
	return out
}

// sheds tells whether a cap that sheds is exceeded.
func (p *Purse) sheds() bool {
	for _, o := range p.Overruns() {
		if o.Budget.OnExceeded == Shed {
			return true
		}
	}
	return false
}

// refusal is the reason for which a subject is not bought.
func (p *Purse) refusal(subject string, i int, over fleet.Money) fleet.Reason {
	code, b := fleet.ReasonHeldBudget, p.budgets[i]
	if b.Per == ThousandUnits {
		code = fleet.ReasonHeldUnitCost
		over, _ = p.units[i].Read()
	}
	return fleet.Because(code, "subject", subject, "spend", b.Describe(over), "cap", b)
}

// add counts a node that is known by its id, so that it can be divided anew.
func (p *Purse) add(id fleet.NodeID, h holding) {
	p.nodes[id] = h
	for i, b := range p.budgets {
		p.spend[i] = p.spend[i].Add(b.share(b.committed(h.price, h.reserved), h.groups))
	}
}

// divide counts a node with its slices divided anew.
func (p *Purse) divide(id fleet.NodeID, groups []fleet.GroupWeight) {
	h := p.nodes[id]
	for i, b := range p.budgets {
		whole := b.committed(h.price, h.reserved)
		p.spend[i] = p.spend[i].Sub(b.share(whole, h.groups)).Add(b.share(whole, groups))
	}
	h.groups = groups
	p.nodes[id] = h
}

// allowsDivision tells whether a node's slices may be divided anew: a group whose
// cap holds may not be made to pay more than its cap.
func (p *Purse) allowsDivision(subject string, id fleet.NodeID, groups []fleet.GroupWeight) (fleet.Reason, bool) {
	h := p.nodes[id]
	for i, b := range p.budgets {
		whole := b.committed(h.price, h.reserved)
		before, after := b.share(whole, h.groups), b.share(whole, groups)
		if over := p.spend[i].Sub(before).Add(after); b.Hard() && before.Less(after) && p.exceeded(i, over) {
			return p.refusal(subject, i, over), false
		}
	}
	return fleet.Reason{}, true
}
