package peer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// kind is a peer that NewScaler can make.
type kind struct {
	parameters []Parameter
	make       func(about) Scaler
}

// about is what a peer is made from.
type about struct {
	knobs
	servers map[fleet.ModelName]server
	known   map[fleet.ModelName]Known
}

var kinds = map[string]kind{
	"hpa": {slices.Concat(targetParameters(1, 0.7, 0.25, 0.5, 1, 2, 4, 8, 16), limitParameters, []Parameter{
		{Name: "pods-metric", Default: 0, Try: []float64{0, 1}, Why: "1 takes concurrency as a pods metric, 0 as an external one"},
	}), newHPA},
	"keda-lag":    {slices.Concat(kedaParameters, limitParameters), newKEDA},
	"kpa":         {slices.Concat(targetParameters(100, 0, 0.25, 0.5, 1, 2, 4, 8, 16, 100), kpaParameters), newKPA},
	"dynamo":      {dynamoParameters, newDynamo},
	"wva":         {slices.Concat(wvaParameters, limitParameters), newWVA},
	"static-peak": {staticParameters, newStaticPeak},
	"static-mean": {staticParameters, newStaticMean},
}

// Names lists the peers, sorted.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

// NewScaler makes a peer by name. known is what static peers are told of the
// traffic; others do not look at it. Its error is that of Setup.Validate, a name
// that is none, a parameter that the peer does not have, or a model of which a
// static peer knows nothing.
func NewScaler(name string, settings control.Settings, setup Setup, known map[fleet.ModelName]Known) (Scaler, error) {
	k, ok := kinds[name]
	if !ok {
		return nil, fmt.Errorf("there is no peer %q: use one of %s", name, strings.Join(Names(), ", "))
	}
	if err := setup.Validate(settings); err != nil {
		return nil, fmt.Errorf("set up %s: %w", name, err)
	}
	if err := knownParameters(name, setup); err != nil {
		return nil, fmt.Errorf("set up %s: %w", name, err)
	}
	a := about{knobs: newKnobs(name, setup), servers: map[fleet.ModelName]server{}, known: known}
	for _, m := range settings.Policy.Models {
		perf, err := setup.Performance(settings, m)
		if err != nil {
			return nil, fmt.Errorf("set up %s: %w", name, err)
		}
		a.servers[m.Name] = newServer(m, perf)
	}
	return k.make(a), nil
}

// knownParameters complains of a parameter that the peer does not have.
func knownParameters(name string, setup Setup) error {
	var errs []error
	all := Parameters(name)
	for _, given := range slices.Sorted(maps.Keys(setup.Parameters)) {
		base, model, forOne := strings.Cut(given, "/")
		if !slices.ContainsFunc(all, func(p Parameter) bool { return p.Name == base }) {
			errs = append(errs, fmt.Errorf("parameter %q is none of %s", given, name))
		}
		if _, known := setup.Deployments[fleet.ModelName(model)]; forOne && !known {
			errs = append(errs, fmt.Errorf("parameter %q: there is no model %q", given, model))
		}
	}
	return errors.Join(errs...)
}
