package control

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Pacing is how a day's or a month's hard cap is spent.
type Pacing struct {
	Budget policy.Budget `json:"budget"`
	// Price is the shadow price of the cap: the value that a unit of money brings where it
	// is spent. Work that brings less gives way. Zero where the money lasts for all.
	Price  float64           `json:"price"`
	Yields []fleet.ModelName `json:"yields,omitempty"` // models that give way, in the order in which they did
	// Wanted is what would be spent by the end of the period if nothing gave way.
	Wanted fleet.Money `json:"wanted"`
	// Paid and Priced are money of the last day, recent money counting more: what was paid,
	// and what it should have cost by demand and the cheapest slices. Nodes are sold whole,
	// and need is more than the mean.
	Paid    float64   `json:"paid"`
	Priced  float64   `json:"priced"`
	At      time.Time `json:"at"`               // of the newest look
	Changed time.Time `json:"changed,omitzero"` // when models were last added or taken away
}

const (
	// paceEvery and resumeEvery are the least times between two changes within a day: models
	// give way, or serve again, one after the other, and these not as soon.
	paceEvery, resumeEvery = 5 * time.Minute, 15 * time.Minute
	// paidMemory is the half-life of what was paid and priced.
	paidMemory = 24 * time.Hour
	// paidPrior is what fleets cost over the price of their mean demand before that was
	// seen, and paidPriorFor for how long of the mean rate of the day it speaks: a night, in
	// which little is asked and something always runs, says little of the day.
	paidPrior, paidPriorFor = 1.25, 12 * time.Hour
)

// overhead is what was paid for each unit of money by which demand is priced.
func (p Pacing) overhead(rate float64) float64 {
	weight := rate * paidPriorFor.Hours()
	if p.Priced+weight <= 0 {
		return paidPrior
	}
	return min(max((p.Paid+paidPrior*weight)/(p.Priced+weight), 1), 4)
}

// sameCap tells whether a pacing goes on under a cap whose amount may have changed.
func (p Pacing) sameCap(b policy.Budget) bool {
	return p.Budget.Per == b.Per && p.Budget.Group == b.Group && p.Budget.OnExceeded == b.OnExceeded
}

// pacedBy finds a cap for whose sake a model gives way.
func (m Memory) pacedBy(model fleet.ModelName) (policy.Budget, bool) {
	for _, p := range m.Pacings {
		if slices.Contains(p.Yields, model) {
			return p.Budget, true
		}
	}
	return policy.Budget{}, false
}

// pace takes the needs of the least valuable models away where the money of a day or a
// month would not last for all, so that it lasts for the others. What they had is stopped
// down to their fewest replicas like any other surplus.
func (d *decider) pace() error {
	if d.in.Pace == Planning {
		if err := d.lookAtCaps(); err != nil {
			return err
		}
	}
	d.gives = map[fleet.ModelName]fleet.Reason{}
	for _, p := range d.memory.Pacings {
		for _, name := range p.Yields {
			if _, told := d.gives[name]; !told {
				d.gives[name] = d.giving(p, name)
			}
		}
	}
	for i := range d.needs {
		n := &d.needs[i]
		if _, gives := d.gives[n.Model]; gives {
			n.Shed += n.Lead
			n.Now, n.Lead, n.Keep = 0, 0, 0
		}
	}
	return nil
}

// giving is the reason for which a model gives way.
func (d *decider) giving(p Pacing, name fleet.ModelName) fleet.Reason {
	m, _ := d.settings.Policy.Model(name)
	over := fleet.Micros(max(0, p.Wanted.Sub(p.Budget.Amount).Micros()), p.Wanted.Currency())
	return fleet.Because(fleet.ReasonPaced, "cap", p.Budget, "spend", over.Describe(),
		"until", p.Budget.End(d.in.Now).Format("2 Jan 15:04"), "model", name, "value", worthOf(m))
}

