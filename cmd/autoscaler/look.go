package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/console"
)

// How long a look at one thing may take, and how often what rarely changes is
// looked at.
const (
	lookWithin     = 5 * time.Second
	fillWithin     = 10 * time.Second // caches take so long at a start
	accessEvery    = 2 * time.Minute  // while something is missing
	accessEveryNow = 30 * time.Minute // while nothing is
)

// look keeps the checks of the world up to date until ctx ends, and is the sign of
// life while no tick is due.
func (m *member) look(ctx context.Context) {
	var accessAt, reached time.Time
	for {
		if m.idling() {
			m.board.Beat()
		}
		m.mu.Lock()
		c, around, catalog := m.clients, m.around, m.settings.Catalog
		m.mu.Unlock()
		if c != nil && m.lookAtCluster(ctx, c) {
			if reached.IsZero() {
				reached = time.Now()
			}
			m.lookAtCaches(around, time.Since(reached) < fillWithin)
			if m.mode == console.ModeActive && !time.Now().Before(accessAt) {
				accessAt = time.Now().Add(m.lookAtAccess(ctx, c.own))
			}
		}
		m.lookAtLease()
		if !m.measuring.Load() {
			m.lookAtMetrics(ctx)
		}
		m.troubles.check("offerings", "OfferingUnknown", m.config.unpriced(catalog)...)
		if !wait(ctx, m.lookEvery) {
			return
		}
	}
}

// idling tells whether no tick is due, so that another sign of life is.
func (m *member) idling() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runner == nil
}

// lookAtCluster asks the API server who it is.
func (m *member) lookAtCluster(ctx context.Context, c *clients) bool {
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	err := c.read.Discovery().RESTClient().Get().AbsPath("/version").Do(within).Error()
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		m.troubles.check("cluster", "ClusterUnreachable")
		return true
	}
	m.troubles.check("cluster", "ClusterUnreachable", m.config.unreachable(c.host, err))
	return false
}

// unreachable says why an API server is of no use, and how to mend it.
func (c *clusterConfig) unreachable(host string, err error) string {
	mend := "start it, or name another in " + c.path
	var dns *net.DNSError
	switch {
	case apierrors.IsUnauthorized(err):
		mend = "it does not accept who we say we are: renew the credentials of " + c.describe()
		if !c.InCluster {
			mend += ", and start this process anew" // a kubeconfig is read once
		}
	case apierrors.IsForbidden(err):
		mend = "grant what it names"
	case errors.Is(err, context.DeadlineExceeded):
		mend = fmt.Sprintf("it gave no answer within %v: see whether it is overloaded, and whether a firewall lies between", lookWithin)
	case errors.As(err, &dns):
		mend = "the name cannot be found: correct it in " + c.describe()
	}
	return fmt.Sprintf("the API server at %s cannot be used (%v): %s", host, err, mend)
}

// lookAtCaches asks whether the caches show the cluster. That they are being filled
// is shown, and is no news.
func (m *member) lookAtCaches(around surroundings, filling bool) {
	var sentences []string
	if err := around.synced(); err != nil {
		sentences = strings.Split(err.Error(), "\n") // one for each cache
	}
	if filling {
		m.board.SetCheck("caches", sentences...)
		return
	}
	m.troubles.check("caches", "CachesNotSynced", sentences...)
}

// lookAtLease says why the lease cannot be read or written.
func (m *member) lookAtLease() {
	m.mu.Lock()
	e := m.election
	m.mu.Unlock()
	if e == nil {
		return
	}
	if err := e.lock.trouble.Load(); err != nil {
		m.troubles.check("lease", "LeaseUnusable", fmt.Sprintf("the Lease %s/%s cannot be used (%v), so that nobody leads by it: see whether the namespace is there and the rights are granted", m.config.Ledger.Namespace, m.config.Lease.Name, *err))
		return
	}
	m.troubles.check("lease", "LeaseUnusable")
}

// lookAtMetrics asks whether the metrics can be read.
func (m *member) lookAtMetrics(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, min(2*lookWithin, m.config.Prometheus.Timeout))
	defer cancel()
	if err := m.signals.Probe(within); err != nil && ctx.Err() == nil {
		m.metricsAre(err.Error())
	} else if err == nil {
		m.metricsAre("")
	}
}

// metricsCheck is the check of the metrics, and the subject of the doubt by which an
// observer says that it could read none.
const metricsCheck = "prometheus"

// metricsAre tells whether the metrics can be read: for the empty cause they can.
func (m *member) metricsAre(cause string) {
	var sentences []string
	if cause != "" {
		sentences = []string{fmt.Sprintf("no signal can be read, so that nothing is lowered (%s): start Prometheus, or correct spec.cluster.prometheus in %s", cause, m.config.path)}
	}
	m.troubles.check(metricsCheck, "PrometheusUnreadable", sentences...)
}

// lookAtAccess asks what this process may do, and returns when to ask again.
func (m *member) lookAtAccess(ctx context.Context, client kubernetes.Interface) time.Duration {
	within, cancel := context.WithTimeout(ctx, 4*lookWithin)
	defer cancel()
	lacking, err := missing(within, client, m.config.rights())
	if ctx.Err() != nil {
		return accessEvery
	}
	if err != nil {
		lacking = []string{err.Error()}
	}
	m.troubles.check("access", "AccessMissing", lacking...)
	if len(lacking) > 0 {
		return accessEvery
	}
	return accessEveryNow
}
