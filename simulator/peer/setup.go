package peer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Pool is a node pool: nodes of one offering whose GPUs are all cut alike, for
// good.
type Pool struct {
	Name     string             `json:"name"`
	Offering fleet.OfferingName `json:"offering"`
	Geometry fleet.Geometry     `json:"geometry"` // of each GPU; one whole slice for a node without GPUs
}

// Deployment says on which pool and kind of slice the replicas of a model run.
type Deployment struct {
	Pool    string            `json:"pool"`
	Variant fleet.VariantName `json:"variant"`
	Profile fleet.ProfileName `json:"profile"`
	Min     int               `json:"min"`
	Max     int               `json:"max"` // zero is the model's own maximum
}

// Setup is everything about a peer that somebody must choose: what a search tunes.
type Setup struct {
	Pools       []Pool                         `json:"pools"`
	Deployments map[fleet.ModelName]Deployment `json:"deployments"` // one for every model
	// Parameters are those of the Scaler and of the cluster, by the names that
	// Parameters lists; one that is absent has its default. "target/transcribe-fr"
	// is the target of that model alone.
	Parameters map[string]float64 `json:"parameters,omitempty"`
}

// Validate tells everything that is wrong with the setup for these settings: an
// offering that may not be bought, a geometry that does not exist, a model without
// a Deployment, a slice that nobody measured.
func (s Setup) Validate(settings control.Settings) error {
	var errs []error
	names := map[string]bool{}
	for _, p := range s.Pools {
		if p.Name == "" || names[p.Name] {
			errs = append(errs, fmt.Errorf("pool %q: give every pool a name of its own", p.Name))
		}
		names[p.Name] = true
		errs = append(errs, p.validate(settings))
	}
	for _, m := range settings.Policy.Models {
		_, err := s.Performance(settings, m)
		errs = append(errs, err)
		d, ok := s.Deployments[m.Name]
		if ok && (d.Min < 0 || d.Max < 0 || d.Max > 0 && d.Max < d.Min) {
			errs = append(errs, fmt.Errorf("model %s: minimum %d and maximum %d replicas: give 0 <= min <= max, or max 0 for the model's own", m.Name, d.Min, d.Max))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Deployments)) {
		if _, known := settings.Policy.Model(name); !known {
			errs = append(errs, fmt.Errorf("there is a Deployment of model %s, which the policy does not have", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		if v := s.Parameters[name]; !(v >= 0) || math.IsInf(v, 0) {
			errs = append(errs, fmt.Errorf("parameter %s = %v: give a finite number of zero or more", name, v))
		}
	}
	return errors.Join(errs...)
}

func (p Pool) validate(settings control.Settings) error {
	o, ok := settings.Catalog.Offering(p.Offering)
	if !ok {
		return fmt.Errorf("pool %s: the catalog has no offering %s", p.Name, p.Offering)
	}
	if !settings.Policy.Buys(o.Name) {
		return fmt.Errorf("pool %s: the policy does not let %s be bought", p.Name, o.Name)
	}
	if o.GPU == fleet.CPU {
		if !p.Geometry.Equal(fleet.Geometry{{Profile: fleet.WholeGPU}}) {
			return fmt.Errorf("pool %s: %s has no GPU to cut: its geometry is one %s slice", p.Name, o.Name, fleet.WholeGPU)
		}
		return nil
	}
	spec, ok := fleet.LookupGPU(o.GPU)
	if !ok {
		return fmt.Errorf("pool %s: nothing is known of GPU %s", p.Name, o.GPU)
	}
	if err := p.Geometry.Validate(spec); err != nil {
		return fmt.Errorf("pool %s: %w", p.Name, err)
	}
	if len(p.Geometry) == 0 {
		return fmt.Errorf("pool %s: its geometry is empty: give at least one slice", p.Name)
	}
	return nil
}

// Performance is what one replica of the model does where its Deployment puts it.
func (s Setup) Performance(settings control.Settings, m fleet.Model) (fleet.Performance, error) {
	d, ok := s.Deployments[m.Name]
	if !ok {
		return fleet.Performance{}, fmt.Errorf("model %s has no Deployment: say on which pool and slice it runs", m.Name)
	}
	i := slices.IndexFunc(s.Pools, func(p Pool) bool { return p.Name == d.Pool })
	if i < 0 {
		return fleet.Performance{}, fmt.Errorf("model %s: there is no pool %q", m.Name, d.Pool)
	}
	p := s.Pools[i]
	if p.Geometry.Counts()[d.Profile] == 0 {
		return fleet.Performance{}, fmt.Errorf("model %s: pool %s has no slice %s: its geometry is %s", m.Name, p.Name, d.Profile, p.Geometry)
	}
	o, ok := settings.Catalog.Offering(p.Offering)
	if !ok {
		return fleet.Performance{}, fmt.Errorf("pool %s: the catalog has no offering %s", p.Name, p.Offering)
	}
	kind := fleet.SliceKind{GPU: o.GPU, Profile: d.Profile}
	v, _ := m.Profile.Variant(d.Variant)
	perf, ok := v.On(kind)
	if !ok {
		return fleet.Performance{}, fmt.Errorf("model %s: nobody measured variant %q on %s", m.Name, d.Variant, kind)
	}
	return perf, nil
}

// bounds are the least and most replicas of a model.
func (s Setup) bounds(m fleet.Model) (least, most int) {
	d := s.Deployments[m.Name]
	most = d.Max
	if most == 0 {
		most = m.MaxReplicas
	}
	if most == 0 {
		most = math.MaxInt32
	}
	return d.Min, max(d.Min, most)
}
