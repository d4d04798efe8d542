package simulator

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// FaultKind is something that goes wrong.
type FaultKind string

// The faults that a scenario may list.
const (
	// MetricsMissing hides every signal: they are unknown, not zero.
	MetricsMissing FaultKind = "metrics-missing"
	// StockOut refuses purchases of an offering, or of every one.
	StockOut FaultKind = "stock-out"
)

// Fault is something that goes wrong for a while: from At on, up to but not
// including the end of For.
type Fault struct {
	At       time.Duration // since the start
	For      time.Duration
	Kind     FaultKind
	Offering fleet.OfferingName // of a stock-out; empty means every offering
}

func (f Fault) validate(c fleet.Catalog) error {
	if f.Kind != MetricsMissing && f.Kind != StockOut {
		return fmt.Errorf("fault %q is not known: use %s or %s", f.Kind, MetricsMissing, StockOut)
	}
	if f.At < 0 || f.For < 0 {
		return fmt.Errorf("fault %s at %v for %v: times are not negative", f.Kind, f.At, f.For)
	}
	if _, known := c.Offering(f.Offering); f.Offering != "" && !known {
		return fmt.Errorf("fault %s: the catalog has no offering %s", f.Kind, f.Offering)
	}
	return nil
}

func (f Fault) holds(now int64) bool {
	return int64(f.At) <= now && now-int64(f.At) < int64(f.For)
}

func (w *World) metricsMissing() bool {
	for _, f := range w.faults {
		if f.Kind == MetricsMissing && f.holds(w.now) {
			return true
		}
	}
	return false
}

func (w *World) outOfStock(offering fleet.OfferingName) bool {
	for _, f := range w.faults {
		if f.Kind == StockOut && f.holds(w.now) && (f.Offering == "" || f.Offering == offering) {
			return true
		}
	}
	return false
}
