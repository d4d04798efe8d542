// Package bound computes money below which nobody could have served what a run
// served: no controller, whatever it knows of the future, and whatever luck it
// has with the loading of weights.
//
// The bound is a dual. Slices are priced so that no geometry costs more than its
// GPU, and a request is worth at those prices what the cheapest slice would take
// for it. The rate at which work must be done then says what the nodes that are
// ready must cost, at least; nodes come whole, and each has been paid through its
// start-up before it is ready. What may be skipped or deferred is priced by
// multipliers. Whatever the multipliers are, the bound holds; the search for good
// ones decides only how tight it is. docs/bound.md has the proof.
package bound
