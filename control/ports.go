package control

import (
	"context"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// An Observer sees the fleet. What it could not measure is unknown in the
// snapshot; an error means that there is no snapshot at all, and the tick does
// nothing.
type Observer interface {
	Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error)
}

// An Actuator carries out one step. A step that was carried out before is a
// no-op; a step whose precondition no longer holds is an error, and is never
// sent again as it is: the next tick plans anew.
type Actuator interface {
	Do(ctx context.Context, step fleet.Step) error
}

// A Journal keeps settings and records in the order in which they were given.
type Journal interface {
	Begin(ctx context.Context, s Settings) error
	Append(ctx context.Context, r Record) error
}

// A Historian knows the demand of a model before the loop began: bins of one
// minute, oldest first, gaps marked as such.
type Historian interface {
	History(ctx context.Context, model fleet.ModelName, until time.Time) ([]forecast.Observation, error)
}
