package gpu

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Options say what the operator plays. Of the delays the zero value is no delay.
type Options struct {
	Parts map[string]Part // By instance type; DefaultParts by default.

	// The ConfigMap with the MIG configurations, under the key config.yaml. By default
	// gpu-operator/default-mig-parted-config. It is read at each change, so that it may
	// be made later and rewritten.
	ConfigNamespace, ConfigName string

	DeviceDelay   time.Duration // From the node being ready to its GPUs being reported.
	ApplyDelay    time.Duration // From the GPUs being free to their new geometry being reported.
	ClientTimeout time.Duration // How long a change waits for pods that hold GPUs before it hangs.

	Interval time.Duration // Between two looks at the nodes; 100 ms by default.
	Clock    clock.WithTicker
	Log      *slog.Logger // What it does on which node.
}

// ConfigKey is the key of the ConfigMap that holds the file.
const ConfigKey = "config.yaml"

func (o Options) withDefaults() Options {
	if o.Parts == nil {
		o.Parts = DefaultParts()
	}
	if o.ConfigNamespace == "" {
		o.ConfigNamespace = "gpu-operator"
	}
	if o.ConfigName == "" {
		o.ConfigName = "default-mig-parted-config"
	}
	if o.Interval == 0 {
		o.Interval = 100 * time.Millisecond
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Operator plays the GPU operator until Stop.
type Operator struct {
	options  Options
	client   kubernetes.Interface
	nodes    listers.NodeLister
	pods     listers.PodLister
	machines map[types.UID]*machine     // Touched only by run.
	written  map[types.UID]*corev1.Node // What its last write made of each node; see newest.

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	faults map[string]Fault // By node name; see everyNode.
	once   map[string]Fault
}

// Start starts the operator on a cluster and answers when it sees the nodes. It writes
// as the user of the config, with the user agent gpu-operator.
func Start(ctx context.Context, config *rest.Config, options Options) (*Operator, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = "gpu-operator"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("starting the GPU operator: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	o := &Operator{
		options: options.withDefaults(), client: client,
		nodes: factory.Core().V1().Nodes().Lister(), pods: factory.Core().V1().Pods().Lister(),
		machines: map[types.UID]*machine{}, written: map[types.UID]*corev1.Node{}, faults: map[string]Fault{}, once: map[string]Fault{},
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o.cancel = func() { cancel(); factory.Shutdown() }
	factory.StartWithContext(running)
	if synced := factory.WaitForCacheSyncWithContext(ctx); synced.Err != nil {
		o.Stop()
		return nil, fmt.Errorf("starting the GPU operator: waiting for nodes and pods: %w", synced.Err)
	}
	o.done.Go(func() { o.run(running) })
	return o, nil
}

// Stop ends the operator. The nodes stay as they are.
func (o *Operator) Stop() {
	o.cancel()
	o.done.Wait()
}

func (o *Operator) run(ctx context.Context) {
	ticker := o.options.Clock.NewTicker(o.options.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			o.look(ctx, o.options.Clock.Now())
		}
	}
}

// look advances every node's machine and shows on the node what has changed.
func (o *Operator) look(ctx context.Context, now time.Time) {
	nodes, err := o.nodes.List(labels.Everything())
	if err != nil {
		o.options.Log.Error("listing nodes", "error", err)
		return
	}
	seen := make(map[types.UID]bool, len(nodes))
	for _, n := range nodes {
		seen[n.UID] = true
		n = o.newest(n)
		m := o.machine(n, now)
		if m == nil {
			continue
		}
		before := *m
		m.advance(now, o.surroundings(ctx, n, m))
		if before.step != m.step || before.config != m.config || before.state != m.state {
			o.options.Log.Info("gpus changed", "node", n.Name, "config", m.config, "state", m.state, "paused", m.paused())
		}
		if err := o.show(ctx, n, m); err != nil && ctx.Err() == nil {
			o.options.Log.Warn("writing the node failed; it is tried again", "node", n.Name, "error", err)
		}
	}
	for uid := range o.machines {
		if !seen[uid] {
			delete(o.machines, uid)
			delete(o.written, uid)
		}
	}
}

// machine answers the machine of a node with GPUs, from the moment when the node is
// ready, and nil for others.
func (o *Operator) machine(n *corev1.Node, now time.Time) *machine {
	if m, ok := o.machines[n.UID]; ok {
		return m
	}
	part, ok := partOf(o.options.Parts, n)
	if !ok || !ready(n) {
		return nil
	}
	m := newMachine(part, o.options.DeviceDelay, now)
	o.machines[n.UID] = m
	return m
}

func ready(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
