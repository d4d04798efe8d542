package control

import (
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Capped is a model that a cap leaves short: what a plan could not give it because no
// node that would serve it may be bought, or what was withdrawn from it.
type Capped struct {
	Model  fleet.ModelName `json:"model"`
	Budget policy.Budget   `json:"budget"`
	Lacks  float64         `json:"lacks"` // requests or sessions a second, by the lead time
	// Rise is the least by which the cap would have to rise, in the budget's period, to
	// admit one more node of the cheapest offering that serves the model; zero where
	// more than that one node is asked for.
	Rise fleet.Money `json:"rise,omitzero"`
}

// capped lists the models that caps leave short once the admitted steps are done, in
// the order of the policy. A model that is short for another reason, such as a limit of
// the offering or of the step, is not there.
func (d *decider) capped() ([]Capped, error) {
	if d.in.Pace != Planning || !slices.ContainsFunc(d.settings.Policy.Budgets, policy.Budget.Hard) {
		return nil, nil
	}
	d.view, d.pools = d.in.Snapshot.Clone(), nil
	for _, step := range d.plan.Steps {
		if err := step.Apply(&d.view); err != nil {
			return nil, fmt.Errorf("look at what the plan leaves: %w", err)
		}
	}
	short := d.short(horizon{func(n Need) float64 { return n.Lead + n.Shed }, d.soon().by})
	if len(short) == 0 {
		return nil, nil
	}
	purse, err := policy.NewPurse(d.settings.Policy, d.settings.Catalog, d.view)
	if err != nil {
		return nil, fmt.Errorf("count the money: %w", err)
	}
	var out []Capped
	for _, s := range short {
		refused := d.refused(purse, s.model)
		if _, shed := d.memory.Ceilings[s.model.Name]; shed && len(refused) == 0 {
			refused = d.withdrawn(s.model)
		}
		if b, paced := d.memory.pacedBy(s.model.Name); paced {
			refused = []policy.Refusal{{Budget: b}}
		}
		for _, r := range refused {
			out = append(out, Capped{Model: s.model.Name, Budget: r.Budget, Lacks: s.lacks, Rise: r.Rise})
		}
	}
	return out, nil
}

// withdrawn tells which cap took from a model that would have room again: a ceiling
// stays until all of its need does.
func (d *decider) withdrawn(m fleet.Model) []policy.Refusal {
	for _, b := range d.settings.Policy.Budgets {
		if b.OnExceeded == policy.Shed && concerns(b, m) {
			return []policy.Refusal{{Budget: b}}
		}
	}
	return nil
}

// refused tells which caps refuse the cheapest node that would serve a model, none
// where one that serves it may be bought.
func (d *decider) refused(purse *policy.Purse, m fleet.Model) []policy.Refusal {
	owned := map[fleet.OfferingName]int{}
	for _, n := range d.view.Nodes {
		owned[n.Offering]++
	}
	pays := []fleet.GroupWeight{{Group: m.Group, Slices: 1}}
	var least []policy.Refusal
	var price fleet.Rate
	for _, name := range d.settings.Policy.Offerings {
		o, known := d.settings.Catalog.Offering(name)
		if _, gone := d.unavailable(name); gone || !known || owned[name] >= o.Limit || !d.servableOn(m, o) {
			continue
		}
		refusals := purse.Refusals(o, pays)
		if len(refusals) == 0 {
			return nil
		}
		if least == nil || o.Price.Compare(price) < 0 {
			least, price = refusals, o.Price
		}
	}
	return least
}

// servableOn tells whether any slice of an offering serves a model.
func (d *decider) servableOn(m fleet.Model, o fleet.Offering) bool {
	return slices.ContainsFunc(profilesOf(o.GPU), func(p fleet.ProfileName) bool {
		_, _, ok := d.best(m, o, p, len(d.staying(m.Name))+1)
		return ok
	})
}
