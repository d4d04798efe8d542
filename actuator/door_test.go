package actuator_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Reads pass always; writes pass through an open door and for a plan, which the
// server is told; behind a shut door nothing arrives.
func TestDoor(t *testing.T) {
	lost := func() error { return errors.New("another may lead") }
	var agents []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents = append(agents, r.Method+" "+r.Header.Get("User-Agent"))
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	for _, tt := range []struct {
		method   string
		may      func() error
		plan     fleet.PlanID
		agent    string // that arrives; empty: nothing does
		withheld bool
	}{
		{http.MethodGet, actuator.Shut, "", "GET tessera/1", false},
		{http.MethodGet, actuator.Open, "plan-1", "GET tessera/1", false},
		{http.MethodPut, actuator.Open, "plan-1", "PUT tessera/1 (plan plan-1)", false},
		{http.MethodPatch, actuator.Open, "", "", false},
		{http.MethodPost, actuator.Shut, "plan-1", "", true},
		{http.MethodDelete, actuator.Shut, "", "", true},
		{http.MethodPut, lost, "plan-1", "", false},
		{http.MethodGet, lost, "", "GET tessera/1", false},
	} {
		agents = nil
		client := http.Client{Transport: actuator.Door(http.DefaultTransport, tt.may, "tessera/1")}
		r, err := http.NewRequestWithContext(actuator.WithPlan(t.Context(), tt.plan), tt.method, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if got := strings.Join(agents, ","); got != tt.agent {
			t.Errorf("%s, %v at the door, plan %q: %q arrived, want %q", tt.method, tt.may(), tt.plan, got, tt.agent)
		}
		if errors.Is(err, control.ErrWithheld) != tt.withheld || (err == nil) != (tt.agent != "") {
			t.Errorf("%s, %v at the door, plan %q: %v", tt.method, tt.may(), tt.plan, err)
		}
		if err == nil {
			again := resp.Header.Get("Retry-After") != ""
			if again == (tt.method != http.MethodGet) {
				t.Errorf("%s: told to send again %t", tt.method, again)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}
