package journey

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/test/cluster/emitter"
	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/prom"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// How long things take that take minutes elsewhere.
const (
	machineDelay = 8 * time.Second // from the purchase to the node
	deviceDelay  = 6 * time.Second // from the node being ready to its GPU
	cutDelay     = 3 * time.Second // of a new geometry
	podDelay     = 1 * time.Second // from being placed to being ready
)

// lookback is Prometheus' own default of how old a sample may be.
const lookback = 5 * time.Minute

// past is how much traffic Prometheus remembers: two days of each kind.
const past = 14 * 24 * time.Hour

// stage is everything that is there before the program is.
type stage struct {
	cluster    *rig.Cluster
	operator   *gpu.Operator
	emitter    *emitter.Emitter
	prometheus *prom.Server
}

// newCluster starts a control plane with the operator's namespaces, what configs/deploy
// grants, and the Deployments of all models. It skips the test where the servers
// are not built.
func newCluster(t *testing.T, log io.Writer) *rig.Cluster {
	t.Helper()
	c, err := rig.Start(t.Context(), rig.Options{Log: log, Karpenter: true, NodeDelay: machineDelay, PodDelay: podDelay})
	if errors.Is(err, rig.ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("JOURNEY_KEEP") != "" {
			keep(t, c.Dir)
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{modelsNamespace, operatorNamespace} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := c.Client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	deploy(t, c)
	if err := c.Apply(t.Context(), manifests(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// keep copies the logs of a cluster to the folder that JOURNEY_KEEP names.
func keep(t *testing.T, dir string) {
	to := os.Getenv("JOURNEY_KEEP")
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, from := range logs {
		text, err := os.ReadFile(from)
		if err == nil {
			err = errors.Join(os.MkdirAll(to, 0o755), os.WriteFile(filepath.Join(to, filepath.Base(from)), text, 0o644))
		}
		if err != nil {
			t.Log(err)
		}
	}
}

// startOperator plays the GPU operator.
func startOperator(t *testing.T, c *rig.Cluster) *gpu.Operator {
	t.Helper()
	o, err := gpu.Start(t.Context(), c.Config, gpu.Options{
		ConfigNamespace: operatorNamespace, ConfigName: migConfigMap,
		DeviceDelay: deviceDelay, ApplyDelay: cutDelay, ClientTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Stop)
	return o
}

// startEmitter plays the model servers and what is before them.
func startEmitter(t *testing.T, c *rig.Cluster, rate emitter.Rate) *emitter.Emitter {
	t.Helper()
	e, err := emitter.New(emitter.Options{Models: models(t), Rate: rate, Seed: 1, Client: c.Client, Namespace: modelsNamespace})
	if err == nil {
		err = e.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// newPrometheus sets up a Prometheus that knows the traffic of the past days, if there
// is one, and does not start it.
func newPrometheus(t *testing.T, history emitter.Rate) *prom.Server {
	t.Helper()
	p, err := prom.New(t.Context(), prom.Options{Dir: t.TempDir(), Interval: time.Second, Lookback: lookback})
	if errors.Is(err, prom.ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	if history != nil {
		// The history ends before what counts as present: until then its series would look
		// like targets that cannot be scraped.
		end := time.Now().Add(-lookback - 5*time.Second)
		played := models(t)
		from, to := io.Pipe()
		go func() {
			to.CloseWithError(emitter.Backfill(to, played, end.Add(-past), end, 30*time.Second, history))
		}()
		if err := p.Backfill(t.Context(), from); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// follow lets Prometheus scrape whatever the emitter plays, until the test ends.
func follow(t *testing.T, p *prom.Server, e *emitter.Emitter) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		before := ""
		for ctx.Err() == nil {
			if text, err := get(ctx, e.URL()+"/sd"); err == nil && text != before {
				var groups []prom.TargetGroup
				if json.Unmarshal([]byte(text), &groups) == nil && p.SetTargets(groups...) == nil {
					before = text
				}
			}
			wait(ctx, 300*time.Millisecond)
		}
	}()
}

// get answers the body of a page, whatever its status.
func get(ctx context.Context, url string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(answer.Body)
	return string(text), errors.Join(err, answer.Body.Close())
}

// wait lets time pass, less if the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
