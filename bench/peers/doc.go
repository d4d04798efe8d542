// Package peers holds the tests that run the real Kubernetes HPA controller and the
// real Knative autoscaler in our simulator: the same world, nodes and prices as
// Tessera and the ports of package peer have, and the original code in place of
// the port.
//
// One group of tests feeds the original and its port the same series and compares
// what they decide. [TestScoreboard] runs whole scenarios and writes results for
// `autoscaler compare --merge`. All of it are tests, because the HPA controller
// reads the clock and sleeps, and only testing/synctest gives it another one.
package peers
