// Package evaluate measures forecasts of service series as money does: at the
// lead at which capacity is bought, from the past alone, beside what else could be
// done.
//
// A [Trial] plays a series bin by bin to each [Method] and scores the quantile
// that is bought. Methods are Tessera's forecaster and its rivals: the last value,
// yesterday and a smoothed level, each with a quantile tracker or a fitted
// head-room, and the forecasts of other autoscalers, written again from their
// published formulas and defaults, one a file. No method sees a bin before it
// ended, nor the outcome of a forecast before it is due. [Pool] sums up several
// series. [Draw] shows one.
//
// Nothing is random and no clock is read: the same series gives the same scores.
package evaluate
