package policy

import (
	"cmp"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

type policyFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                policySpec `yaml:"spec,required"`
}

type policySpec struct {
	Currency  string               `yaml:"currency,required"`
	Budgets   []budgetSpec         `yaml:"budgets"`
	Defaults  layer                `yaml:"defaults"`
	Classes   map[string]classSpec `yaml:"classes"`
	Models    []modelSpec          `yaml:"models,required,nonempty"`
	Offerings []string             `yaml:"offerings,nonempty"`
	Ticks     struct {
		Fast time.Duration `yaml:"fast,min=1s,max=10m"`
		Plan time.Duration `yaml:"plan,min=1s,max=1h"`
	} `yaml:"ticks"`
	ScaleUp struct {
		MaxNodes int `yaml:"maxNodes,min=1,max=10000"`
	} `yaml:"scaleUp"`
	ScaleDown struct {
		StabilizationWindow time.Duration `yaml:"stabilizationWindow,max=24h"`
		MaxNodes            int           `yaml:"maxNodes,min=1,max=10000"`
	} `yaml:"scaleDown"`
	Signals struct {
		MaxAge  time.Duration `yaml:"maxAge,min=15s,max=1h"`
		MaxHold time.Duration `yaml:"maxHold,min=1m,max=168h"`
	} `yaml:"signals"`
}

type budgetSpec struct {
	Per        Period             `yaml:"per,required"`
	Amount     strictyaml.Decimal `yaml:"amount,required"`
	Group      string             `yaml:"group"`
	OnExceeded OnExceeded         `yaml:"onExceeded"`
}

// layer is what defaults, classes and models may each say; the innermost wins.
type layer struct {
	MinReplicas      *int                `yaml:"minReplicas,min=0,max=10000"`
	MaxReplicas      *int                `yaml:"maxReplicas,min=1,max=10000"`
	AccuracyFloor    *strictyaml.Ratio   `yaml:"accuracyFloor"`
	ValuePerThousand *strictyaml.Decimal `yaml:"valuePerThousand"`
	Quantile         *float64            `yaml:"quantile,min=0.5,max=0.9999"`
	ErrorBudget      string              `yaml:"errorBudget,oneof=spend|keep"`
}

// over returns the layer with what it leaves out taken from the one below.
func (l layer) over(below layer) layer {
	if l.MinReplicas == nil {
		l.MinReplicas = below.MinReplicas
	}
	if l.MaxReplicas == nil {
		l.MaxReplicas = below.MaxReplicas
	}
	if l.AccuracyFloor == nil {
		l.AccuracyFloor = below.AccuracyFloor
	}
	if l.ValuePerThousand == nil {
		l.ValuePerThousand = below.ValuePerThousand
	}
	if l.Quantile == nil {
		l.Quantile = below.Quantile
	}
	l.ErrorBudget = cmp.Or(l.ErrorBudget, below.ErrorBudget)
	return l
}

type classSpec struct {
	layer `yaml:",inline"`
	Kind  string  `yaml:"kind,required,oneof=streaming|async"`
	SLO   sloSpec `yaml:"slo,required"`
}

type sloSpec struct {
	Latency  *time.Duration `yaml:"latency,min=1ms,max=1h"`
	Deadline *time.Duration `yaml:"deadline,min=1s,max=168h"`
	Target   float64        `yaml:"target,required,min=0.5,max=0.9999"`
}

type modelSpec struct {
	layer          `yaml:",inline"`
	Name           string `yaml:"name,required,nonempty"`
	Language       string `yaml:"language,nonempty"`
	Class          string `yaml:"class"`
	Group          string `yaml:"group,nonempty"`
	Profile        string `yaml:"profile,required"`
	GPUsPerReplica *int   `yaml:"gpusPerReplica,min=1"`
}

// The classes that exist unless the file defines classes of these names.
const (
	liveClass  = "live"
	batchClass = "batch"
)

// DecodePolicy decodes a FleetPolicy document against a catalog and profiles.
// What is wrong becomes complaints of the document; the answer counts only where
// there are none.
func DecodePolicy(doc *strictyaml.Document, catalog fleet.Catalog, profiles []fleet.PerformanceProfile) Policy {
	file := policyFile{}
	file.Spec.Ticks.Fast, file.Spec.Ticks.Plan = defaultFastTick, defaultPlanTick
	file.Spec.ScaleUp.MaxNodes = defaultScaleUpNodes
	file.Spec.ScaleDown.MaxNodes, file.Spec.ScaleDown.StabilizationWindow = defaultScaleDownNodes, defaultStabilization
	file.Spec.Signals.MaxAge, file.Spec.Signals.MaxHold = defaultMaxAge, defaultMaxHold
	if _, ok := doc.Expect(apiVersion, "FleetPolicy"); !ok {
		return Policy{}
	}
	doc.Decode(&file)
	r := resolver{doc: doc, spec: file.Spec, catalog: catalog, profiles: profiles, sizer: NewSizer()}
	return r.resolve(file.Metadata.Name)
}

// resolver turns the file into a policy, complaining on the way.
type resolver struct {
	doc      *strictyaml.Document
	spec     policySpec
	catalog  fleet.Catalog
	profiles []fleet.PerformanceProfile
	sizer    *Sizer
}

func (r *resolver) resolve(name string) Policy {
	p := Policy{
		Name:      name,
		Currency:  currency(r.doc, "spec.currency", r.spec.Currency),
		Ticks:     Ticks(r.spec.Ticks),
		Forecast:  Forecast{Quantile: otherwise(r.spec.Defaults.Quantile, defaultQuantile)},
		ScaleUp:   ScaleUp(r.spec.ScaleUp),
		ScaleDown: ScaleDown(r.spec.ScaleDown),
		Signals:   Signals(r.spec.Signals),
		Offerings: r.offerings(),
	}
	if p.Currency != "" && p.Currency != r.catalog.Currency {
		r.doc.Complain("spec.currency", "the policy counts in %s and the catalog in %s", p.Currency, r.catalog.Currency).
			Hint("all money of one fleet is in one currency")
	}
	if p.Ticks.Plan%max(1, p.Ticks.Fast) != 0 {
		r.doc.Complain("spec.ticks", "a planning tick of %s is not a whole number of fast ticks of %s",
			strictyaml.FormatDuration(p.Ticks.Plan), strictyaml.FormatDuration(p.Ticks.Fast))
	}
	r.models(&p)
	p.Budgets = r.budgets(p)
	return p
}
