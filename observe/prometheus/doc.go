// Package prometheus turns a Prometheus server into fleet signals of all models
// in a handful of queries.
//
// A [Pack] says in PromQL how a kind of server (Triton, vLLM, Kafka) shows its
// demand; a [Source] joins models to a pack; a [Reader] asks. Each query answers
// for every model of its source at once. Beside the signals the reader asks for
// what they are worth:
//
//   - freshness: the age of the newest sample, and how much of the window of the
//     rates the samples cover. A rate over a window that an outage emptied looks
//     like low load; below 80 % the rate is unknown.
//   - targets: of the targets that show the model, or showed it within the last
//     hour and are down now, the share that is up. A pod that starts has not shown
//     the model yet and is not missed; one that was deleted is no longer
//     discovered; one that unloaded the model is up without it. Below Config.MinCoverage everything is unknown: a sum
//     without some of its parts would look like low load too.
//
// A number leaves the package only where it may be acted on in both directions.
// Everything less, down to a warning of PromQL itself, is unknown with its cause:
//
//	no series, NaN, an infinity, a negative  unknown
//	two series for one model                 unknown, and a doubt
//	no sample now                            unknown
//	window covered less than 80 %            unknown (rates)
//	targets up less than MinCoverage         unknown
//	info of PromQL                           ignored, also where it comes as a warning
//	warning of PromQL                        unknown, and a doubt
//	other warning (partial, truncated)       unknown, and a doubt
//	query fails                              unknown, and a doubt
//	the server can not be asked              an error
//
// The local clock is never sent. A reading begins by asking the server for its time,
// and all else is evaluated at one instant shortly before, when what was scraped has
// been stored: a number and what it is worth belong together, and of a server that
// just came back a sum must not be older than the news that it is up. Ages are
// differences of the server's own times, and the skew is reported.
package prometheus
