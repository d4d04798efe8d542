package simulator

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Config is what a world is made of.
type Config struct {
	Start    time.Time
	Catalog  fleet.Catalog
	Models   []fleet.Model
	Sources  map[fleet.ModelName]traffic.Source // a model without one gets no traffic
	Past     map[fleet.ModelName]Past
	Seed     uint64
	Patience float64 // streaming callers give up after this many times their latency limit; 0 means never
	Faults   []Fault
	Reserved []Reservation
	Signals  Scraping // how they are seen; zero is by the last whole minute
}

// validate tells everything that is wrong, in the order of the fields.
func (c Config) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	errs = append(errs, sellable(c.Catalog))
	names := map[fleet.ModelName]bool{}
	for _, m := range c.Models {
		if names[m.Name] {
			complain("model %s is there twice", m.Name)
		}
		names[m.Name] = true
		if m.SLO.Limit <= 0 {
			complain("model %s: its SLO's limit is %v, and nothing is served in no time", m.Name, m.SLO.Limit)
		}
		errs = append(errs, measurable(m))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if !names[name] {
			complain("traffic names model %q, which the policy does not have", name)
		}
	}
	if !(c.Patience >= 0) || math.IsInf(c.Patience, 0) {
		complain("patience is %v: give how many times its latency limit a caller waits, or 0 for ever", c.Patience)
	}
	return errors.Join(append(errs, c.surroundings(names))...)
}

// surroundings checks what is reserved, how signals are seen, and what goes wrong.
func (c Config) surroundings(models map[fleet.ModelName]bool) error {
	var errs []error
	for _, f := range c.Faults {
		errs = append(errs, f.validate(c.Catalog, models))
	}
	for i, r := range c.Reserved {
		errs = append(errs, r.validate(c.Catalog))
		if slices.ContainsFunc(c.Reserved[:i], func(other Reservation) bool { return other.Offering == r.Offering }) {
			errs = append(errs, fmt.Errorf("%s is reserved twice: give all of its nodes at once", r.Offering))
		}
	}
	return errors.Join(append(errs, c.Signals.validate())...)
}

// sellable tells what is wrong with the offerings.
func sellable(c fleet.Catalog) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for i, o := range c.Offerings {
		if i > 0 && c.Offerings[i-1].Name >= o.Name {
			complain("the catalog's offerings are not sorted by name: %s comes after %s", o.Name, c.Offerings[i-1].Name)
		}
		if o.Price.Hourly().Micros() < 0 || o.MinimumBilling < 0 {
			complain("offering %s: price %s and minimum billing %v must not be negative", o.Name, o.Price, o.MinimumBilling)
		}
		if !(o.Interruptions >= 0) || math.IsInf(o.Interruptions, 0) {
			complain("offering %s: %v interruptions an hour: give how often a node is taken back, or 0", o.Name, o.Interruptions)
		}
	}
	return errors.Join(errs...)
}

// measurable tells which figures of a model's profile a server cannot run on.
func measurable(m fleet.Model) error {
	var errs []error
	if m.Profile.Sessions() && !(m.Profile.MeanWork > 0 && m.Profile.MeanWork*1e9 < longest) {
		errs = append(errs, fmt.Errorf("model %s: its sessions last %v s on average: give the mean duration in seconds, above zero and below a year", m.Name, m.Profile.MeanWork))
	}
	for _, v := range m.Profile.Variants {
		for _, perf := range v.Slices {
			if err := m.Profile.Check(perf); err != nil {
				errs = append(errs, fmt.Errorf("model %s, variant %s on %s: %w", m.Name, v.Name, perf.Kind, err))
			}
		}
	}
	return errors.Join(errs...)
}
