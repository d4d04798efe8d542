package prometheus_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// The past of the lab: four hours of two models that ended a day ago, scraped every
// 15 s, in which half an hour is missing.
var (
	pastEnd  = time.Now().Add(-24 * time.Hour).Truncate(time.Hour)
	pastFrom = pastEnd.Add(-4 * time.Hour)
	gapFrom  = pastFrom.Add(time.Hour)
	gapTo    = gapFrom.Add(30 * time.Minute)
)

// writePast puts the past into the storage of a Prometheus that is about to start.
func writePast(dir string) error {
	var b strings.Builder
	b.WriteString("# TYPE nv_inference_request_success gauge\n")
	for i, name := range []string{"past-a", "past-b"} {
		for at := pastFrom; !at.After(pastEnd); at = at.Add(15 * time.Second) {
			if at.After(gapFrom) && at.Before(gapTo) {
				continue
			}
			count := float64(i+1) * at.Sub(pastFrom).Seconds() // 1 and 2 requests a second
			fmt.Fprintf(&b, "nv_inference_request_success{model=%q,job=\"past\",instance=\"p\"} %g %d\n", name, count, at.Unix())
		}
	}
	b.WriteString("# EOF\n")
	file := filepath.Join(dir, "past.om")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return err
	}
	out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", file, filepath.Join(dir, "data")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("promtool: %w: %s", err, out)
	}
	return nil
}

// TestHistory: bins of a minute, oldest first, aligned, gaps as gaps, and many
// models in few queries.
func TestHistory(t *testing.T) {
	l := start(t)
	models := map[fleet.ModelName]prometheus.Key{"never": {"model": "never"}}
	for _, name := range []fleet.ModelName{"past-a", "past-b"} {
		models[name] = prometheus.Key{"model": string(name)}
	}
	count := &counting{}
	r, err := prometheus.New(prometheus.Config{URL: l.url, Transport: count},
		[]prometheus.Source{{Pack: prometheus.BuiltinPacks()["triton"], Models: models, Matchers: map[string]string{"job": "past"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	until := pastEnd.Add(90 * time.Second)
	for i, name := range []fleet.ModelName{"past-a", "past-b"} {
		past, err := r.History(t.Context(), name, until)
		if err != nil {
			t.Fatal(err)
		}
		// Up to until, rounded down; the last minute had no sample any more.
		if want := int(pastEnd.Add(time.Minute).Sub(pastFrom) / time.Minute); len(past) != want {
			t.Fatalf("%s has %d bins, want %d", name, len(past), want)
		}
		for k, o := range past {
			if want := pastFrom.Add(time.Duration(k) * time.Minute); !o.At.Equal(want) {
				t.Fatalf("%s bin %d is at %v, want %v", name, k, o.At, want)
			}
			missing := !o.At.Before(gapFrom) && o.At.Before(gapTo) || !o.At.Before(pastEnd)
			if o.Known == missing {
				t.Errorf("%s at %v: known is %v", name, o.At, o.Known)
			}
			if edge := k == 0 || o.At.Equal(gapTo) || o.At.Equal(gapFrom.Add(-time.Minute)); o.Known && !edge && !near(o.Value, float64(i+1), 0.02) {
				t.Errorf("%s at %v: %v requests a second, want %d", name, o.At, o.Value, i+1)
			}
		}
	}
	if past, err := r.History(t.Context(), "never", until); err != nil || past != nil {
		t.Errorf("a model that was never seen has the history %v, %v", past, err)
	}
	if count.n != 1+5 { // the clock, and 14 days in chunks of 11,000 minutes for three models
		t.Logf("requests: %d", count.n)
	}
	if count.n > 6 {
		t.Errorf("three models took %d requests", count.n)
	}
	if _, err := r.History(t.Context(), "stranger", until); err == nil || !strings.Contains(err.Error(), "names the model") {
		t.Errorf("a model of no source has a history: %v", err)
	}
	// What has not ended is not asked for, however far ahead our clock is.
	if past, err := r.History(t.Context(), "past-a", time.Now().Add(10*24*time.Hour)); err != nil || len(past) == 0 {
		t.Errorf("with a clock ten days ahead: %d bins, %v", len(past), err)
	}
}

func near(got, want, tolerance float64) bool {
	return got >= want*(1-tolerance) && got <= want*(1+tolerance)
}
