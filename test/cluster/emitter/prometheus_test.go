package emitter

import (
	"bytes"
	"context"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// TestARealPrometheusSeesHistoryAndPresent backfills two days, starts Prometheus on
// them, and lets it follow the pods as they come and go.
func TestARealPrometheusSeesHistoryAndPresent(t *testing.T) {
	t.Parallel()
	binary, tool := installed(t, "prometheus"), installed(t, "promtool")
	const busy = 20
	models := []Model{
		{Name: "a", Speeds: map[string]Speed{AnyKind: {PerSecond: 100, Latency: 50 * time.Millisecond}}, SLO: time.Second},
		{Name: "b", Pack: VLLM, Speeds: map[string]Speed{AnyKind: {PerSecond: 100, Latency: 50 * time.Millisecond}}, SLO: time.Second},
		{Name: "c", Speeds: fast, SLO: time.Minute, Topic: "jobs", Partitions: 2},
	}
	e, err := New(Options{Models: models, Rate: func(string, time.Time) float64 { return busy }})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Close()

	now := time.Now().Truncate(time.Second)
	yesterday := now.Add(-24 * time.Hour) // the busy hour is around this time of the day
	rise := now.Add(-30 * time.Minute).UTC()
	midnight := time.Duration(rise.Hour())*time.Hour + time.Duration(rise.Minute())*time.Minute
	data := t.TempDir()
	blocks(t, tool, data, models, now, Daily(2, busy, midnight, time.Hour))
	e.Apply(pod("a", "a-1"))
	e.Apply(pod("b", "b-1"))
	prometheus := start(t, binary, data, e.ScrapeConfig(500*time.Millisecond))

	for _, query := range []string{
		`sum by (model)(rate(gateway_requests_total{model="a"}[5m]))`,
		`sum by (model)(rate(nv_inference_request_success{model="a"}[5m]))`,
		`sum by (model_name)(rate(vllm:request_success_total[5m]))`,
		`sum by (topic)(rate(kafka_topic_partition_current_offset[5m]))`,
	} {
		for at, want := range map[time.Time]float64{yesterday: busy, yesterday.Add(-3 * time.Hour): 2} {
			// Five standard deviations of the arrivals in five minutes.
			if got := ask(t, prometheus, query, at); math.Abs(got-want) > 5*math.Sqrt(want/300) {
				t.Errorf("%s at %v is %v, want about %v", query, at, got, want)
			}
		}
	}

	value := func(query string) float64 { return ask(t, prometheus, query, time.Now()) }
	eventually(t, "the front doors are scraped", func() bool { return value(`sum(up{job=~"gateway|kafka|dcgm"})`) == 3 })
	eventually(t, "a pod's server is scraped", func() bool { return value(`sum(nv_inference_request_success{namespace="speech",pod="a-1"})`) > 0 })
	eventually(t, "the other's server is scraped", func() bool { return value(`sum(vllm:num_requests_running{pod="b-1"})`) >= 0 })
	eventually(t, "the present goes on after the history", func() bool {
		return value(`sum(rate(gateway_requests_total{model="a",instance!="history"}[5s]))`) > busy/3
	})
	eventually(t, "the topic's lag is the truth", func() bool { return value(`sum(kafka_consumergroup_lag)`) > busy })
	e.Remove(pod("a", "a-1"))
	e.Apply(pod("a", "a-2"))
	eventually(t, "a pod that came is a target", func() bool { return value(`sum(up{namespace="speech",pod="a-2"})`) == 1 })
	eventually(t, "a pod that went is no target", func() bool { return math.IsNaN(value(`sum(up{pod="a-1"})`)) })
}

func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt install prometheus", name)
	}
	return path
}

// blocks makes two days of history.
func blocks(t *testing.T, tool, data string, models []Model, now time.Time, rate Rate) {
	t.Helper()
	var text bytes.Buffer
	if err := Backfill(&text, models, now.Add(-48*time.Hour), now, time.Minute, rate); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "history.txt")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", file, data).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
}

// start runs Prometheus until the test ends and answers when it does.
func start(t *testing.T, binary, data, scrape string) v1.API {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, []byte("scrape_configs:\n"+scrape), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary, "--config.file="+config, "--storage.tsdb.path="+data, "--web.listen-address="+address)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	client, err := api.NewClient(api.Config{Address: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	prometheus := v1.NewAPI(client)
	eventually(t, "Prometheus answers", func() bool {
		_, _, _, err := prometheus.Query(t.Context(), "vector(1)", time.Now())
		return err == nil
	})
	return prometheus
}

// ask is the one value of a query, or NaN if there is none.
func ask(t *testing.T, prometheus v1.API, query string, at time.Time) float64 {
	t.Helper()
	result, _, _, err := prometheus.Query(t.Context(), query, at)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	vector, ok := result.(model.Vector)
	if !ok || len(vector) > 1 {
		t.Fatalf("%s: want one series, got %v", query, result)
	}
	if len(vector) == 0 {
		return math.NaN()
	}
	return float64(vector[0].Value)
}
