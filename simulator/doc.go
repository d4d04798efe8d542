// Package simulator is the other world: traffic, servers, nodes and money, in
// virtual time, behind the ports of package control.
//
// The world is event-driven: a heap of events ordered by (time, ticket), no
// fixed tick. It knows physics and prices, and takes no decision: every node,
// every geometry and every replica in it was asked for by a step of the loop.
// Random draws come from streams keyed by what they are for (the n-th node of an
// offering, the n-th load of a model, the n-th reshape), and the traffic from
// streams of its own, so that two controllers meet the same traffic and the same
// luck.
//
// Looking changes nothing: Observe, Sample and Result may be called at any time
// and as often as one likes, and the run is the same to the byte.
//
// What is modelled, and how far. A server takes up to a batch of waiting
// requests whenever it is free; a batch takes the measured time of its size,
// stretched by the mean work of its requests, and by the interference factor
// when another server of the GPU was at work as it began. A caller of a streaming
// model who has waited for longer than the patience of the scenario leaves; work
// of an asynchronous model waits for ever. Nodes do not fail and networks take
// no time.
package simulator
