package console

import (
	"encoding/json"
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// A process that stands by ticks nothing: it is alive while it says so, ready while
// its world is, and shows nothing of a term that is over.
func TestStandingByIsReadyAndShowsNothingStale(t *testing.T) {
	b, _, now := board()
	s := NewServer("", b)
	b.Publish(fixture())
	b.StandBy("tessera-1_4711")
	w := get(t, s, "/readyz")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "tessera-1_4711 leads") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if text := exposed(t, b); !strings.Contains(text, "\ntessera_leader 0\n") || strings.Contains(text, "tessera_demand") {
		t.Errorf("the metrics of an earlier term are still there:\n%s", text)
	}
	if page := get(t, s, "/").Body.String(); !strings.Contains(page, "standby") || strings.Contains(page, "transcribe-fr") {
		t.Error("the page does not say standby, or shows what an earlier term saw")
	}
	var state struct {
		Standby bool   `json:"standby"`
		Leader  string `json:"leader"`
	}
	if err := json.Unmarshal(get(t, s, "/api/state").Body.Bytes(), &state); err != nil || !state.Standby || state.Leader != "tessera-1_4711" {
		t.Errorf("the state tells %+v (%v)", state, err)
	}

	b.SetCheck("cluster", "the API server does not answer")
	if w := get(t, s, "/readyz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "the API server does not answer") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	b.SetCheck("cluster")

	*now = now.Add(time.Hour)
	if w := get(t, s, "/healthz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("alive without a sign of life for an hour: %s", w.Body)
	}
	b.Beat()
	if w := get(t, s, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("not alive: %s", w.Body)
	}

	b.Lead()
	if text := exposed(t, b); !strings.Contains(text, "\ntessera_leader 1\n") {
		t.Error("it leads, and the metrics do not say so")
	}
	if w := get(t, s, "/readyz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("ready before the first tick of its term: %s", w.Body)
	}
	b.Publish(fixture())
	if w := get(t, s, "/readyz"); w.Code != http.StatusOK {
		t.Errorf("not ready: %s", w.Body)
	}
}

// A loop whose pace is slower than the probes' own patience stands not still.
func TestASlowPaceIsNoStandstill(t *testing.T) {
	b, _, now := board()
	s := NewServer("", b)
	b.Publish(fixture())
	b.Expect(10 * time.Minute)
	for gone, alive := range map[time.Duration]bool{29 * time.Minute: true, 31 * time.Minute: false} {
		*now = wall.Add(gone)
		for _, path := range []string{"/healthz", "/readyz"} {
			if w := get(t, s, path); (w.Code == http.StatusOK) != alive {
				t.Errorf("%v after the last of ticks every ten minutes, %s says %s", gone, path, w.Body)
			}
		}
	}
}

// What the world lacks is said, every sentence of it, and taken back.
func TestChecksOfTheWorldHoldOrSayWhy(t *testing.T) {
	b, _, _ := board()
	s := NewServer("", b)
	b.Publish(fixture())
	before := b.look(false).revision
	b.SetCheck("access", "may not update deployments/scale in namespace speech", "may not create evictions in namespace speech")
	text := get(t, s, "/readyz").Body.String()
	page := html.UnescapeString(get(t, s, "/").Body.String())
	for _, says := range []string{"may not update deployments/scale in namespace speech", "may not create evictions in namespace speech"} {
		if !strings.Contains(text, says) || !strings.Contains(page, says) {
			t.Errorf("nobody says %q: %s", says, text)
		}
	}
	if b.look(false).readiness(time.Minute).Ready {
		t.Error("ready while a condition of the world does not hold")
	}
	after := b.look(false).revision
	b.SetCheck("access", "may not update deployments/scale in namespace speech", "may not create evictions in namespace speech")
	if b.look(false).revision != after || after == before {
		t.Error("the revision does not follow what can be seen")
	}
	b.SetCheck("access")
	if !b.look(false).readiness(time.Minute).Ready {
		t.Error("still not ready")
	}
}

// What a check says is no doubt beside it.
func TestADoubtThatACheckSaysIsSaidOnce(t *testing.T) {
	b, _, _ := board()
	s := NewServer("", b)
	f := fixture()
	f.Record.Inputs.Snapshot.Doubts = append(f.Record.Inputs.Snapshot.Doubts, fleet.Doubt{Subject: "prometheus", Cause: "connection refused"})
	b.Publish(f)
	for _, troubles := range [][]string{nil, {"connection refused: start it"}} {
		b.SetCheck("prometheus", troubles...)
		_, page, _ := strings.Cut(get(t, s, "/part").Body.String(), "</header>") // whose hint lists the checks
		for where, text := range map[string]string{"/readyz": get(t, s, "/readyz").Body.String(), "the page": page} {
			if n := strings.Count(text, "connection refused"); n != 1 {
				t.Errorf("with the check at %q, %s says it %d times", troubles, where, n)
			}
		}
	}
}

// A page without a tick says first of all whether it is ready, and every sentence of
// every check by itself.
func TestThePageBeforeTheFirstTickSaysWhatIsWrong(t *testing.T) {
	b, _, _ := board()
	s := NewServer("", b)
	b.SetCheck("access", "may not patch pods", "may not patch nodes")
	page := get(t, s, "/").Body.String()
	for _, says := range []string{"<span>not ready</span>", "<p>may not patch pods</p><p>may not patch nodes</p>"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	b.SetCheck("access")
	b.StandBy("")
	if page := get(t, s, "/").Body.String(); !strings.Contains(page, "<span>ready</span>") {
		t.Error("a process that stands by does not look ready")
	}
}

// Doubts and holds are listed and stop nothing.
func TestDoubtsAndHoldsAreTold(t *testing.T) {
	b, _, _ := board()
	s := NewServer("", b)
	b.Publish(fixture())
	ready := get(t, s, "/readyz")
	if ready.Code != http.StatusOK {
		t.Errorf("a doubt makes the service unready: %s", ready.Body)
	}
	page := html.UnescapeString(get(t, s, "/").Body.String())
	for _, says := range []string{"it lacks the label tessera.dev/variant: add it", "so that nothing is bought"} {
		if !strings.Contains(ready.Body.String(), says) || !strings.Contains(page, says) {
			t.Errorf("the doubt %q is not told", says)
		}
	}
	for _, says := range []string{"kubectl-scale", "11:50:00", "12:20:00"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q of the hold", says)
		}
	}
	text := exposed(t, b)
	for _, line := range []string{"\ntessera_doubts 2\n", "\ntessera_holds 1\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("the metrics lack %q", line)
		}
	}
}

