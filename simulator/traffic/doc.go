// Package traffic is where the requests of a simulated world come from:
// generators that follow the calendar of the people who use a model, and
// replays of recorded counts or requests.
//
// Every model draws from random streams of its own, seeded by the run's seed
// and the model's name. Nothing that a controller does reaches them, so all
// controllers of a comparison meet the same requests at the same nanosecond.
//
// Times are distances from the start of a scenario. History lies before it and
// carries negative times; it comes as counts per bin, which is all that a
// forecast would have seen of it.
package traffic
