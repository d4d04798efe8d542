package console

import (
	"encoding/json"
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// modelView is a model with what is asked of it and what it has.
type modelView struct {
	Name        fleet.ModelName `json:"name"`
	Language    fleet.Language  `json:"language,omitempty"`
	Group       fleet.GroupName `json:"group,omitempty"`
	Class       fleet.ClassName `json:"class"`
	Kind        fleet.ClassKind `json:"kind"`
	SLO         string          `json:"slo"`
	Target      float64         `json:"target"`
	Demand      fleet.Signal    `json:"demand"` // requests, or sessions, a second
	Backlog     fleet.Signal    `json:"backlog"`
	Attainment  fleet.Signal    `json:"attainment"`
	Utilisation fleet.Signal    `json:"utilisation"`
	Need        *needView       `json:"need,omitempty"` // absent when the tick sized nothing
	Replicas    replicasView    `json:"replicas"`
	Spending    *fleet.Rate     `json:"cost_per_hour,omitempty"`           // its part of what is committed; absent while a price is missing
	Unit        string          `json:"unit,omitempty"`                    // of its work
	UnitCost    *quantity       `json:"cost_per_thousand_units,omitempty"` // within the SLO, at present; absent while unknown
	Colour      int             `json:"-"`
}

// needView is capacity in requests a second: what must be there, and what is.
type needView struct {
	Now   quantity `json:"now"`
	Lead  quantity `json:"lead"` // by the time at which capacity asked for now serves
	Keep  quantity `json:"keep"` // while capacity bought now is kept
	Have  quantity `json:"have"` // runs or starts, and stays
	Ready quantity `json:"ready"`
	Shed  quantity `json:"shed"` // withdrawn for the budget
	Basis string   `json:"basis"`
}

// replicasView counts a model's replicas.
type replicasView struct {
	Ready    int `json:"ready"`
	Pending  int `json:"pending"`
	Draining int `json:"draining"`
	Desired  int `json:"desired"` // that stay once the plan is carried out
}

// quantity is a number that JSON can hold: what is not finite is null.
type quantity float64

// MarshalJSON writes the number or null.
func (q quantity) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(q)) || math.IsInf(float64(q), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(q))
}

// modelsOf arranges the models in the order of the policy.
func modelsOf(s State) []modelView {
	colours := coloursOf(s.Settings.Policy.Models)
	desired, _ := replicaCounts(s.Record)
	needs := needsOf(s.Record)
	shares, unpriced := spendersOf(s)
	out := make([]modelView, 0, len(s.Settings.Policy.Models))
	for _, m := range s.Settings.Policy.Models {
		signals := seen(s, m.Name)
		v := modelView{
			Name: m.Name, Language: m.Language, Group: m.Group, Class: m.Class, Kind: m.Kind,
			SLO: m.SLO.String(), Target: m.SLO.Target,
			Demand: signals.Arrivals, Backlog: signals.Backlog, Attainment: signals.Attainment, Utilisation: signals.Utilisation,
			Replicas: replicasView{Desired: desired[m.Name]}, Colour: colours[m.Language], Unit: m.Profile.Unit,
		}
		if unpriced == nil {
			v.Spending = new(shares[m.Name])
			if each, known := unitCostOf(s, m, shares[m.Name]); known {
				v.UnitCost = new(quantity(each))
			}
		}
		if n, ok := needs[m.Name]; ok {
			v.Need = &needView{
				Now: quantity(n.Now), Lead: quantity(n.Lead), Keep: quantity(n.Keep),
				Have: quantity(n.Have), Ready: quantity(n.Ready), Shed: quantity(n.Shed), Basis: n.Basis,
			}
		}
		for _, r := range s.Record.Inputs.Snapshot.Replicas {
			if r.Model != m.Name {
				continue
			}
			switch r.State {
			case fleet.ReplicaReady:
				v.Replicas.Ready++
			case fleet.ReplicaPending:
				v.Replicas.Pending++
			case fleet.ReplicaDraining:
				v.Replicas.Draining++
			}
		}
		out = append(out, v)
	}
	return out
}
