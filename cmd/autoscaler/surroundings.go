package main

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/dynamic"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
	"github.com/tessera-autoscaler/tessera/observe"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
)

// live are the surroundings of a real cluster. The caches outlive every loop; what
// sees and does for a loop is made with it.
type live struct {
	member  *member
	clients *clients
	watcher *cluster.Watcher

	mu       sync.Mutex
	settings control.Settings
	observer *observe.Observer // of the newest loop; nil: none yet
}

func newSurroundings(c *clients, m *member) surroundings {
	var claims dynamic.Interface
	if m.config.Nodes.Engine == engineKarpenter {
		claims = c.dyn
	}
	return &live{member: m, clients: c, settings: m.config.settings, watcher: cluster.New(cluster.Options{
		Client: c.read, Dynamic: claims, Namespaces: m.config.Namespaces, Ledger: m.config.ledgerKey(),
		Yield: m.config.Humans.Yield, Log: m.log,
	})}
}

func (l *live) start(ctx context.Context) { l.watcher.Start(ctx) }
func (l *live) synced() error             { return l.watcher.Synced() }

// use takes settings into force.
func (l *live) use(s control.Settings) {
	l.mu.Lock()
	l.settings = s
	observer := l.observer
	l.mu.Unlock()
	if observer != nil {
		observer.Use(s)
	}
}

// ports makes the ports of a new loop.
func (l *live) ports() control.Ports {
	m := l.member
	m.mu.Lock()
	tell := m.tell
	m.mu.Unlock()
	l.mu.Lock()
	observer := observe.New(l.watcher, m.signals, l.settings)
	l.observer = observer // in the same breath, so that no settings pass it by
	l.mu.Unlock()
	config := actuator.Config{
		Ledger: m.config.ledgerKey(), Leader: m.identity, Namespaces: m.config.Namespaces, Engine: m.config.engine(),
		Offering: l.offering, MIGConfigs: kube.Key(m.config.MIG.ConfigMap),
		ReshapeDeadline: m.config.MIG.Deadline, DrainLimit: m.config.Drain.Limit, Yield: m.config.Humans.Yield,
	}
	doing := actuator.New(l.clients.doing.client, l.clients.doing.dyn, config, tell, time.Now, m.log)
	forecasters, err := m.foresee(m.log)
	if err != nil {
		m.log.Warn("the external forecaster is not asked; own forecasts stand", "cause", err)
	}
	return control.Ports{Observer: observer, Actuator: doing, Journal: m.journal, Historian: observer, Forecasters: forecasters}
}

// offering finds an offering of the catalog in force.
func (l *live) offering(name fleet.OfferingName) (fleet.Offering, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settings.Catalog.Offering(name)
}

// ledgerKey names the ledger.
func (c *clusterConfig) ledgerKey() kube.Key { return kube.Key(c.Ledger) }

// engine is how nodes are asked for.
func (c *clusterConfig) engine() actuator.Engine {
	types := map[fleet.OfferingName]actuator.NodeType{}
	for _, o := range c.Nodes.Offerings {
		t := actuator.NodeType{InstanceType: o.InstanceType, Class: actuator.ClassRef(o.NodeClass), Labels: o.Labels}
		if c.Nodes.Engine == enginePlaceholder {
			t.Labels, t.Resources = o.NodeSelector, o.resources()
		}
		for _, x := range o.Taints {
			t.Taints = append(t.Taints, corev1.Taint{Key: x.Key, Value: x.Value, Effect: corev1.TaintEffect(x.Effect)})
		}
		for _, x := range o.Requirements {
			t.Requirements = append(t.Requirements, actuator.Requirement{Key: x.Key, Operator: corev1.NodeSelectorOpIn, Values: x.Values})
		}
		types[fleet.OfferingName(o.Name)] = t
	}
	if c.Nodes.Engine == enginePlaceholder {
		return actuator.Placeholder{Types: types, Image: c.Nodes.Placeholder.Image, Priority: c.Nodes.Placeholder.PriorityClass}
	}
	return actuator.Karpenter{Types: types}
}

// resources are what a placeholder asks for; each was checked when it was read.
func (o offeringFile) resources() corev1.ResourceList {
	out := corev1.ResourceList{}
	for name, text := range o.Resources {
		if q, err := resource.ParseQuantity(text); err == nil {
			out[corev1.ResourceName(name)] = q
		}
	}
	return out
}
