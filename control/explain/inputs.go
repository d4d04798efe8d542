package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Model is what a decision knew of a model, and what it made of it. Rates are in
// requests or sessions a second.
type Model struct {
	control.Need
	Arrivals   fleet.Signal `json:"arrivals"`
	Backlog    fleet.Signal `json:"backlog"` // what waits
	Attainment fleet.Signal `json:"attainment"`
	Note       string       `json:"note,omitempty"` // of the forecast
	// Median and Upper are of the forecast for the lead time: its median, and the quantile that
	// capacity is made for. Absent where nothing was foreseen.
	Median *float64 `json:"median,omitempty"`
	Upper  *float64 `json:"upper,omitempty"`
	// Concerned tells whether the plan does or holds something of the model, or has too little
	// of it.
	Concerned bool `json:"concerned"`
}

// trifle is a rate below which nothing is lacking, as where it is decided.
const trifle = 1e-6

func modelAt(s control.Settings, in control.Inputs, e Entry, m fleet.Model, lead time.Duration) Model {
	seen := in.Snapshot.Model(m.Name)
	out := Model{
		Arrivals: s.Policy.Signals.Fresh(seen.Arrivals), Backlog: s.Policy.Signals.Fresh(seen.Backlog),
		Attainment: s.Policy.Signals.Fresh(seen.Attainment),
	}
	out.Need, _ = needOf(e.Needs, m.Name)
	out.Model = m.Name
	for _, f := range in.Forecasts {
		if f.Model != m.Name {
			continue
		}
		out.Note = f.Path.Note
		if len(f.Path.Points) > 0 {
			median, upper := f.Path.Quantile(0.5, lead), f.Path.Quantile(out.Quantile, lead)
			out.Median, out.Upper = &median, &upper
		}
	}
	out.Concerned = out.Lead-out.Have > trifle || out.Shed > 0 ||
		slices.ContainsFunc(e.Plan.Steps, func(s fleet.Step) bool { return modelOf(s) == m.Name }) ||
		slices.ContainsFunc(e.Plan.Held, func(r fleet.Reason) bool { return names(r, string(m.Name)) })
	return out
}

// Money is what was committed at the moment of a plan.
type Money struct {
	Rate  fleet.Rate `json:"rate"`  // of everything that runs or was asked for
	After fleet.Rate `json:"after"` // the same once the plan is carried out
	// Day and Month are what was spent so far, UTC.
	Day   fleet.Money `json:"day"`
	Month fleet.Money `json:"month"`
	Caps  []Cap       `json:"caps"` // in the order of the policy
}

// Cap is a budget with what counts against it: under one by the hour the rate, under the
// others what was spent and can no longer be avoided.
type Cap struct {
	policy.Budget
	Before fleet.Money `json:"before"`
	After  fleet.Money `json:"after"` // the plan is carried out
}

// moneyOf counts the money before a plan and after it. A step that does not fit what
// was recorded changes nothing.
func moneyOf(s control.Settings, before fleet.Snapshot, p fleet.Plan) (Money, error) {
	after := before.Clone()
	for _, step := range p.Steps {
		_ = step.Apply(&after) // a plan that was dropped in part is counted as far as it goes
	}
	m := Money{Day: before.Spend.Day, Month: before.Spend.Month, Caps: []Cap{}}
	var err error
	if m.Rate, err = before.Committed(s.Catalog); err != nil {
		return Money{}, fmt.Errorf("count the money: %w", err)
	}
	if m.After, err = after.Committed(s.Catalog); err != nil {
		return Money{}, fmt.Errorf("count the money: %w", err)
	}
	was, err := againstCaps(s, before)
	if err != nil {
		return Money{}, err
	}
	becomes, err := againstCaps(s, after)
	if err != nil {
		return Money{}, err
	}
	for i, b := range s.Policy.Budgets {
		m.Caps = append(m.Caps, Cap{Budget: b, Before: was[i], After: becomes[i]})
	}
	return m, nil
}

// againstCaps is what counts against each budget. A purse tells it of those that are
// exceeded, and less than nothing always is.
func againstCaps(s control.Settings, snapshot fleet.Snapshot) ([]fleet.Money, error) {
	p := s.Policy
	p.Budgets = slices.Clone(p.Budgets)
	for i := range p.Budgets {
		p.Budgets[i].Amount = fleet.Micros(-1, p.Currency)
	}
	purse, err := policy.NewPurse(p, s.Catalog, snapshot)
	if err != nil {
		return nil, fmt.Errorf("count the money: %w", err)
	}
	var out []fleet.Money
	for _, o := range purse.Overruns() {
		out = append(out, o.Spend)
	}
	return out, nil
}
