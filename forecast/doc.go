// Package forecast says what will be asked of one model in the coming minutes
// to days, as quantiles rather than as one number.
//
// A [Forecaster] holds the online state of one series. [Seasonal] is the one for
// service traffic: levels of several memories, past days by kind of day and
// minute, and a band made of the errors it really made at each lead, as wide as
// the present situation asks for. [Backtest] measures any Forecaster from rolling
// origins, beside the last value and yesterday's.
//
// The package is pure: time arrives as an argument, nothing is random, and the
// same observations in the same order give the same path to the bit on one
// architecture. Rates are in units per second throughout.
package forecast
