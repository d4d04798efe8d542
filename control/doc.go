// Package control is the loop: it joins what is seen, forecast, wanted and
// possible into a plan, and has the plan carried out.
//
// One tick, in eight steps. Observe builds a snapshot of the fleet, in which
// what could not be measured stays unknown. Forecast answers, per model, with
// quantiles of demand up to the time for which a GPU bought now would be kept.
// Size turns demand and service level into the capacity each model needs at
// once, by the lead time, and until then. Pack covers what is missing from free
// slices first, then from empty GPUs cut anew, then from new nodes, and finds
// nodes that are no longer worth their price. Guard takes out what a limit, a
// budget or an unknown forbids. Revalidate looks once more at the fleet and
// drops what is no longer true. Act carries the steps out in order. Record keeps
// inputs, plan, candidates and outcomes, so that the decision can be replayed to
// the byte.
//
// Steps two to five are a pure function, Decide; the loop around it owns the
// ports. The same loop runs a simulated world and a real cluster.
package control
