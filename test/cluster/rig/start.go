package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// prepare chooses ports and writes all files that the servers read. It answers the
// token of each user too.
func prepare(ctx context.Context, dir, bin string, o Options, now time.Time) (plan, map[string]string, error) {
	ports, err := process.FreePorts(ctx, 5)
	if err != nil {
		return plan{}, nil, err
	}
	p := plan{
		bin: bin, dir: dir, options: o, tokens: filepath.Join(dir, "tokens.csv"), kubeconfigs: map[string]string{},
		etcdPort: ports[0], peerPort: ports[1], apiPort: ports[2], metricsPort: ports[3], healthPort: ports[4],
	}
	if p.pki, err = newPKI(dir, now); err != nil {
		return plan{}, nil, err
	}
	tokens, err := writeTokens(p.tokens)
	if err != nil {
		return plan{}, nil, err
	}
	a := access{dir: dir, server: p.apiURL(), authority: p.pki.authority}
	for name, token := range tokens {
		if p.kubeconfigs[name], err = a.kubeconfig(name, "", token); err != nil {
			return plan{}, nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "audit-policy.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return plan{}, nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	if err := writeStages(filepath.Join(bin, "stages"), filepath.Join(dir, "stages.yaml"), o.PodDelay); err != nil {
		return plan{}, nil, err
	}
	return p, tokens, writeInstanceTypes(filepath.Join(dir, "instance-types.json"), o.InstanceTypes)
}

// startControlPlane starts the five servers in the order in which they need each other
// and waits until pods can be created.
func (c *Cluster) startControlPlane(ctx context.Context, p plan) error {
	if err := c.launch(p.etcd(), p.apiServer()); err != nil {
		return err
	}
	if err := c.await(ctx, "the API server to be ready", c.apiServerReady); err != nil {
		return err
	}
	if err := c.launch(p.controllerManager(), p.scheduler(), p.kwok()); err != nil {
		return err
	}
	return c.await(ctx, "the controller manager to make the first service account", func(ctx context.Context) (bool, error) {
		_, err := c.Client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, retriable(err)
	})
}

// apiServerReady says whether the API server serves and has set up its own objects.
func (c *Cluster) apiServerReady(ctx context.Context) (bool, error) {
	_, err := c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err == nil, nil // Refused connections and unfinished hooks are both "not yet".
}

// startKarpenter teaches the API server Karpenter's kinds, starts it and makes the node class.
func (c *Cluster) startKarpenter(ctx context.Context, p plan) error {
	paths, err := filepath.Glob(filepath.Join(p.bin, "crds", "*.yaml"))
	if err != nil {
		return fmt.Errorf("listing Karpenter's custom resources: %w", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a custom resource of Karpenter: %w", err)
		}
		if err := c.Apply(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := c.apply(ctx, nodeClass(metav1.Duration{Duration: p.options.NodeDelay})); err != nil {
		return fmt.Errorf("making the node class %s: %w", NodeClass, err)
	}
	if err := c.launch(p.karpenter()); err != nil {
		return err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/readyz", p.healthPort)
	return c.await(ctx, "Karpenter to be ready", func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // It does not listen yet.
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
}

// startCloud starts what removes the machines that nobody claims any more.
func (c *Cluster) startCloud(ctx context.Context, token string) error {
	config := c.access.config("cloud", token)
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making the cloud's client: %w", err)
	}
	resources, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making the cloud's client: %w", err)
	}
	c.own.Go(func() { cloud{client: clients, dynamic: resources}.run(ctx) })
	return nil
}

// launch starts servers without waiting for them.
func (c *Cluster) launch(commands ...process.Command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, command := range commands {
		p, err := process.Start(command)
		if err != nil {
			return err
		}
		c.servers[command.Name] = p
	}
	return nil
}

// await waits until a condition holds, at most three minutes, which is long for any
// server that will ever be ready, also on a machine that does much else; it gives up
// early when a server ends or the condition fails for good.
func (c *Cluster) await(ctx context.Context, what string, condition wait.ConditionWithContextFunc) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		if err := c.ended(); err != nil {
			return false, err
		}
		return condition(ctx)
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w (logs in %s)", what, errors.Join(err, c.ended()), c.Dir)
	}
	return nil
}

// ended says which servers have ended, and why.
func (c *Cluster) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, p := range c.servers {
		errs = append(errs, p.Err())
	}
	return errors.Join(errs...)
}

// retriable answers nil for what an API server says that has just begun.
func retriable(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err) {
		return nil
	}
	return err
}
