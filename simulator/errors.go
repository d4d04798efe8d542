package simulator

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Refusal tells why the world did not do a step.
type Refusal string

// The refusals. None of them is cured by sending the same step again.
const (
	NotThere     Refusal = "not there"     // what the step acts on does not exist
	Conflict     Refusal = "conflict"      // the state of the fleet is in the way
	Impossible   Refusal = "impossible"    // no state of the fleet allows it
	OutOfStock   Refusal = "out of stock"  // nobody sells such a node at present
	LimitReached Refusal = "limit reached" // as many nodes as the offering's limit are there
)

// StepError is a step that the world refused.
type StepError struct {
	Step    fleet.Step
	Refusal Refusal
	Detail  string
}

// Error says the act, the kind of refusal and its detail.
func (e *StepError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Step.Describe(), e.Refusal, e.Detail)
}

func refuse(step fleet.Step, why Refusal, format string, args ...any) error {
	return &StepError{Step: step, Refusal: why, Detail: fmt.Sprintf(format, args...)}
}
