// Package journey lives one day of five languages on a real control plane, with the
// built program: English has ten times the traffic of each other language, one GPU
// carries the night, and the day needs another before it begins. Prometheus dies,
// the leader dies, and a person does what persons do.
//
// Real are etcd, the API server, the scheduler, the controllers, Karpenter, Prometheus
// and the program itself, three times: two that agree on a leader, and one in shadow
// mode, each with the token of the service account that configs/deploy makes. Played
// are the machines, their GPUs and the model servers.
//
// What was written is judged by the audit log of the API server alone.
package journey
