package judge

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// Board is the comparison of controllers on one scenario.
type Board struct {
	Scenario string
	Currency fleet.Currency
	Requests int64    // of the first run
	Notes    []string // what a reader must know, as the runs tell it
	Scales   map[string]float64
	Rows     []Row // in the order in which the controllers first come
}

// Row is what a controller came to, over seeds. What was not computed in every run
// is nil.
type Row struct {
	Controller        string
	Cost              *Estimate
	Attainment        *Estimate // of all requests
	Worst             *Estimate // of the model that is furthest from its target
	WorstModel        fleet.ModelName
	Below             []Below   // models below their target, on average over the seeds
	P95, P99          *Estimate // seconds, of the streaming model that is slowest against its SLO
	Slowest           fleet.ModelName
	DeadlineMissed    *Estimate
	IdleGPUHours      *Estimate
	GPUHours          *Estimate
	Actions           *Estimate
	Violations        *Estimate // ticks at which a hard cap on spending was broken
	Regret            *Estimate
	RegretClairvoyant *Estimate
}

// Below is a model that missed its target.
type Below struct {
	Model              fleet.ModelName
	Attainment, Target float64
}

// Meets tells whether every model had its target, on average over the seeds.
func (r Row) Meets() bool { return len(r.Below) == 0 }

// BoardOf sums up the results of one scenario.
func BoardOf(scenario string, settings control.Settings, results []simulator.Result) Board {
	b := Board{Scenario: scenario, Currency: settings.Catalog.Currency}
	var names []string
	byController := map[string][]simulator.Result{}
	for _, r := range results {
		if r.Scenario != scenario {
			continue
		}
		if len(names) == 0 {
			b.Requests, b.Scales = r.Requests, r.TrafficScale
		}
		for _, note := range r.Notes {
			if !slices.Contains(b.Notes, note) {
				b.Notes = append(b.Notes, note)
			}
		}
		if !slices.Contains(names, r.Controller) {
			names = append(names, r.Controller)
		}
		byController[r.Controller] = append(byController[r.Controller], r)
	}
	for _, name := range names {
		b.Rows = append(b.Rows, rowOf(name, settings, byController[name]))
	}
	return b
}

func rowOf(controller string, settings control.Settings, runs []simulator.Result) Row {
	over := func(value func(simulator.Result) *float64) *Estimate {
		var values []float64
		for _, r := range runs {
			v := value(r)
			if v == nil {
				return nil
			}
			values = append(values, *v)
		}
		return EstimateOf(values)
	}
	row := Row{
		Controller:        controller,
		Cost:              over(func(r simulator.Result) *float64 { return new(r.Cost.Float()) }),
		Attainment:        over(func(r simulator.Result) *float64 { return r.Attainment }),
		DeadlineMissed:    over(func(r simulator.Result) *float64 { return new(float64(r.DeadlineMissed)) }),
		IdleGPUHours:      over(func(r simulator.Result) *float64 { return new(r.IdleGPUHours) }),
		GPUHours:          over(func(r simulator.Result) *float64 { return new(r.GPUHours) }),
		Actions:           over(func(r simulator.Result) *float64 { return new(float64(r.ScaleActions)) }),
		Violations:        over(func(r simulator.Result) *float64 { return new(float64(r.BudgetViolations)) }),
		Regret:            over(func(r simulator.Result) *float64 { return r.Regret }),
		RegretClairvoyant: over(func(r simulator.Result) *float64 { return r.RegretClairvoyant }),
	}
	furthest, slowest := 0.0, 0.0
	for _, m := range settings.Policy.Models {
		of := func(r simulator.Result) simulator.ModelResult { return r.ByModel[string(m.Name)] }
		attained := over(func(r simulator.Result) *float64 { return of(r).Attainment })
		if attained != nil {
			if margin := attained.Mean - m.SLO.Target; row.Worst == nil || margin < furthest {
				row.Worst, row.WorstModel, furthest = attained, m.Name, margin
			}
			if attained.Mean < m.SLO.Target {
				row.Below = append(row.Below, Below{m.Name, attained.Mean, m.SLO.Target})
			}
		}
		p99 := over(func(r simulator.Result) *float64 { return of(r).P99 })
		if m.Kind != fleet.Streaming || p99 == nil {
			continue
		}
		if ratio := p99.Mean / m.SLO.Limit.Seconds(); row.P99 == nil || ratio > slowest {
			row.P99, row.Slowest, slowest = p99, m.Name, ratio
			row.P95 = over(func(r simulator.Result) *float64 { return of(r).P95 })
		}
	}
	return row
}
