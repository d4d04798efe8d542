package peer

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Scaler is a replica autoscaler of Kubernetes: how many replicas each model shall
// have. It is not safe for concurrent use.
type Scaler interface {
	// Every is its sync period.
	Every() time.Duration
	// Scale answers the replicas wanted, one number for each view, in order; -1
	// keeps what is. The cluster holds the answer within the Deployment's minimum
	// and maximum.
	Scale(now time.Time, models []View) []int
}

// Keep is the answer of a Scaler that leaves a Deployment as it is.
const Keep = -1

// View is what a Scaler sees of a model. Of the signals, what could not be
// measured is unknown.
type View struct {
	Model       fleet.Model
	Replicas    int          // asked for: the Deployment's spec.replicas
	Ready       int          // that serve, those that are about to be replaced included
	Concurrency fleet.Signal // requests in service and waiting, over all replicas that take work, at this instant
	Backlog     fleet.Signal // requests that wait: consumer lag
	Arrivals    fleet.Signal // requests a second, last whole minute
	Utilisation fleet.Signal // share of the replicas' time that was busy, last whole minute
	Attainment  fleet.Signal // share within the SLO, last minutes
}

// Known is what a static peer is told of a model's traffic that is scored, in
// average requests a second.
type Known struct {
	Peak float64 `json:"peak"` // busiest minute
	Mean float64 `json:"mean"`
}
