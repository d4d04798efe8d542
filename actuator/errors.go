package actuator

import (
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tessera-autoscaler/tessera/control"
)

// Kind is what an error means for whoever gets it.
type Kind string

// The kinds of error. What is of no kind is a fault of the way to the API server.
const (
	Conflict  Kind = "conflict"  // somebody else wrote first; the next tick plans anew
	NotThere  Kind = "not-there" // what the step is about is gone
	Refused   Kind = "refused"   // a precondition does not hold; the sentence says how to mend it
	Forbidden Kind = "forbidden" // the API server does not let us; the sentence says what to grant
)

// Error is an error of a kind, as a sentence.
type Error struct {
	Kind     Kind
	Sentence string
	Err      error // the cause, nil where the sentence says it all
}

// Error is the sentence and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Sentence
	}
	return e.Sentence + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error, empty when it is of none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

func refuse(format string, args ...any) error {
	return &Error{Kind: Refused, Sentence: fmt.Sprintf(format, args...)}
}

func notThere(format string, args ...any) error {
	return &Error{Kind: NotThere, Sentence: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &Error{Kind: Conflict, Sentence: fmt.Sprintf(format, args...)}
}

// call names a request to the API server, for its error.
type call struct {
	verb, resource, namespace, name string
}

// failed says what became of a request; nil when it was answered well.
func (c call) failed(err error) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("%s %s %s", c.verb, c.resource, c.name)
	where := "in the cluster, with a ClusterRole"
	if c.namespace != "" {
		what, where = what+" in namespace "+c.namespace, "in namespace "+c.namespace
	}
	switch {
	case errors.Is(err, control.ErrWithheld):
		return fmt.Errorf("%s: %w", what, control.ErrWithheld)
	case apierrors.IsForbidden(err):
		return &Error{Forbidden, fmt.Sprintf("cannot %s: grant the verb %s on %s %s", what, c.verb, c.resource, where), err}
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return &Error{Conflict, what + " met a newer version, so that the next tick plans anew", err}
	case apierrors.IsNotFound(err):
		return &Error{NotThere, what, err}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err):
		return &Error{Refused, what + " is refused by the API server", err}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// budgetHolds tells whether an eviction was refused because a disruption budget has
// nothing left at the moment.
func budgetHolds(err error) bool { return apierrors.IsTooManyRequests(err) }

// budgetsClash tells whether an eviction will never be let through, because several
// disruption budgets select the pod.
func budgetsClash(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Code == http.StatusInternalServerError
}
