package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Policy is a FleetPolicy with everything resolved: defaults, classes and models
// are one list of models that carry their profile. It round-trips through JSON,
// because the record of a decision carries the policy it was made under.
type Policy struct {
	Name      string               `json:"name"`
	Currency  fleet.Currency       `json:"currency"`
	Budgets   []Budget             `json:"budgets,omitempty"`
	Models    []fleet.Model        `json:"models"` // sorted by name
	Ticks     Ticks                `json:"ticks"`
	Forecast  Forecast             `json:"forecast"`
	ScaleUp   ScaleUp              `json:"scale_up"`
	ScaleDown ScaleDown            `json:"scale_down"`
	Signals   Signals              `json:"signals"`
	Offerings []fleet.OfferingName `json:"offerings"` // that may be bought, sorted
}

// Ticks are the paces of the loop.
type Ticks struct {
	Fast time.Duration `json:"fast"` // moves models within warm capacity
	Plan time.Duration `json:"plan"` // buys, reshapes and gives back; a whole number of fast ticks
}

// Forecast says for which quantile of demand capacity is sized. Streaming work
// must be met when it comes; asynchronous work may wait out a peak.
type Forecast struct {
	Quantile float64         `json:"quantile"` // of streaming models without one of their own
	Models   []ModelQuantile `json:"models"`   // of every model, sorted by name
}

// ModelQuantile is the quantile of demand for which one model is sized.
type ModelQuantile struct {
	Model    fleet.ModelName `json:"model"`
	Quantile float64         `json:"quantile"`
	// Keep says that the misses which the target allows are never spent: capacity is
	// always made for the target itself.
	Keep bool `json:"keep_error_budget,omitempty"`
}

// ScaleUp limits growth.
type ScaleUp struct {
	MaxNodes int `json:"max_nodes"` // bought in one plan
}

// ScaleDown limits and delays shrinking.
type ScaleDown struct {
	StabilizationWindow time.Duration `json:"stabilization_window"` // the highest need in it is kept
	MaxNodes            int           `json:"max_nodes"`            // draining at once
}

// Signals says when a measurement counts.
type Signals struct {
	MaxAge  time.Duration `json:"max_age"`  // an older one is unknown
	MaxHold time.Duration `json:"max_hold"` // for how long an unknown holds before it is reported as overdue
}

// The defaults of a policy that leaves them out.
const (
	defaultFastTick       = 15 * time.Second
	defaultPlanTick       = 60 * time.Second
	defaultQuantile       = 0.95
	defaultAsyncQuantile  = 0.8
	defaultScaleUpNodes   = 10
	defaultScaleDownNodes = 4
	defaultStabilization  = 10 * time.Minute
	defaultMaxAge         = 5 * time.Minute
	defaultMaxHold        = time.Hour
	defaultMaxReplicas    = 10_000 // also the most a file may ask for
)

// Model finds a model.
func (p Policy) Model(name fleet.ModelName) (fleet.Model, bool) {
	i, ok := slices.BinarySearchFunc(p.Models, name, func(m fleet.Model, n fleet.ModelName) int { return cmp.Compare(m.Name, n) })
	if !ok {
		return fleet.Model{}, false
	}
	return p.Models[i], true
}

// Group is the group that pays for a model, empty for a model without one.
func (p Policy) Group(name fleet.ModelName) fleet.GroupName {
	m, _ := p.Model(name)
	return m.Group
}

// Quantile is the quantile of demand for which a model is sized.
func (p Policy) Quantile(name fleet.ModelName) float64 {
	if i, ok := p.Forecast.Find(name); ok {
		return p.Forecast.Models[i].Quantile
	}
	return p.Forecast.Quantile
}

// KeepsErrorBudget tells whether the misses that a model's target allows are never
// spent.
func (p Policy) KeepsErrorBudget(name fleet.ModelName) bool {
	i, ok := p.Forecast.Find(name)
	return ok && p.Forecast.Models[i].Keep
}

// Find returns the place of a model in Models.
func (f Forecast) Find(name fleet.ModelName) (int, bool) {
	return slices.BinarySearchFunc(f.Models, name, func(q ModelQuantile, n fleet.ModelName) int { return cmp.Compare(q.Model, n) })
}

// Buys tells whether the policy allows an offering to be bought.
func (p Policy) Buys(name fleet.OfferingName) bool {
	_, ok := slices.BinarySearch(p.Offerings, name)
	return ok
}
