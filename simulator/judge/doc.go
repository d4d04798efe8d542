// Package judge runs any controller by name in the same world and compares what
// came out: Tessera, the peers of package peer, and a clairvoyant that knows the
// traffic in advance.
//
// A [Trial] is one world, a scenario with a seed. Every controller of a trial
// meets the same requests, the same start-up times and the same prices, so that
// their results differ by what they decided and by nothing else. Results are kept
// in a [Store], so that a comparison that was interrupted goes on where it ended;
// [Search] finds the cheapest setup with which a peer keeps the service levels,
// and [Compare] sums results up with intervals over seeds.
package judge
