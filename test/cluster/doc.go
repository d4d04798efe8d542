// Package cluster holds the tests that need a real Kubernetes: those of the rig itself
// and those of the product on it. They share one cluster, which TestMain starts.
package cluster