// In shadow mode the page says would, and does not claim that a step was done.
func TestWithheldStepsReadAsWould(t *testing.T) {
	b, _, _ := board()
	s := fixture()
	s.Mode = ModeShadow
	for i := range s.Record.Outcomes {
		s.Record.Outcomes[i] = control.Outcome{Step: s.Record.Outcomes[i].Step, Result: control.Withheld, Detail: control.ErrWithheld.Error()}
	}
	b.Publish(s)
	page := html.UnescapeString(get(t, NewServer("", b), "/").Body.String())
	for _, says := range []string{`would <b>start replica-4`, `<span class="result withheld">would</span>`, "shadow mode writes nothing"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	if strings.Contains(page, ">done<") {
		t.Error("the page claims that a step was done")
	}
}

// Each stage that ends is counted once, with the offering of its node; those that
// were over when the process first looked are somebody else's.
func TestEveryStageIsCountedOnce(t *testing.T) {
	b, _, _ := board()
	s := fixture()
	count := func() int { return testutil.CollectAndCount(b.counts.leads) }
	b.Publish(s)
	if n := count(); n != 0 {
		t.Errorf("%d series of what was over before", n)
	}
	s = fixture()
	nodes, replicas := s.Record.Inputs.Snapshot.Nodes, s.Record.Inputs.Snapshot.Replicas
	nodes[1].Stages = []fleet.Stage{{Name: "node", Began: noon.Add(-4 * time.Minute), Ended: noon}}
	replicas[2].Stages = []fleet.Stage{{Name: "image", Began: noon.Add(-100 * time.Second), Ended: noon}}
	for range 3 {
		b.Publish(s)
	}
	text := exposed(t, b)
	for _, line := range []string{
		`tessera_lead_time_seconds_count{offering="a2-ultragpu-1g",stage="node"} 1`,
		`tessera_lead_time_seconds_sum{offering="a2-ultragpu-1g",stage="node"} 240`,
		`tessera_lead_time_seconds_count{offering="a2-ultragpu-1g",stage="image"} 1`,
		`tessera_lead_time_seconds_sum{offering="a2-ultragpu-1g",stage="image"} 100`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	nodes[1].Stages = append(nodes[1].Stages, fleet.Stage{Name: "geometry", Began: noon, Ended: noon.Add(time.Minute)})
	b.Publish(s)
	nodes[1].Stages[1].Began, nodes[1].Stages[1].Ended = noon.Add(time.Hour), noon.Add(62*time.Minute) // cut anew
	b.Publish(s)
	if text := exposed(t, b); !strings.Contains(text, `tessera_lead_time_seconds_count{offering="a2-ultragpu-1g",stage="geometry"} 2`) {
		t.Error("a second stage of the same name is not counted")
	}
}
