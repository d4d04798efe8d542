package control

import (
	"context"
	"errors"
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

// An Actuator changes the world for a plan. What it does may take longer than a
// tick, as a node that arrives, a GPU that is cut or a stream that ends does; so
// Do begins, and Settle goes on with what was begun.
//
// Every write bears the id of the plan for which it is made.
type Actuator interface {
	// Do carries out one step of a plan. A step that was carried out before is a
	// no-op; a step whose precondition no longer holds is an error, and is never
	// sent again as it is: the next tick plans anew. ErrWithheld says that the step
	// could be done and was not.
	Do(ctx context.Context, plan fleet.PlanID, step fleet.Step) error
	// Settle goes on with what earlier plans began and keeps what must outlive
	// this process. It is called at the end of every tick, with the snapshot that
	// the tick decided on. Its error is told and changes nothing that was decided.
	Settle(ctx context.Context, plan fleet.PlanID, seen fleet.Snapshot) error
}

// ErrWithheld is the answer of an actuator that has its last door shut: the step
// would be carried out as it is, and nothing was written.
var ErrWithheld = errors.New("withheld: shadow mode writes nothing")

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
