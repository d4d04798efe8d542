package console

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// collectMoney sends the metrics of money. Where a price is missing, what depends
// on it is absent.
func collectMoney(out chan<- prometheus.Metric, s State, spent meter) {
	unit := unitOf(s.Settings.Policy.Currency)
	if cost, err := outlayOf(s); err == nil {
		for _, part := range []struct {
			kind string
			rate fleet.Rate
		}{{"gpu", cost.gpu}, {"cpu", cost.cpu}, {"idle", cost.idle}} {
			emit(out, prometheus.GaugeValue, "cost_"+unit+"_per_hour",
				"Committed spending an hour: on GPUs and nodes without GPUs that serve, and on those that do not.",
				part.rate.Hourly().Float(), "kind", part.kind)
		}
	}
	emit(out, prometheus.CounterValue, "cost_"+unit+"_total",
		"Money spent since this process began.", spent.total.Float())
	collectSpenders(out, s, unit)
	collectPrices(out, s)
	budgets, err := fundsOf(s)
	if err != nil {
		return
	}
	told := map[string]bool{}
	for _, f := range budgets {
		key := string(f.Budget.Per) + "\x00" + string(f.Budget.Group)
		if told[key] || f.Left == nil { // two behaviours at two amounts: the first one counts
			continue
		}
		told[key] = true
		emit(out, prometheus.GaugeValue, "budget_remaining_"+unit,
			"What a budget leaves, paid and committed money taken off; negative when it is exceeded. Without a group: the fleet's.",
			f.Left.Float(), "per", string(f.Budget.Per), "group", string(f.Budget.Group))
	}
}

// collectPrices sends the shadow prices of the caps that are paced.
func collectPrices(out chan<- prometheus.Metric, s State) {
	told := map[policy.Budget]bool{}
	for _, p := range s.Record.Inputs.Memory.Pacings {
		key := policy.Budget{Per: p.Budget.Per, Group: p.Budget.Group}
		if told[key] { // two behaviours at two amounts: the first one counts
			continue
		}
		told[key] = true
		labels := []string{"per", string(p.Budget.Per), "group", string(p.Budget.Group)}
		emit(out, prometheus.GaugeValue, "budget_shadow_price",
			"The value that a unit of money has to bring under a day's or a month's cap; work that brings less gives way. 0 while the money lasts for all.",
			p.Price, labels...)
	}
}

// collectSpenders sends what each model bears of the committed spending, and what its
// work costs. What is unknown has no sample.
func collectSpenders(out chan<- prometheus.Metric, s State, unit string) {
	shares, err := spendersOf(s)
	if err != nil {
		return
	}
	for _, m := range s.Settings.Policy.Models {
		rate := shares[m.Name]
		emit(out, prometheus.GaugeValue, "model_cost_"+unit+"_per_hour",
			"A model's part of the committed spending an hour, by memory slices; what nobody uses falls to all in proportion.",
			rate.Hourly().Float(), "model", string(m.Name), "language", string(m.Language), "group", string(m.Group))
		if each, known := unitCostOf(s, m, rate); known {
			emit(out, prometheus.GaugeValue, "model_cost_per_thousand_units_"+unit,
				"What a thousand units of a model's work within its SLO cost at present; absent while nothing is served or that is unknown.",
				each, "model", string(m.Name), "unit", m.Profile.Unit)
		}
	}
}

// unitOf is the currency as a unit in the name of a metric: dollars where the
// policy counts in USD, and never dollars where it does not.
func unitOf(c fleet.Currency) string {
	switch c {
	case "USD", "":
		return "dollars"
	case "EUR":
		return "euros"
	case "GBP":
		return "pounds"
	}
	return strings.ToLower(string(c))
}
