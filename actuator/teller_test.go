package actuator_test

import (
	"log/slog"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// An event bears its plan and goes through the door; in shadow mode it is logged.
func TestTeller(t *testing.T) {
	about := &corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: "n-1", UID: "u"}
	for _, open := range []bool{true, false} {
		api := newAPI(monday)
		arrived := make(chan string, 1)
		api.before = func(_, path string) int { arrived <- path; return 0 }
		may := actuator.Shut
		if open {
			may = actuator.Open
		}
		client := kubernetes.NewForConfigOrDie(&rest.Config{
			Host: "http://api", ContentConfig: rest.ContentConfig{ContentType: "application/json"},
			Transport: actuator.Door(api, may, "tessera/test"),
		})
		var log strings.Builder
		teller, stop := actuator.NewTeller(client, "tessera", open, slog.New(slog.NewTextHandler(&log, nil)))
		teller.Tell(about, actuator.Normal, "NodeReady", "is ready: 100% of it", fleet.PlanID("plan-1"))
		if !open {
			stop()
			if len(arrived) > 0 || !strings.Contains(log.String(), "is ready: 100% of it") {
				t.Errorf("%d arrived, log %s", len(arrived), log.String())
			}
			continue
		}
		if path := <-arrived; path != "/api/v1/namespaces/default/events" {
			t.Errorf("written to %s", path)
		}
		stop()
	}
}
