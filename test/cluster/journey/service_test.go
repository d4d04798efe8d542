package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
	"github.com/tessera-autoscaler/tessera/test/cluster/prom"
)

// build builds the program as it is now and answers its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "autoscaler")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/autoscaler")
	command.Dir = filepath.Join("..", "..", "..") // the root of the repository
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// program is one process of the autoscaler.
type program struct {
	name    string // as the diary calls it
	command process.Command
	process *process.Process
	url     string
}

// setup is how one process is started.
type setup struct {
	binary     string
	mode       string
	kubeconfig string
	prometheus string
	policy     []byte // in place of policy.yaml
	gateway    []byte // in place of gateway.yaml
}

// launch starts a process of the program in a folder of its own. It is killed when
// the test ends.
func launch(t *testing.T, name string, s setup) *program {
	t.Helper()
	ports, err := process.FreePorts(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	listen := fmt.Sprintf("127.0.0.1:%d", ports[0])
	files := map[string][]byte{"autoscaler.yaml": fill(t, "autoscaler.yaml", map[string]string{
		"Listen": listen, "Record": filepath.Join(dir, "decisions.jsonl"), "Kubeconfig": s.kubeconfig, "Prometheus": s.prometheus,
		"Namespace": modelsNamespace, "OperatorNamespace": operatorNamespace, "MIGConfigMap": migConfigMap,
	})}
	for _, f := range []string{"policy.yaml", "catalog.yaml", "profiles.yaml", "gateway.yaml"} {
		files[f] = worldFile(t, f)
	}
	if s.policy != nil {
		files["policy.yaml"] = s.policy
	}
	if s.gateway != nil {
		files["gateway.yaml"] = s.gateway
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &program{name: name, url: "http://" + listen, command: process.Command{
		Name: "autoscaler-" + name, Path: s.binary, Dir: dir,
		Args: []string{"run", "--config", "autoscaler.yaml", "--mode", s.mode},
		Env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir},
	}}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("JOURNEY_KEEP") != "" {
			keep(t, dir)
			text, _ := os.ReadFile(filepath.Join(dir, "decisions.jsonl"))
			_ = os.WriteFile(filepath.Join(os.Getenv("JOURNEY_KEEP"), "decisions-"+name+".jsonl"), text, 0o644)
		}
		if err := p.process.Kill(); err != nil {
			t.Error(err)
		}
	})
	p.start(t)
	return p
}

func (p *program) start(t *testing.T) {
	t.Helper()
	var err error
	if p.process, err = process.Start(p.command); err != nil {
		t.Fatal(err)
	}
}

// log is what the process wrote.
func (p *program) log() string {
	text, err := os.ReadFile(p.command.LogPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool
	Checks []struct {
		Name   string
		OK     bool
		Detail string
		Items  []string
	}
}

// check answers one condition; an absent one is not OK and says nothing.
func (r readiness) check(name string) (ok bool, detail string) {
	for _, c := range r.Checks {
		if c.Name == name {
			return c.OK, strings.Join(append([]string{c.Detail}, c.Items...), "; ")
		}
	}
	return false, ""
}

// String is the answer in a line.
func (r readiness) String() string {
	var parts []string
	for _, c := range r.Checks {
		ok := "ok"
		if !c.OK {
			ok = "NOT OK"
		}
		parts = append(parts, strings.Join(append([]string{c.Name + " " + ok, c.Detail}, c.Items...), " | "))
	}
	return strings.Join(parts, "\n  ")
}

// readyz asks the probe; what cannot be asked is not ready.
func (p *program) readyz(ctx context.Context) readiness {
	var r readiness
	text, err := get(ctx, p.url+"/readyz")
	if err == nil {
		err = json.Unmarshal([]byte(text), &r)
	}
	if err != nil {
		return readiness{}
	}
	return r
}

// metric reads one number of /metrics by its line's beginning.
func (p *program) metric(ctx context.Context, line string) (string, bool) {
	text, err := get(ctx, p.url+"/metrics")
	if err != nil {
		return "", false
	}
	for l := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(l, line+" "); found {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// leads tells whether the process says that it leads.
func (p *program) leads(ctx context.Context) bool {
	value, ok := p.metric(ctx, "tessera_leader")
	return ok && value == "1"
}

// patience is how long a test waits for what must happen. Only a failing one waits so
// long: what must come by a certain time has the hour of the day as its limit instead.
const patience = 2 * time.Minute

// eventually waits until something holds, and fails with what was seen last.
func eventually(t *testing.T, limit time.Duration, what string, holds func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		ok, detail := holds()
		switch {
		case ok:
			return
		case time.Now().After(deadline):
			t.Fatalf("%s did not happen within %s: %s", what, limit, detail)
		case t.Context().Err() != nil:
			t.Fatal(t.Context().Err())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// steadily watches for a while that something holds.
func steadily(t *testing.T, span time.Duration, what string, holds func() (bool, string)) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if ok, detail := holds(); !ok {
			t.Fatalf("%s: %s", what, detail)
		}
	}
}

// running starts a Prometheus that was set up.
func running(t *testing.T, p *prom.Server) *prom.Server {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}