// paced lists the reasons of what gives way, in the order of the policy.
func (d *decider) paced() []fleet.Reason {
	var out []fleet.Reason
	for _, m := range d.models() {
		if why, gives := d.gives[m.Name]; gives {
			out = append(out, why)
		}
	}
	return out
}

// lookAtCaps looks anew at what gives way under every cap that is paced. While it is not
// known in full what was spent, or nothing is expected, all stays as it is.
func (d *decider) lookAtCaps() error {
	before := d.memory.Pacings
	d.memory.Pacings = nil
	if d.in.Outlook != nil {
		d.memory.Outlook = d.in.Outlook
	}
	for _, b := range d.settings.Policy.Budgets {
		if !b.Paced() {
			continue
		}
		p := Pacing{Budget: b}
		if i := slices.IndexFunc(before, func(p Pacing) bool { return p.sameCap(b) }); i >= 0 {
			p = before[i]
			p.Budget = b
		}
		p.Yields = slices.DeleteFunc(slices.Clone(p.Yields), func(name fleet.ModelName) bool {
			m, known := d.settings.Policy.Model(name)
			return !known || !concerns(b, m)
		})
		if _, doubt := d.in.Snapshot.MoneyDoubt(); !doubt && d.memory.Outlook != nil {
			var err error
			if p, err = d.look(p); err != nil {
				return err
			}
		}
		d.memory.Pacings = append(d.memory.Pacings, p)
	}
	if len(d.memory.Pacings) == 0 {
		d.memory.Outlook = nil
	}
	return nil
}

// look counts what was paid since the look before, and chooses what gives way.
func (d *decider) look(p Pacing) (Pacing, error) {
	now := d.in.Now
	// 1. What demand costs by its price, and what a fleet costs over that.
	models := d.priced(p.Budget)
	paid, err := rateOf(d.settings, d.in.Snapshot, p.Budget.Group)
	if err != nil {
		return p, err
	}
	rate := 0.0 // of what is served
	for _, m := range models {
		rate += m.at(m.hours[0], slices.Contains(p.Yields, m.model.Name))
	}
	if span := now.Sub(p.At); span > 0 && span <= time.Hour {
		fade := math.Exp2(-float64(span) / float64(paidMemory))
		p.Paid = rounded(p.Paid*fade + paid.Hourly().Float()*span.Hours())
		p.Priced = rounded(p.Priced*fade + rate*span.Hours())
	}
	fresh := p.At.IsZero() || !tomorrow(p.At).Equal(tomorrow(now))
	p.At = now

	// 2. What is left of today, and what today may cost.
	claims, later := d.claims(models, p)
	earlier, spent := p.Budget.Today(d.in.Snapshot.Spend)
	today := spent
	for _, c := range claims {
		today = today.Add(c.Cost)
	}
	p.Wanted = earlier.Add(today).Add(later)
	allowed := policy.Allowance(p.Budget, earlier, today, later)

	// 3. What gives way. A new day begins with what it can bear, whatever gave way before.
	if fresh {
		p.Yields, p.Changed = policy.GiveWay(claims, spent, allowed, nil), now
	} else if next := oneStep(p.Yields, policy.GiveWay(claims, spent, allowed, p.Yields), now.Sub(p.Changed)); len(next) != len(p.Yields) {
		p.Yields, p.Changed = next, now
	}
	p.Price = policy.ShadowPrice(claims, p.Yields)
	return p, nil
}

// tomorrow is when the day ends, UTC.
func tomorrow(now time.Time) time.Time { return policy.Budget{Per: policy.Day}.End(now) }

// oneStep moves what gives way one model towards what should, so long after the last step:
// the least valuable goes first, the last one comes back first.
func oneStep(from, to []fleet.ModelName, after time.Duration) []fleet.ModelName {
	for _, m := range to {
		if after >= paceEvery && !slices.Contains(from, m) {
			return append(slices.Clone(from), m)
		}
	}
	for i, m := range slices.Backward(from) {
		if after >= resumeEvery && !slices.Contains(to, m) {
			return slices.Delete(slices.Clone(from), i, i+1)
		}
	}
	return from
}
