// Package kube holds the words that seeing and doing share in a cluster: labels
// and resource names, the names of geometries, the ledger, and which pod is which
// replica. It calls nothing: observe reads the cluster and actuator writes to it,
// each by itself, and both say the same thing in the same words.
package kube
