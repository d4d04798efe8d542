package emitter

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
)

// eventually waits for what an informer brings.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

func TestFollowsThePodsOfACluster(t *testing.T) {
	client := fake.NewClientset(pod("requests", "a"), pod("unknown", "x"))
	pods := client.CoreV1().Pods("speech")
	e, err := New(Options{Models: []Model{requests}, Client: client, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if n := e.Servers("requests"); n != 1 {
		t.Fatalf("%d servers right after the start, want 1", n)
	}
	// The list is there before the watch, and the fake forgets what happens in between.
	eventually(t, "the watch begins", func() bool {
		return slices.ContainsFunc(client.Actions(), func(a ktesting.Action) bool { return a.GetVerb() == "watch" })
	})

	starting := pod("requests", "b")
	starting.Status.Conditions = nil
	if _, err := pods.Create(t.Context(), starting, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := pods.UpdateStatus(t.Context(), pod("requests", "b"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b serves", func() bool { return e.Servers("requests") == 2 })
	if _, err := pods.Update(t.Context(), marked(pod("requests", "b"), "false"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b takes no new work", func() bool { return e.Servers("requests") == 1 })
	if got := discovered(t, e); len(got) != 5 || got["/metrics/speech/a"]["pod"] != "a" || got["/metrics/speech/b"]["job"] != JobTriton {
		t.Errorf("targets: %v", got)
	}

	e.Arrive("requests", 1)
	e.Step(100 * time.Millisecond)
	if err := pods.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what ran on a is cut", func() bool { return e.Cut("requests") == 1 })
}

// discovered are the targets that /sd lists over the network: labels by path.
func discovered(t *testing.T, e *Emitter) map[string]map[string]string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/sd", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var groups []group
	if err := json.Unmarshal(body, &groups); err != nil {
		t.Fatal(err)
	}
	targets := map[string]map[string]string{}
	for _, g := range groups {
		if len(g.Targets) != 1 || "http://"+g.Targets[0] != e.URL() {
			t.Errorf("target at %v, the emitter is at %s", g.Targets, e.URL())
		}
		targets[g.Labels["__metrics_path__"]] = g.Labels
	}
	return targets
}

func TestTimeFlowsWithTheClock(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1000, 0))
	e, err := New(Options{Models: []Model{requests}, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.SetRate("requests", 100)
	eventually(t, "the emitter waits for the clock", clock.HasWaiters)
	clock.Step(10 * time.Second)
	eventually(t, "ten seconds passed", func() bool { return e.Now().Equal(time.Unix(1010, 0)) })
	if n := e.Totals("requests").Arrived; n < 800 || n > 1200 {
		t.Errorf("%d arrived in 10 s at 100 a second", n)
	}
}

func TestStartTellsWhyItCannot(t *testing.T) {
	e, err := New(Options{Models: []Model{requests}, Address: "256.0.0.1:0", Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil {
		t.Error("it listens on an address that does not exist")
	}
	e, err = New(Options{Models: []Model{requests}, Client: fake.NewClientset(), Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Start(ctx); err == nil {
		t.Error("it started though its context was over")
	}
}
