package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/observe/outlook"
)

// flat forecasts three requests a second for every model, whatever comes.
func flat(w http.ResponseWriter, r *http.Request) {
	var asked outlook.Request
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var reply outlook.Reply
	for _, s := range asked.Series {
		f := outlook.Forecast{Model: s.Model}
		for range asked.Leads {
			q := make([]float64, len(asked.Levels))
			for i := range q {
				q[i] = 3
			}
			f.Quantiles = append(f.Quantiles, q)
		}
		reply.Forecasts = append(reply.Forecasts, f)
	}
	_ = json.NewEncoder(w).Encode(reply)
}

// A forecaster outside is asked with the history of the world, its answers are what
// the loop decides on, and the record replays without it.
func TestServiceAsksTheForecasterOfItsConfiguration(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(flat))
	defer server.Close()
	files := small()
	files["service.yaml"] = `apiVersion: tessera/v1alpha1
kind: Service
spec:
  record: record.jsonl
  forecaster: {url: "` + server.URL + `/v1/forecast", timeout: 5s}
  embedded: {scenario: scenario.yaml, policy: policy.yaml, seed: 3, speed: 600}
`
	t.Chdir(files.write(t))
	r := serveInProcess(t, "--config", "service.yaml")
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"basis": "external"`) })
	r.end(t)

	record, err := os.ReadFile("record.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	var settings control.Settings
	replayed := 0
	for line := range strings.Lines(string(record)) {
		var begun struct {
			Settings *control.Settings `json:"settings"`
		}
		if err := json.Unmarshal([]byte(line), &begun); err != nil {
			t.Fatal(err)
		}
		if begun.Settings != nil {
			settings = *begun.Settings
			continue
		}
		then, now, err := control.Replay(settings, []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if string(then) != string(now) {
			t.Fatalf("the plan was %s and is %s", then, now)
		}
		if strings.Contains(line, `"basis":"external"`) {
			replayed++
		}
	}
	if replayed == 0 {
		t.Error("no decision of the record rests on the forecaster")
	}
}

// What is wrong with spec.forecaster is said with its place.
func TestBadForecasterOfTheService(t *testing.T) {
	const head = "apiVersion: tessera/v1alpha1\nkind: Service\nspec:\n"
	for text, says := range map[string]string{
		"  forecaster: {}\n":                                          "url",
		"  forecaster: {url: \"forecaster:80\"}\n":                    "write it as http",
		"  forecaster: {url: \"http://f/\", timeout: 1h}\n":           "must be",
		"  forecaster: {url: \"http://f/\", caFile: nowhere.pem}\n":   "nowhere.pem",
		"  forecaster: {url: \"http://f/\", histroy: 24h}\n":          `did you mean "history"?`,
		"  forecaster: {url: \"http://user:secret@f/\"}\n":            "token file",
		"  forecaster: {url: \"http://f/\", bearerTokenFile: \"\"}\n": "bearerTokenFile",
	} {
		files := small()
		files["service.yaml"] = head + text
		t.Chdir(files.write(t))
		got := invoke(t, "run", "--config", "service.yaml", "--listen", "127.0.0.1:0")
		failed(t, got, exitInput, says)
		if !strings.HasPrefix(got.stderr, "service.yaml:4:") {
			t.Errorf("%q: the message does not begin with its place: %q", text, got.stderr)
		}
	}
}
