// Package cluster tells what a Kubernetes cluster shows of the fleet: its nodes and
// how their GPUs are cut, which pod is which replica, where a server can be started,
// what people hold, and what is wrong with any of it. It reads and never writes.
//
// The Watcher feeds caches and a memory into one pure function, view, that does all
// of the thinking.
package cluster
