// Package rig runs a real Kubernetes control plane on this machine, without containers:
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler as plain processes
// on loopback, KWOK in place of the kubelets, and if wanted Karpenter with its kwok
// provider, which brings nodes when a NodeClaim asks for one.
//
// Nothing of Kubernetes is faked but the machines: pods are placed by the real
// scheduler, evictions pass the real disruption budgets, permissions are judged by
// real RBAC, and the audit log holds every write, whoever made it. KWOK's pods run
// nothing; a GPU is an allocatable resource that package gpu reports.
//
// The servers are built by test/cluster/build, once.
package rig
