package forecast

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Observation is one bin of a series.
type Observation struct {
	At    time.Time // start of the bin
	Value float64   // mean rate over the bin, in units per second
	Known bool      // false for a gap, whatever Value says
}

// Forecaster holds the online state of one series. It is not safe for
// concurrent use.
type Forecaster interface {
	// Observe takes the next bin. An observation older than the newest, or in
	// the same bin, changes nothing and is reported with [ErrOutOfOrder]. A value
	// that is no rate is reported with [ErrInvalid] and taken as a gap. A gap
	// stays a gap: it is never read as zero.
	Observe(o Observation) error
	// Forecast answers for the bins that cover now plus each lead. Leads may come
	// in any order; the path has each of them once, ascending.
	Forecast(now time.Time, leads []time.Duration) Path
}

var (
	// ErrOutOfOrder marks an observation that is not newer than the newest.
	ErrOutOfOrder = errors.New("observation is not newer than the newest bin")
	// ErrInvalid marks a value that cannot be a rate.
	ErrInvalid = errors.New("observation is not a rate")
	// ErrLeap marks an observation more than a day after the newest. It is set
	// aside, and accepted once another observation follows it: one sample from a
	// wrong clock must not make everything after it look old.
	ErrLeap = errors.New("observation leaps ahead and awaits a second one")
)

// maxRate is the largest rate that is believed to be one, in units per second.
// It leaves room for squares and sums far below the overflow of a float64.
const maxRate = 1e15

// checkRate rejects what cannot be a rate before any arithmetic touches it.
func checkRate(v float64) error {
	if math.IsNaN(v) || v < 0 || v > maxRate {
		return fmt.Errorf("value %v, must be between 0 and %g units per second: %w", v, maxRate, ErrInvalid)
	}
	return nil
}
