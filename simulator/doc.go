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
// of an asynchronous model waits for ever. A session holds a stream of its server from
// its beginning to its end; those beyond what a server holds beside busy neighbours run
// late. Networks take no time.
//
// A node starts in stages (machine, driver, first server image), each drawn from the
// distribution of its offering, and is paid from the wish for it. Its other images
// are there with the first. A GPU is cut by NVIDIA's rules, empty as far as the
// offering says, and serves nothing meanwhile; to change between undivided and cut
// may take longer. Spot nodes live for an exponential time and are taken back with
// two minutes' notice. Reserved nodes are paid from start to end, used or not. A
// purchase that is refused marks its offering as unavailable for a while.
//
// Things break as the scenario lists, and else never: see [FaultKind]. What is in
// service on what is lost is cut: streaming work is dropped, of a session the rest, and
// asynchronous work comes again. A stuck GPU counts as working, as its meter would say;
// requests on it hang, and sessions, whose media goes on, end on time and run late. A node that dies is
// gone at once; that a cluster takes minutes to notice is not modelled, and neither
// are errors of disks, nor neighbours that a fault slows.
//
// Signals are those of the last whole minute, or of the last scrape that can be
// read, through the faults that hold. No request, no money and no GPU time is lost or
// made, and Little's law holds of every model: every run is checked for it at its end.
package simulator
