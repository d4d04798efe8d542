// Package batch forecasts a whole history at once: one series in, the next H
// steps out, as a point and calibrated quantiles.
//
// Several cheap forecasters, the experts, are fitted to the same history:
// autoregressions over the lags of two seasons, profiles carried by the level,
// exponential smoothing with one season and two. Each repeats the forecast from
// origins in the past; the blend weighs them by the error they made there, and
// the band is made of the errors that the blend would have made there. There is
// nothing random and no state: the same history gives the same answer.
//
// The online counterpart, one observation at a time, is package forecast.
package batch
