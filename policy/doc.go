// Package policy says what is wanted and what may be spent: the resolved
// FleetPolicy, the sizing of models for their service levels, the purse with its
// caps, and the guard that every plan passes.
//
// Everything here is a function of its arguments. Files are decoded from bytes
// that the caller read; time comes with the snapshot.
package policy
