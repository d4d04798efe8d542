// Package prom runs the real Prometheus on loopback, with a history that a test gives
// it and targets that it changes while Prometheus runs.
package prom
