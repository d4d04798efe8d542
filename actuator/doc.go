// Package actuator makes a cluster follow the plan. A step is written into the
// ledger as an intention, over the version that was read, and only then carried out;
// what was begun goes on at every tick, from the ledger and from fresh reads alone.
// So a crash between any two writes is resumed by the next tick, and a step that is
// done twice is done once.
//
// Each pass has three parts: read what is there, change the ledger by it, and write
// to the cluster what the ledger now says. Nothing is sent a second time: a write
// that meets a conflict is an error, and the next tick looks anew.
//
// The package trusts no cache and knows nothing of observe, so that neither can
// believe its own effect.
package actuator
