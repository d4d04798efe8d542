// Package emitter plays the model servers of a fleet to a real Prometheus. In a
// cluster of simulated nodes pods run nothing; the emitter watches which pods of a
// model are ready, lets seeded Poisson traffic flow through them, and serves what
// their exporters would say, under the true metric names: Triton or vLLM for each
// pod, DCGM for the slices, a gateway and a Kafka exporter that are there even when
// a model has no replica. Prometheus finds the pods through /sd.
//
// It is also the oracle of a test: Totals and Attainment tell what truly happened to
// the traffic, and above all how much running work was cut because its pod vanished.
//
// # The world
//
// Each model has one queue. A request goes to the server that can begin it first. A
// server begins PerSecond requests a second and takes Latency for each; a model of
// streams has sessions of a fixed length instead, and a server holds so many at a
// time. A server takes new work while its pod is ready, is not being deleted and is
// not marked tessera.dev/serving: "false"; what it runs goes on to its end. A pod
// that is deleted with a grace period finishes within it what it can, as servers do
// that drain when they are asked to stop, even where its object goes at once because
// nothing runs behind it. What is still running when the grace is over, or when the
// pod vanishes without any, is cut. Asynchronous work is not lost that way: its offset
// was not committed, so Kafka delivers it again.
//
// For every model at any time
//
//	arrived = served + waiting + running + cut
package emitter
