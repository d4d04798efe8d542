package prom_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/prom"
)

// query answers the value of an instant query, empty when it has no result.
func query(t *testing.T, s *prom.Server, expression string, at time.Time) string {
	t.Helper()
	form := url.Values{"query": {expression}, "time": {fmt.Sprint(at.Unix())}}
	answer, err := http.Get(s.Address() + "/api/v1/query?" + form.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(body.Data.Result) == 0 {
		return ""
	}
	return body.Data.Result[0].Value[1].(string)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s did not happen within two minutes", what)
}

func TestPrometheusKeepsItsHistoryAndScrapesItsTargets(t *testing.T) {
	s, err := prom.New(t.Context(), prom.Options{Dir: t.TempDir(), Interval: 200 * time.Millisecond})
	if errors.Is(err, prom.ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-40 * 24 * time.Hour) // Older than Prometheus' own retention of 15 days.
	recent := time.Now().Add(-4 * time.Hour)     // Retention is counted from the newest block.
	history := fmt.Sprintf("# TYPE demand gauge\ndemand{language=\"en\"} 42 %d\ndemand{language=\"en\"} 43 %d\n# EOF\n",
		past.Unix(), recent.Unix())
	if err := s.Backfill(t.Context(), strings.NewReader(history)); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Kill() })
	if got := query(t, s, "demand", past.Add(time.Minute)); got != "42" {
		t.Fatalf("the history of forty days ago says %q, want 42", got)
	}

	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "serving 7")
	}))
	defer target.Close()
	host := strings.TrimPrefix(target.URL, "http://")
	if err := s.SetTargets(prom.TargetGroup{Targets: []string{host}, Labels: map[string]string{"pod": "p"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a scrape", func() bool { return query(t, s, `serving{pod="p"}`, time.Now()) == "7" })

	address := s.Address()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(address); err == nil {
		t.Fatal("a killed Prometheus answers")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Address() != address {
		t.Fatalf("after a restart the address is %s, before it was %s", s.Address(), address)
	}
	if got := query(t, s, "demand", past.Add(time.Minute)); got != "42" {
		t.Fatalf("after a crash the history says %q, want 42", got)
	}
}

func TestBackfillRefusesWhatIsNoOpenMetrics(t *testing.T) {
	s, err := prom.New(t.Context(), prom.Options{Dir: t.TempDir()})
	if errors.Is(err, prom.ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backfill(t.Context(), strings.NewReader("nonsense {\n")); err == nil {
		t.Fatal("nonsense was taken as a history")
	}
}
