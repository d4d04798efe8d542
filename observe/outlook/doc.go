// Package outlook asks a forecaster outside of this program, such as a learned model
// behind an HTTP server, and uses its quantiles in the place of the loop's own.
//
// The server is asked once in a planning tick, for all models at once, with what was
// seen of them lately. What it answers is checked, and stands in the record like any
// other forecast, so that a decision replays without the server. Where it does not
// answer in time, or not for a model, or with what is no forecast, the loop's own
// forecast stands; a server that fails again and again is asked less often.
//
// The request is a POST of one JSON object, [Request]; the answer another, [Reply].
package outlook
