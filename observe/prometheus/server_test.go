package prometheus_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// scrape is how often the Prometheus of the tests scrapes, and window that of their
// rates.
const (
	scrape = 200 * time.Millisecond
	window = 2 * time.Second
)

// lab is a real Prometheus and the targets that it scrapes, one for all tests.
type lab struct {
	url   string
	began time.Time
	// filled is when the first windows are full.
	filled time.Time

	mu    sync.Mutex
	pages map[string]func(age time.Duration) string // by path; "" answers 500
}

// target is a place to scrape, with the labels that service discovery gives it.
type target struct {
	job, instance string
	labels        map[string]string
	page          func(age time.Duration) string
}

func (t target) path() string { return "/" + t.job + "/" + t.instance }

var theLab struct {
	sync.Once
	*lab
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if theLab.stop != nil {
		theLab.stop()
	}
	os.Exit(code)
}

// start gives the Prometheus of the tests, once it has filled a window.
func start(t *testing.T) *lab {
	t.Helper()
	for _, program := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: what PromQL really answers is not tested (apt-get install prometheus)", program)
		}
	}
	t.Parallel()
	theLab.Do(func() { theLab.lab, theLab.stop, theLab.err = newLab(targets()) })
	if theLab.err != nil {
		t.Fatal(theLab.err)
	}
	time.Sleep(time.Until(theLab.filled))
	return theLab.lab
}

func newLab(targets []target) (*lab, func(), error) {
	dir, err := os.MkdirTemp("", "prometheus")
	if err != nil {
		return nil, nil, err
	}
	l := &lab{pages: map[string]func(time.Duration) string{}, began: time.Now()}
	exporter := httptest.NewServer(http.HandlerFunc(l.serve))
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	l.url = "http://127.0.0.1:" + port
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(l.config(targets, exporter.Listener.Addr().String())), 0o600); err != nil {
		return nil, nil, err
	}
	if err := writePast(dir); err != nil {
		return nil, nil, err
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--storage.tsdb.retention.time=30d", "--web.listen-address=127.0.0.1:"+port, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, nil, err
	}
	stop := func() {
		cancel()
		_ = cmd.Wait()
		exporter.Close()
		_ = os.RemoveAll(dir)
	}
	for range 300 { // it waits 5 s for its first targets
		if resp, err := http.Get(l.url + "/api/v1/query?query=up"); err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if bytes.Contains(body, []byte(`"instance"`)) {
				l.filled = time.Now().Add(2*window + 2*scrape)
				return l, stop, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	return nil, nil, fmt.Errorf("prometheus did not scrape:\n%s", log.String())
}

func (l *lab) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	page := l.pages[r.URL.Path]
	l.mu.Unlock()
	if page == nil {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintln(w, page(time.Since(l.began)))
}

// set replaces a page until the test ends; nil breaks the target.
func (l *lab) set(t *testing.T, job, instance string, page func(time.Duration) string) {
	path := target{job: job, instance: instance}.path()
	swap := func(page func(time.Duration) string) (before func(time.Duration) string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		before, l.pages[path] = l.pages[path], page
		return before
	}
	before := swap(page)
	t.Cleanup(func() { swap(before) })
}

func (l *lab) config(targets []target, address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "global: {scrape_interval: %v, scrape_timeout: %v}\nscrape_configs:\n", scrape, scrape)
	jobs := map[string]bool{}
	for _, t := range targets {
		l.pages[t.path()] = t.page
		if jobs[t.job] {
			continue
		}
		jobs[t.job] = true
		fmt.Fprintf(&b, "- job_name: %s\n  static_configs:\n", t.job)
		for _, o := range targets {
			if o.job != t.job {
				continue
			}
			fmt.Fprintf(&b, "  - targets: [%q]\n    labels: {instance: %q, __metrics_path__: %q", address, o.instance, o.path())
			for k, v := range o.labels {
				fmt.Fprintf(&b, ", %s: %q", k, v)
			}
			b.WriteString("}\n")
		}
	}
	return b.String()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// counting is a transport that counts requests.
type counting struct {
	mu sync.Mutex
	n  int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// read asks the lab; where a machine that is busy with other things made it miss a
// scrape, once more.
func (l *lab) read(t *testing.T, sources []prometheus.Source, models ...fleet.Model) prometheus.Reading {
	t.Helper()
	r := l.reader(t, sources, models...)
	for try := 0; ; try++ {
		got, err := r.Read(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if try == 3 || !missed(got) {
			return got
		}
		time.Sleep(window)
	}
}

// missed tells whether a target did not answer in time.
func missed(got prometheus.Reading) bool {
	for _, m := range got.Models {
		for _, s := range []fleet.Signal{m.Arrivals, m.Backlog} {
			if strings.Contains(s.Cause(), "targets are up") || strings.Contains(s.Cause(), "% covered") || strings.Contains(s.Cause(), "no sample") {
				return true
			}
		}
	}
	return false
}

func (l *lab) reader(t *testing.T, sources []prometheus.Source, models ...fleet.Model) *prometheus.Reader {
	t.Helper()
	r, err := prometheus.New(prometheus.Config{URL: l.url, Window: window}, sources, models)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// eventually repeats a check until it holds; on a busy machine that may take long.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	const within = 20 * time.Second
	last := ""
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(scrape / 2) {
		if last = check(); last == "" {
			return
		}
	}
	t.Errorf("within %v it never came true: %s", within, last)
}
