package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// Cluster is a control plane that runs. Its methods can be called by several goroutines.
type Cluster struct {
	Config     *rest.Config // Of Admin, without a limit on requests.
	Kubeconfig string       // The path of the same as a file.
	Client     kubernetes.Interface
	Dynamic    dynamic.Interface
	AuditLog   string // The path; see Audit.
	Dir        string // Data and logs of the servers.

	access access
	mapper *restmapper.DeferredDiscoveryRESTMapper
	cancel context.CancelFunc // Ends what runs in this program.
	own    sync.WaitGroup
	keep   bool // Whether Dir outlives the cluster.

	mu      sync.Mutex
	servers map[string]*process.Process
}

// Start starts a cluster and waits until it can be used: about ten seconds. When it
// cannot, the error holds the end of the log of the server that failed, and nothing is
// left running. The context bounds the start only; the cluster lives until Stop, or
// until this program ends.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("starting the cluster: %w", err)
	}
	needed := []string{Etcd, APIServer, ControllerManager, Scheduler, KWOK}
	if o.Karpenter {
		needed = append(needed, Karpenter)
	}
	bin, err := binaries(needed...)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.InstanceTypes == nil {
		o.InstanceTypes = DefaultInstanceTypes()
	}
	// A port that was free may be taken before its server listens.
	for try := 1; ; try++ {
		c, err := start(ctx, bin, o)
		if err == nil || try == 3 || !strings.Contains(err.Error(), "address already in use") {
			return c, err
		}
		fmt.Fprintln(o.Log, "a port was taken meanwhile; starting again")
	}
}

func start(ctx context.Context, bin string, o Options) (_ *Cluster, err error) {
	real := clock.RealClock{}
	began := real.Now()
	c := &Cluster{keep: o.Dir != "", servers: map[string]*process.Process{}, cancel: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	if c.Dir, err = dataDir(o.Dir); err != nil {
		return nil, err
	}
	p, tokens, err := prepare(ctx, c.Dir, bin, o, began)
	if err != nil {
		return nil, err
	}
	c.access = access{dir: c.Dir, server: p.apiURL(), authority: p.pki.authority}
	if err := c.connect(p, tokens[Admin]); err != nil {
		return nil, err
	}
	if err := c.startControlPlane(ctx, p); err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Log, "control plane ready after %.1f s\n", real.Since(began).Seconds())
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	if o.Karpenter {
		if err := c.startKarpenter(ctx, p); err != nil {
			return nil, err
		}
		if err := c.startCloud(background, tokens["cloud"]); err != nil {
			return nil, err
		}
		fmt.Fprintf(o.Log, "Karpenter ready after %.1f s\n", real.Since(began).Seconds())
	}
	return c, nil
}

// dataDir answers an absolute folder for data and logs.
func dataDir(wanted string) (string, error) {
	if wanted == "" {
		dir, err := os.MkdirTemp("", "test-cluster-")
		if err != nil {
			return "", fmt.Errorf("making a folder for the cluster: %w", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(wanted)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("making the cluster's folder %s: %w", wanted, err)
	}
	return dir, nil
}

// connect sets what a test reaches the cluster with.
func (c *Cluster) connect(p plan, token string) error {
	c.AuditLog = filepath.Join(c.Dir, "audit.log")
	c.Kubeconfig = p.kubeconfigs[Admin]
	c.Config = c.access.config("test", token)
	clients, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	c.Client = clients
	if c.Dynamic, err = dynamic.NewForConfig(c.Config); err != nil {
		return fmt.Errorf("making a dynamic client: %w", err)
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(clients.Discovery()))
	return nil
}

// Stop ends all servers at once and removes the temporary folder. It can be called
// again, and on a cluster of which servers were killed.
func (c *Cluster) Stop() error {
	c.cancel()
	c.own.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, p := range c.servers {
		errs = append(errs, p.Kill())
	}
	if !c.keep && c.Dir != "" {
		errs = append(errs, os.RemoveAll(c.Dir))
	}
	return errors.Join(errs...)
}
