package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// diagnostics collects what a service logs and lets a test wait for a text.
type diagnostics struct {
	mu     sync.Mutex
	text   bytes.Buffer
	change chan struct{} // closed and replaced by every line
}

func newDiagnostics() *diagnostics { return &diagnostics{change: make(chan struct{})} }

func (d *diagnostics) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.change)
	d.change = make(chan struct{})
	return d.text.Write(p)
}

func (d *diagnostics) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// await waits until a text was logged, and returns what follows it in its line.
func (d *diagnostics) await(t *testing.T, ended <-chan int, text string) string {
	t.Helper()
	for {
		d.mu.Lock()
		all, change := d.text.String(), d.change
		d.mu.Unlock()
		if _, rest, found := strings.Cut(all, text); found && strings.Contains(rest, "\n") {
			rest, _, _ = strings.Cut(rest, "\n")
			return rest
		}
		select {
		case <-change:
		case code := <-ended:
			t.Fatalf("it ended with exit code %d before it said %q: %s", code, text, d)
		case <-t.Context().Done():
			t.Fatalf("it never said %q: %s", text, d)
		}
	}
}

// running is a service in this process.
type running struct {
	log   *diagnostics
	url   string
	stop  context.CancelFunc
	ended chan int
}

// serveInProcess starts the service on a free port.
func serveInProcess(t *testing.T, args ...string) *running {
	t.Helper()
	t.Setenv("TESSERA_DATA", "")
	ctx, stop := context.WithCancel(t.Context())
	r := &running{log: newDiagnostics(), stop: stop, ended: make(chan int, 1)}
	var out bytes.Buffer
	go func() {
		code := run(ctx, append([]string{"run", "--listen", "127.0.0.1:0"}, args...), &out, r.log)
		if out.Len() > 0 {
			code = -1 // nothing belongs on stdout
		}
		r.ended <- code
	}()
	t.Cleanup(stop)
	r.url = "http://" + strings.Fields(r.log.await(t, r.ended, "url=http://"))[0]
	return r
}

// get answers the status and the body of a page.
func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // only read from
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// until asks for a page again and again until the answer is right.
func (r *running) until(t *testing.T, path string, right func(status int, body string) bool) {
	t.Helper()
	for {
		if status, body := r.get(t, path); right(status, body) {
			return
		}
	}
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if code := <-r.ended; code != exitOK {
		t.Errorf("exit code %d (-1: it printed on stdout): %s", code, r.log)
	}
}

