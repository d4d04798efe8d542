package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// ErrNotInstalled is what New answers where there is no Prometheus.
var ErrNotInstalled = errors.New("prometheus and promtool are not installed: install the package prometheus of your distribution")

// Options say how Prometheus scrapes and answers.
type Options struct {
	// Dir takes the data, the configuration and the log; it outlives the server. Use the
	// folder of the test.
	Dir string
	// Interval is the time between two scrapes of a target; one second by default, in
	// whole milliseconds.
	Interval time.Duration
	// Lookback is how old a sample may be to count as a series' value; five minutes by
	// default, as in Prometheus itself.
	Lookback time.Duration
	// Rules are recording and alerting rules in Prometheus' format, evaluated each Interval.
	Rules []byte
	// Args are further arguments.
	Args []string
}

// TargetGroup is targets that share labels, as Prometheus' file discovery has them.
type TargetGroup struct {
	Targets []string          `json:"targets"` // host:port; scraped at /metrics.
	Labels  map[string]string `json:"labels,omitempty"`
}

// Server is a Prometheus that has been set up, running or not. It is not for several
// goroutines at once, except Address.
type Server struct {
	options Options
	binary  string
	tool    string
	port    int
	running *process.Process // Nil when it does not run.
}

// New sets up a Prometheus without starting it.
func New(ctx context.Context, o Options) (*Server, error) {
	s := &Server{options: o}
	var missing [2]error
	s.binary, missing[0] = exec.LookPath("prometheus")
	s.tool, missing[1] = exec.LookPath("promtool")
	if err := errors.Join(missing[:]...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotInstalled, err)
	}
	if s.options.Interval == 0 {
		s.options.Interval = time.Second
	}
	if s.options.Lookback == 0 {
		s.options.Lookback = 5 * time.Minute
	}
	dir, err := filepath.Abs(o.Dir)
	if o.Dir == "" || err != nil {
		return nil, fmt.Errorf("setting up Prometheus in %q: give it a folder; %w", o.Dir, err)
	}
	s.options.Dir = dir
	ports, err := process.FreePorts(ctx, 1)
	if err != nil {
		return nil, err
	}
	s.port = ports[0]
	if err := errors.Join(s.write("prometheus.yml", s.config()), s.write("rules.yml", s.options.Rules)); err != nil {
		return nil, err
	}
	return s, s.SetTargets()
}

// Address is the URL under which it answers while it runs. It stays the same over restarts.
func (s *Server) Address() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// config is the configuration: one job whose targets stand in a file.
func (s *Server) config() []byte {
	return fmt.Appendf(nil, `global:
  scrape_interval: %[1]dms
  scrape_timeout: %[1]dms
  evaluation_interval: %[1]dms
rule_files: [rules.yml]
scrape_configs:
- job_name: test
  honor_labels: true
  file_sd_configs:
  - {files: [targets.json], refresh_interval: 1s}
`, s.options.Interval.Milliseconds())
}

// SetTargets replaces all targets. Prometheus sees the change within a second.
func (s *Server) SetTargets(groups ...TargetGroup) error {
	if groups == nil {
		groups = []TargetGroup{}
	}
	text, err := json.Marshal(groups)
	if err != nil {
		return fmt.Errorf("encoding the targets: %w", err)
	}
	return s.write("targets.json", text)
}

// write replaces a file of the configuration at once, so that none is read half-written.
func (s *Server) write(name string, text []byte) error {
	path := filepath.Join(s.options.Dir, name)
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return fmt.Errorf("setting up Prometheus: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("setting up Prometheus: %w", err)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.options.Dir, "data") }

// Backfill gives Prometheus a history: samples with timestamps as OpenMetrics text that
// ends with "# EOF". It must be called before Start, or between Stop and Restart.
func (s *Server) Backfill(ctx context.Context, openMetrics io.Reader) error {
	if s.running != nil {
		return errors.New("backfilling Prometheus: it runs; stop it first")
	}
	path := filepath.Join(s.options.Dir, "history.om")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("backfilling Prometheus: %w", err)
	}
	_, err = io.Copy(file, openMetrics)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("backfilling Prometheus: %w", err)
	}
	// The tool reads the whole file once for each block, and blocks of two hours, its
	// default, take minutes for a history of days.
	out, err := exec.CommandContext(ctx, s.tool, "tsdb", "create-blocks-from", "--max-block-duration=384h",
		"openmetrics", path, s.data()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("backfilling Prometheus: promtool: %w\n%s", err, out)
	}
	return os.Remove(path)
}

// Start starts Prometheus and waits until it answers queries.
func (s *Server) Start(ctx context.Context) error {
	if s.running != nil {
		return errors.New("starting Prometheus: it runs already")
	}
	args := append([]string{
		"--config.file=prometheus.yml", "--storage.tsdb.path=" + s.data(),
		"--storage.tsdb.retention.time=3650d", // A history may be as old as a test likes.
		"--query.lookback-delta=" + s.options.Lookback.String(),
		"--web.listen-address=" + strings.TrimPrefix(s.Address(), "http://"),
	}, s.options.Args...)
	p, err := process.Start(process.Command{
		Name: "prometheus", Path: s.binary, Args: args, Dir: s.options.Dir, Env: []string{"PATH=" + os.Getenv("PATH")},
	})
	if err != nil {
		return err
	}
	s.running = p
	if err := s.await(ctx, p); err != nil {
		return errors.Join(err, s.Kill())
	}
	return nil
}

func (s *Server) await(ctx context.Context, p *process.Process) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		if err := p.Err(); err != nil {
			return false, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Address()+"/-/ready", nil)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // It does not listen yet.
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting for Prometheus to be ready: %w", err)
	}
	return nil
}

// Stop ends Prometheus in good order. Its data stays.
func (s *Server) Stop() error {
	p := s.running
	if p == nil {
		return nil
	}
	s.running = nil
	return p.Terminate(time.Minute)
}

// Kill ends it as a crash does.
func (s *Server) Kill() error {
	p := s.running
	if p == nil {
		return nil
	}
	s.running = nil
	return p.Kill()
}

// Restart stops Prometheus, if it runs, and starts it again with the data it had, under
// the same address.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start(ctx)
}
