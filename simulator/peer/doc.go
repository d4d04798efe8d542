// Package peer is what others would do with the same models, nodes and traffic:
// Kubernetes without Tessera.
//
// A Cluster is Deployments, a scheduler and a node autoscaler. A Scaler says how
// many replicas every model shall have. Those made by NewScaler are re-written
// from the published formulas of the autoscalers they are named after, with their
// published defaults; each file names its source. A program that embeds the real
// code of one of them gives NewCluster a Scaler of its own.
//
// A Cluster sees through control.Observer and acts through control.Actuator, as
// Tessera does, and is a simulator.Controller. It knows nothing of money: no peer
// limits by it. It never cuts a GPU anew: a node keeps the geometry of its pool.
package peer