// The service, from its configuration file to its end.
func TestServiceRunsTheWorldOfItsConfiguration(t *testing.T) {
	files := small()
	files["service.yaml"] = `apiVersion: tessera/v1alpha1
kind: Service
spec:
  record: record.jsonl
  embedded: {scenario: scenario.yaml, policy: policy.yaml, seed: 3, speed: 1500}
`
	t.Chdir(files.write(t))
	r := serveInProcess(t, "--config", "service.yaml")
	r.until(t, "/readyz", func(status int, _ string) bool { return status == http.StatusOK })
	if status, page := r.get(t, "/"); status != http.StatusOK || !strings.Contains(page, "transcribe-fr") {
		t.Errorf("the page has status %d and is %.200q", status, page)
	}
	r.until(t, "/metrics", func(_ int, text string) bool {
		return strings.Contains(text, "\ntessera_policy_last_reload_successful 1\n")
	})

	// A bad policy changes nothing but what is said about it; a good one is taken.
	good := files["policy.yaml"]
	replace("policy.yaml", strings.Replace(good, "minReplicas: 1", "minReplicas: one", 1))(t)
	r.log.await(t, r.ended, "the last good policy stays in force")
	r.until(t, "/metrics", func(_ int, text string) bool {
		return strings.Contains(text, "\ntessera_policy_last_reload_successful 0\n")
	})
	r.until(t, "/readyz", func(status int, _ string) bool { return status == http.StatusOK })
	replace("policy.yaml", strings.Replace(good, "  - {name: summarize-no, language: \"no\", class: summary, group: meetings, profile: llm}\n", "", 1))(t)
	r.log.await(t, r.ended, "model summarize-no is gone")
	replace("policy.yaml", strings.Replace(good, "name: small", "name: other", 1))(t)
	r.log.await(t, r.ended, "policy loaded")
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"name": "other"`) })
	r.until(t, "/metrics", func(_ int, text string) bool {
		return strings.Contains(text, "\ntessera_policy_last_reload_successful 1\n")
	})

	r.end(t)
	record, err := os.ReadFile("record.jsonl")
	if err != nil || !strings.HasSuffix(string(record), "}\n") || strings.Count(string(record), `{"settings":`) < 2 {
		t.Errorf("the record (%v) has %d bytes and settings %d times", err, len(record), strings.Count(string(record), `{"settings":`))
	}
}

func TestBadConfigurationOfTheService(t *testing.T) {
	const head = "apiVersion: tessera/v1alpha1\nkind: Service\nspec:\n"
	files := small()
	for name, tt := range map[string]struct {
		text string
		at   string
		says string
	}{
		"misspelt key":     {head + "  listn: 127.0.0.1:0\n", "service.yaml:4:3: ", `did you mean "listen"?`},
		"speed":            {head + "  embedded: {speed: 1e6}\n", "service.yaml:4:21: ", "must be"},
		"other kind":       {strings.Replace(head, "Service", "Scenario", 1), "service.yaml:2:7: ", `"Service"`},
		"empty":            {"", "service.yaml:1:1: ", "empty"},
		"bad scenario":     {head + "  embedded: {scenario: policy.yaml}\n", "policy.yaml:2:7: ", `"Scenario"`},
		"missing scenario": {head + "  embedded: {scenario: nowhere.yaml}\n", "", "nowhere.yaml"},
		"bad policy":       {head + "  embedded: {scenario: scenario.yaml, policy: catalog.yaml}\n", "catalog.yaml:2:7: ", `"FleetPolicy"`},
	} {
		t.Run(name, func(t *testing.T) {
			files["service.yaml"] = tt.text
			t.Chdir(files.write(t))
			got := invoke(t, "run", "--config", "service.yaml", "--listen", "127.0.0.1:0")
			failed(t, got, exitInput, tt.says)
			if !strings.HasPrefix(got.stderr, tt.at) {
				t.Errorf("the message does not begin with %q: %q", tt.at, got.stderr)
			}
		})
	}
	failed(t, invoke(t, "run", "--config", "nowhere.yaml"), exitInput, "nowhere.yaml")
	failed(t, invoke(t, "run", "--policy", "nowhere.yaml", "--listen", "127.0.0.1:0"), exitInput, "nowhere.yaml")
}

// The policy of the flag lies on disk, whatever is built in under the same name.
func TestPolicyFlagIsNeverTheBuiltInPolicy(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop() // what is good so far comes no further
	for _, name := range []string{"policy.yaml", "quickstart.yaml"} {
		t.Chdir(t.TempDir())
		failed(t, invokeWithin(ctx, t, "run", "--listen", "127.0.0.1:0", "--policy", name), exitInput, name)
		replace(name, "apiVersion: tessera/v1alpha1\nkind: Elephant\n")(t)
		failed(t, invokeWithin(ctx, t, "run", "--listen", "127.0.0.1:0", "--policy", name), exitInput, name+":2:7: ", "FleetPolicy")
	}
}

// Two services on one address: the second says so and ends.
func TestAddressInUseIsAFailure(t *testing.T) {
	t.Chdir(small().write(t))
	replace("service.yaml", "apiVersion: tessera/v1alpha1\nkind: Service\nspec: {embedded: {scenario: scenario.yaml}}\n")(t)
	r := serveInProcess(t, "--config", "service.yaml")
	address := strings.TrimPrefix(r.url, "http://")
	failed(t, invoke(t, "run", "--config", "service.yaml", "--listen", address), exitFailure, fmt.Sprintf("serve the console on %s", address))
	r.end(t)
}
