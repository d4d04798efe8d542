package console

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// get asks a server's handler without a network.
func get(t *testing.T, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestThePageTellsModelsReasonsAndMoney(t *testing.T) {
	b, _, _ := board()
	b.Publish(fixture())
	w := get(t, NewServer("", b), "/")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	text := html.UnescapeString(w.Body.String())
	for what, want := range map[string]string{
		"a model":                  "transcribe-fr",
		"the world":                "embedded world, 600x",
		"its time":                 "12:00:00",
		"the plan":                 "start replica-4 (transcribe-de fp16) on node-00001/0@6",
		"its reason":               "transcribe-de needs 12/s by 12:10, has 8/s",
		"a loser's number":         "costs $5.07/h more",
		"what became of a step":    "conflict",
		"what was held back":       "transcribe-no stays: arrivals is unknown",
		"why a signal is unknown":  "no signal of this model",
		"the money of an hour":     "$10.14",
		"the money of today":       "$61.50",
		"the money of the month":   "$1\u202f234.56",
		"attainment, rounded down": "98.67 %", // (30·0.999 + 10·0.95)/40 = 0.98675
		"a draining slice":         `class="slice at-4 size-2 draining lang-1"`,
		"a ready slice":            `class="slice at-0 size-4 ready lang-2"`,
		"a free slice":             `class="slice at-6 size-1 free lang-0"`,
		"memory outside of slices": `class="slice at-7 size-1 uncut lang-0"`,
		"a way without a script":   `<noscript><meta http-equiv="refresh"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s: %q", what, want)
		}
	}
}

// A name that somebody chose is text, wherever it stands, and the page needs no
// inline script or style, which the content security policy would refuse.
func TestHostileNamesStayText(t *testing.T) {
	const evil = `"><script>alert(1)</script>{{.}}' onload='x`
	s := fixture()
	s.World, s.PolicyError = evil, evil
	s.Settings.Policy.Name = evil
	s.Settings.Policy.Budgets[1].Group = evil
	s.Settings.Policy.Models[0].Name, s.Settings.Policy.Models[0].Language, s.Settings.Policy.Models[0].Class = evil, evil, evil
	s.Record.Inputs.Snapshot.Replicas[0].Model = evil
	s.Record.Inputs.Snapshot.Nodes[0].ID = evil
	s.Record.Inputs.Snapshot.Models[0].Arrivals = fleet.Unknown(evil)
	s.Record.Plan.ID = evil
	s.Record.Plan.Steps = []fleet.Step{fleet.DrainNode{Node: evil, Reason: fleet.Because(evil, evil, evil)}}
	s.Record.Plan.Held = []fleet.Reason{fleet.Because(evil)}
	s.Record.Plan.Candidates[0] = fleet.Candidate{Name: evil, Layout: evil, Unmet: evil, Verdict: evil}
	s.Record.Outcomes = []control.Outcome{{Step: "drain-node " + evil, Result: evil, Detail: evil}}
	b, _, _ := board()
	b.Publish(s)
	b.SetNotReady(evil)

	body := get(t, NewServer("", b), "/").Body.String()
	if strings.Contains(body, "<script>") {
		t.Error("a name became a script")
	}
	inline := regexp.MustCompile(`<[a-z]+[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*\s(style|on[a-z]+)=`)
	if found := inline.FindString(body); found != "" {
		t.Errorf("an attribute that the content security policy refuses: %s", found)
	}
	if n := strings.Count(body, "<script"); n != 1 {
		t.Errorf("%d scripts on the page", n)
	}
	if !strings.Contains(html.UnescapeString(body), evil) {
		t.Error("the name is not shown at all")
	}
}

func TestTheStateAsJSON(t *testing.T) {
	b, _, _ := board()
	b.Publish(fixture())
	w := get(t, NewServer("", b), "/api/state")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	golden(t, "state.json", w.Body.String())
}

func TestTheStateBeforeTheFirstTickIsJSONToo(t *testing.T) {
	b, _, _ := board()
	var v map[string]any
	if err := json.Unmarshal(get(t, NewServer("", b), "/api/state").Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if v["published"] != false {
		t.Errorf("published = %v", v["published"])
	}
}

func TestAReaderWhoHasTheStateGetsNothingNew(t *testing.T) {
	b, _, now := board()
	b.Publish(fixture())
	s := NewServer("", b)
	ask := func(tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/state", nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	tag := ask("").Header().Get("ETag")
	if w := ask(tag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("status %d with %d bytes for a state that is known", w.Code, w.Body.Len())
	}
	b.SetNotReady("later")
	if w := ask(tag); w.Code != http.StatusOK {
		t.Errorf("status %d for a state that has changed", w.Code)
	}
	b.SetNotReady("")
	tag = ask("").Header().Get("ETag")
	*now = now.Add(defaultStaleAfter + 1)
	if w := ask(tag); w.Code != http.StatusOK {
		t.Errorf("status %d when time alone made the service unready", w.Code)
	}
}
