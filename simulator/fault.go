package simulator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// FaultKind is something that goes wrong.
type FaultKind string

// The faults that a scenario may list.
const (
	// MetricsMissing hides signals: they are unknown, not zero.
	MetricsMissing FaultKind = "metrics-missing"
	// MetricsFrozen leaves signals at what they were when it began, and they age.
	MetricsFrozen FaultKind = "metrics-frozen"
	// MetricsFlatline does too, and the signals claim to be as young as they were.
	MetricsFlatline FaultKind = "metrics-flatline"
	// MetricsDelayed shows signals as they were By before, at their true age.
	MetricsDelayed FaultKind = "metrics-delayed"
	// MetricsLying multiplies arrivals by Factor.
	MetricsLying FaultKind = "metrics-lying"
	// MetricsNaN measures arrivals that are no number.
	MetricsNaN FaultKind = "metrics-nan"
	// NodeDeath takes a node that is ready away at once.
	NodeDeath FaultKind = "node-death"
	// GPUStuck lets the servers of a GPU that holds any spin and complete nothing.
	GPUStuck FaultKind = "gpu-stuck"
	// ServerCrash lets a server that is ready begin anew.
	ServerCrash FaultKind = "server-crash"
	// SlowStart multiplies what the stages of starts that begin in it take by Factor.
	SlowStart FaultKind = "slow-start"
	// StockOut refuses purchases of an offering, or of every one.
	StockOut FaultKind = "stock-out"
)

// Fault is something that goes wrong: at an instant, or for a while, from At on, up
// to but not including the end of For. What it strikes is drawn when it begins,
// among what is there then: the same for all who bought alike.
type Fault struct {
	At       time.Duration // since the start
	For      time.Duration
	Kind     FaultKind
	Offering fleet.OfferingName // whose nodes it concerns; empty means every one
	Model    fleet.ModelName    // which model it concerns; empty means every one
	Count    int                // how many it strikes; 0 means one
	By       time.Duration      // how late signals are
	Factor   float64
}

// Fields are what a fault of a kind must have beside its time, and what it may have
// to concern less than everything, as a scenario file calls them.
type Fields struct{ Needs, Takes []string }

var faultFields = map[FaultKind]Fields{
	MetricsMissing:  {[]string{"for"}, []string{"model"}},
	MetricsFrozen:   {[]string{"for"}, []string{"model"}},
	MetricsFlatline: {[]string{"for"}, []string{"model"}},
	MetricsDelayed:  {[]string{"for", "by"}, []string{"model"}},
	MetricsLying:    {[]string{"for", "factor"}, []string{"model"}},
	MetricsNaN:      {[]string{"for"}, []string{"model"}},
	NodeDeath:       {nil, []string{"offering", "count"}},
	GPUStuck:        {[]string{"for"}, []string{"offering", "model", "count"}},
	ServerCrash:     {nil, []string{"offering", "model", "count"}},
	SlowStart:       {[]string{"for", "factor"}, []string{"offering"}},
	StockOut:        {[]string{"for"}, []string{"offering"}},
}

// FaultKinds lists the kinds there are, sorted.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, 0, len(faultFields))
	for k := range faultFields {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// Fields answers what a fault of the kind needs and takes; nothing where there is no
// such kind.
func (k FaultKind) Fields() Fields { return faultFields[k] }

// Given lists the fields beside kind and time that the fault has.
func (f Fault) Given() []string {
	var out []string
	for _, c := range []struct {
		name  string
		given bool
	}{
		{"for", f.For != 0},
		{"offering", f.Offering != ""},
		{"model", f.Model != ""},
		{"count", f.Count != 0},
		{"by", f.By != 0},
		{"factor", f.Factor != 0},
	} {
		if c.given {
			out = append(out, c.name)
		}
	}
	return out
}

func (f Fault) validate(c fleet.Catalog, models map[fleet.ModelName]bool) error {
	fields, known := faultFields[f.Kind]
	if !known {
		return fmt.Errorf("fault %q is not known: use one of %v", f.Kind, FaultKinds())
	}
	for _, name := range f.Given() {
		if !slices.Contains(fields.Needs, name) && !slices.Contains(fields.Takes, name) {
			return fmt.Errorf("fault %s: %s has no effect on it: leave it out", f.Kind, name)
		}
	}
	if _, known := c.Offering(f.Offering); f.Offering != "" && !known {
		return fmt.Errorf("fault %s: the catalog has no offering %s", f.Kind, f.Offering)
	}
	if f.Model != "" && !models[f.Model] {
		return fmt.Errorf("fault %s: there is no model %s", f.Kind, f.Model)
	}
	return f.measure()
}

// measure checks the fault's times and numbers.
func (f Fault) measure() error {
	switch {
	case f.At < 0 || f.For < 0 || f.By < 0:
		return fmt.Errorf("fault %s at %v for %v by %v: times are not negative", f.Kind, f.At, f.For, f.By)
	case f.For > math.MaxInt64-f.At || f.By > longestDelay:
		return fmt.Errorf("fault %s at %v for %v by %v: it never ends, or shows signals of more than %v before", f.Kind, f.At, f.For, f.By, longestDelay)
	case f.Kind == SlowStart && f.Factor < 1:
		return fmt.Errorf("fault %s: factor %v must be at least 1", f.Kind, f.Factor)
	case f.Count < 0 || !(f.Factor >= 0) || math.IsInf(f.Factor, 0):
		return fmt.Errorf("fault %s: count %d and factor %v must not be negative, nor without end", f.Kind, f.Count, f.Factor)
	}
	return nil
}

// String says the fault in words.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s", f.Kind, strictyaml.FormatDuration(f.At))
	if f.For > 0 {
		fmt.Fprintf(&b, " for %s", strictyaml.FormatDuration(f.For))
	}
	if f.Count > 1 {
		fmt.Fprintf(&b, ", %d of them", f.Count)
	}
	if f.Offering != "" {
		fmt.Fprintf(&b, ", of offering %s", f.Offering)
	}
	if f.Model != "" {
		fmt.Fprintf(&b, ", of model %s", f.Model)
	}
	if f.By > 0 {
		fmt.Fprintf(&b, ", by %s", strictyaml.FormatDuration(f.By))
	}
	if slices.Contains(f.Kind.Fields().Needs, "factor") {
		fmt.Fprintf(&b, ", times %g", f.Factor)
	}
	return b.String()
}

func (f Fault) holds(now int64) bool {
	return int64(f.At) <= now && now-int64(f.At) < int64(f.For)
}

// concerns tells whether the fault is about a model.
func (f Fault) concerns(m fleet.ModelName) bool { return f.Model == "" || f.Model == m }

// on tells whether the fault is about nodes of an offering.
func (f Fault) on(o fleet.OfferingName) bool { return f.Offering == "" || f.Offering == o }

func (w *World) outOfStock(offering fleet.OfferingName) bool {
	return slices.ContainsFunc(w.faults, func(f Fault) bool { return f.Kind == StockOut && f.holds(w.now) && f.on(offering) })
}

// slowed is what a stage of a start takes that begins now on a node of an offering.
func (w *World) slowed(takes time.Duration, offering fleet.OfferingName) time.Duration {
	for _, f := range w.faults {
		if f.Kind == SlowStart && f.holds(w.now) && f.on(offering) {
			takes = time.Duration(min(float64(takes)*f.Factor, float64(longestStage)))
		}
	}
	return takes
}

// longestDelay bounds what is remembered for signals that come late.
const longestDelay = 6 * time.Hour

// longestStage bounds what slow starts make of a stage, so that instants fit.
const longestStage = 366 * 24 * time.Hour
