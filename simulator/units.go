package simulator

import "github.com/tessera-autoscaler/tessera/fleet"

// UnitCost is what the work of a model cost by its amount.
type UnitCost struct {
	Unit       string  `json:"unit"`         // of the model's profile, such as "token"
	UnitsInSLO float64 `json:"units_in_slo"` // served within the SLO; of sessions, the seconds that ran in real time
	// PerThousand is the model's part of the bill, in the catalog's currency, for a
	// thousand of these units; absent where none was served within the SLO, because
	// then no amount is the cost of one.
	PerThousand *float64 `json:"per_thousand,omitempty"`
}

// unitCost divides money by work.
func unitCost(unit string, units float64, cost fleet.Money) UnitCost {
	out := UnitCost{Unit: unit, UnitsInSLO: units}
	if units > 0 {
		out.PerThousand = new(cost.Float() / units * 1000)
	}
	return out
}

// sumUnits fills in what the work of each model cost.
func (w *World) sumUnits(out *Result, cost map[fleet.ModelName]fleet.Money) {
	out.UnitCostByModel = make(map[string]UnitCost, len(w.models))
	for _, m := range w.models {
		units := m.workInSLO * m.Profile.MeanWork
		if seconds := out.ByModel[string(m.Name)].RealTimeSeconds; seconds != nil {
			units = *seconds
		}
		out.UnitCostByModel[string(m.Name)] = unitCost(m.Profile.Unit, units, cost[m.Name])
	}
}

// inUnits tells money as decimal numbers of the currency, by name.
func inUnits[K ~string](money map[K]fleet.Money) map[string]float64 {
	out := make(map[string]float64, len(money))
	for name, m := range money {
		out[string(name)] = m.Float()
	}
	return out
}
