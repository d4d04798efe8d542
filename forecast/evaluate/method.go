package evaluate

import (
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// Method forecasts one series, bin by bin.
type Method interface {
	// Observe takes the next bin: its start, and its value or NaN for a gap. Bins
	// come without interruption.
	Observe(at time.Time, value float64)
	// Forecast answers for the bin that lies Setting.Ahead[i] after the newest
	// observed. It is only asked once a value was observed.
	Forecast(i int) Answer
}

// Answer is a forecast of one bin.
type Answer struct {
	Mean      float64
	Bought    float64   // the quantile at Setting.Level: what capacity is bought for
	Quantiles []float64 // at forecast.Levels; nil where the method has no band
}

// Median is the point forecast.
func (a *Answer) Median() float64 {
	if a.Quantiles == nil {
		return a.Mean
	}
	return a.Quantiles[median]
}

// point is an answer of a method that knows no quantiles.
func point(v float64) Answer { return Answer{Mean: v, Bought: v} }

// Setting is what a method is told before it begins.
type Setting struct {
	Step  time.Duration // length of a bin
	Day   int           // bins of a day, at least 1
	Ahead []int         // distances of its forecasts, in bins
	First int           // index of the first bin that is scored: a fit must end before
	Level float64       // quantile level that is bought, within (0, 1)
	Zone  *time.Location
}

// Entrant is a method with a name.
type Entrant struct {
	Name string
	New  func(Setting) Method
}

// Tessera is the name of our own forecaster.
const Tessera = "tessera"

// Reference is the rival that others are compared with.
const Reference = "ewma-tracker"

// Rivals returns the methods that Tessera is compared with, the reference first.
func Rivals() []Entrant {
	return []Entrant{
		{Reference, newEWMATracker},
		{headroomName, newHeadroom},
		{"last-value", newLast},
		{"yesterday-tracker", newYesterdayTracker},
		{"dynamo-kalman", newKalman},
		{"crane-dsp", newDSP},
		{"phpa-holt-winters", newHoltWinters},
		{"aws-hourly", newHourly},
	}
}

const (
	lower, median, upper = 0, 4, 8 // of levels: 0.025, 0.5, 0.975
)

var levels = forecast.Levels()

// Names returns the names of entrants.
func Names(entrants []Entrant) []string {
	var out []string
	for _, e := range entrants {
		out = append(out, e.Name)
	}
	return slices.Clip(out)
}
