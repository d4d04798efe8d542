package actuator

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// planKey is the key of a plan in a context.
type planKey struct{}

// WithPlan says for which plan the requests of a context are made. Of an empty plan
// the context bears none.
func WithPlan(ctx context.Context, plan fleet.PlanID) context.Context {
	return context.WithValue(ctx, planKey{}, plan)
}

// Open is the word for a Door through which every write with a plan may pass.
func Open() error { return nil }

// Shut is the word for a Door through which no write passes, as in shadow mode.
func Shut() error { return control.ErrWithheld }

// Door is the last door: every request of the actuator's clients goes through it.
// Reads pass. A write passes only if its context bears a plan, which is appended to
// the User-Agent, so that the API server's audit log tells for which plan each write
// was made, and if may, which is asked at every write, says so: Open, Shut, or the
// word of whoever knows whether this process still leads. Otherwise nothing is sent,
// and the error wraps what may said.
//
// A write is sent once: the answer's Retry-After is taken off, because the client
// would send the same number again without looking.
func Door(next http.RoundTripper, may func() error, userAgent string) http.RoundTripper {
	return door{next: next, may: may, userAgent: userAgent}
}

type door struct {
	next      http.RoundTripper
	may       func() error
	userAgent string
}

// RoundTrip lets a request through, or not.
func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	agent, write := d.userAgent, true
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "":
		write = false
	}
	if write {
		plan, _ := r.Context().Value(planKey{}).(fleet.PlanID)
		if err := d.may(); err != nil {
			return nil, closed(r, fmt.Errorf("%s %s is not sent: %w", r.Method, r.URL.Path, err))
		}
		if plan == "" {
			return nil, closed(r, fmt.Errorf("%s %s is not sent: it is made for no plan", r.Method, r.URL.Path))
		}
		agent = fmt.Sprintf("%s (plan %s)", agent, plan)
	}
	out := r.Clone(r.Context())
	out.Header.Set("User-Agent", agent)
	resp, err := d.next.RoundTrip(out)
	if err == nil && write {
		resp.Header.Del("Retry-After")
	}
	return resp, err
}

// closed closes the body of a request that is not sent, as a RoundTripper must.
func closed(r *http.Request, err error) error {
	if r.Body != nil {
		if closing := r.Body.Close(); closing != nil {
			return fmt.Errorf("%w (and its body: %w)", err, closing)
		}
	}
	return err
}
