package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/console"
)

// Requests a second of each client, and how many may come at once. They are set
// because client-go's own defaults are too low for a fleet.
const (
	clientQPS   = 50
	clientBurst = 100
)

// doWithin bounds each request of the actuator. Without an end, one that is never
// answered would end no tick, and in shadow mode no loss of a lease ends it either.
const doWithin = 10 * time.Second

// clients are the ways to the API server, one for each purpose, so that what may
// write is told apart from what may not.
type clients struct {
	host  string
	read  kubernetes.Interface // informers and probes
	dyn   dynamic.Interface    // the same, of what has no types of its own
	doing doers                // through the door
	// own is for our lease, our events and the question what we may do; nil in
	// shadow mode, which has none of them.
	own kubernetes.Interface
}

// doers are the actuator's clients.
type doers struct {
	client kubernetes.Interface
	dyn    dynamic.Interface
}

// newClients reaches for the cluster of the configuration; it asks nothing yet. The
// writes of the actuator pass while may says so.
func newClients(c *clusterConfig, mode string, may func() error) (*clients, error) {
	base, err := c.restConfig()
	if err != nil {
		return nil, err
	}
	base.QPS, base.Burst = clientQPS, clientBurst
	base.UserAgent = "tessera/" + version
	out := &clients{host: base.Host}
	reading := rest.CopyConfig(base)
	reading.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return actuator.Door(next, actuator.Shut, base.UserAgent)
	})
	doing := rest.CopyConfig(base)
	doing.Timeout = doWithin
	if mode != console.ModeActive {
		may = actuator.Shut
	}
	doing.Wrap(func(next http.RoundTripper) http.RoundTripper { return actuator.Door(next, may, base.UserAgent) })
	var errs [5]error
	out.read, errs[0] = kubernetes.NewForConfig(reading)
	out.dyn, errs[1] = dynamic.NewForConfig(reading)
	out.doing.client, errs[2] = kubernetes.NewForConfig(doing)
	out.doing.dyn, errs[3] = dynamic.NewForConfig(doing)
	if mode == console.ModeActive {
		own := rest.CopyConfig(base)
		own.Timeout = max(time.Second, c.Lease.RenewDeadline/2) // so that a lease is tried for twice before it is lost
		out.own, errs[4] = kubernetes.NewForConfig(own)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("the way into the cluster (%s) cannot be used: %w", c.describe(), err)
	}
	return out, nil
}

// restConfig reads how the cluster is reached, from the file that the configuration
// names or from the pod, and from nothing else. The error is a sentence that says
// how to mend it.
func (c *clusterConfig) restConfig() (*rest.Config, error) {
	if c.InCluster {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("this process runs in no pod with a service account (%w): name a kubeconfig in %s in place of inCluster", err, c.path)
		}
		return config, nil
	}
	if _, err := os.Stat(c.Kubeconfig); err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read (%w): put it there, or name another in %s", err, c.path)
	}
	// Not by clientcmd's loading rules, which fall back on the pod's own cluster.
	file, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err == nil {
		err = clientcmd.ResolveLocalPaths(file)
	}
	var config *rest.Config
	if err == nil {
		config, err = clientcmd.NewDefaultClientConfig(*file, &clientcmd.ConfigOverrides{CurrentContext: c.Context}).ClientConfig()
	}
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig %s leads to no cluster (%w): mend it, or name another in %s", c.Kubeconfig, err, c.path)
	}
	return config, nil
}

// describe says which cluster the configuration means.
func (c *clusterConfig) describe() string {
	switch {
	case c.InCluster:
		return "the cluster of this pod"
	case c.Context != "":
		return fmt.Sprintf("context %s of %s", c.Context, c.Kubeconfig)
	}
	return "cluster of " + c.Kubeconfig
}
