package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Options say where the fleet is.
type Options struct {
	Client      kubernetes.Interface
	Dynamic     dynamic.Interface // nil: no Karpenter, and no NodeClaims are watched
	Namespaces  []string          // of the models' Deployments and pods
	Ledger      kube.Key          // the ConfigMap with the ledger, read past every cache; absent: an empty ledger
	Yield       time.Duration     // for how long a number of replicas that a person wrote is theirs
	ShrinkGuard float64           // share of nodes or ready pods whose loss at once is not believed of a cache; 0.5 when zero
	Log         *slog.Logger      // nil: nothing is logged
}

// defaultShrinkGuard is the share of the fleet whose loss between two looks is
// confirmed by the server.
const defaultShrinkGuard = 0.5

// Watcher watches a cluster.
type Watcher struct {
	options      Options
	nodes        *source
	pods         []*source
	deployments  []*source
	placeholders *source
	claims       *source // nil without Karpenter

	mu     sync.Mutex // looks are one at a time
	memory memory
	before census // at the last look
}

// New makes a watcher that watches nothing until it is started.
func New(o Options) *Watcher {
	if o.ShrinkGuard == 0 {
		o.ShrinkGuard = defaultShrinkGuard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{options: o, nodes: o.nodeSource(), placeholders: o.deploymentSource(o.Ledger.Namespace, "")}
	for _, namespace := range o.Namespaces {
		w.pods = append(w.pods, o.podSource(namespace))
		w.deployments = append(w.deployments, o.deploymentSource(namespace, kube.LabelModel))
	}
	if o.Dynamic != nil {
		w.claims = o.claimSource()
	}
	return w
}

// sources are all caches.
func (w *Watcher) sources() []*source {
	out := slices.Concat([]*source{w.nodes}, w.pods, w.deployments, []*source{w.placeholders})
	if w.claims != nil {
		out = append(out, w.claims)
	}
	return out
}

// Start fills the caches and keeps them up to date until the context ends. It
// returns at once.
func (w *Watcher) Start(ctx context.Context) {
	for _, s := range w.sources() {
		go s.informer.RunWithContext(ctx)
	}
}

// Synced is nil while every cache is filled and kept up to date; else it says of
// each that is not, in one sentence, what is in the way.
func (w *Watcher) Synced() error {
	var errs []error
	for _, s := range w.sources() {
		errs = append(errs, s.synced())
	}
	return errors.Join(errs...)
}

// Look tells what the cluster shows now. It is an error, and nothing may be done,
// while a cache is not filled, the ledger cannot be read, or the caches show so much
// less than before that the server was asked and shows more.
func (w *Watcher) Look(ctx context.Context, now time.Time, s control.Settings) (View, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.Synced(); err != nil {
		return View{}, fmt.Errorf("the cluster is not known in full yet: %w", err)
	}
	configMap, err := w.readLedger(ctx)
	if err != nil {
		return View{}, err
	}
	in := inputs{
		now: now, settings: s, namespaces: w.options.Namespaces, home: w.options.Ledger, yield: w.options.Yield,
		configMap: configMap, nodes: cached[*corev1.Node](w.nodes), pods: cached[*corev1.Pod](w.pods...),
		deployments: cached[*appsv1.Deployment](w.deployments...), placeholders: map[string]bool{},
	}
	for _, d := range cached[*appsv1.Deployment](w.placeholders) {
		in.placeholders[d.Name] = true
	}
	if w.claims != nil {
		in.claims = cached[*unstructured.Unstructured](w.claims)
	}
	if configMap != nil {
		if in.ledger, err = kube.DecodeLedger(configMap.Data[kube.LedgerKey]); err != nil {
			return View{}, fmt.Errorf("ConfigMap %s: %w", w.options.Ledger, err)
		}
	} else if err := forgotten(in); err != nil {
		return View{}, err
	}
	if err := w.plausible(ctx, in); err != nil {
		return View{}, err
	}
	w.memory = w.memory.after(in.nodes, now)
	in.memory = w.memory
	return view(in), nil
}

// readLedger reads the ConfigMap with the ledger from the server, nil where there is
// none.
func (w *Watcher) readLedger(ctx context.Context) (*corev1.ConfigMap, error) {
	at := w.options.Ledger
	c, err := w.options.Client.CoreV1().ConfigMaps(at.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("cannot get ConfigMap %s: forbidden; grant get on configmaps in namespace %s: %w", at, at.Namespace, err)
	case err != nil:
		return nil, fmt.Errorf("read the ledger %s: %w", at, err)
	}
	return c, nil
}

// forgotten is an error where there is no ledger and yet something that bears its
// name: it was deleted, and to begin anew would give back what serves.
func forgotten(in inputs) error {
	made := ""
	for _, c := range in.claims {
		made = "NodeClaim " + c.GetName()
	}
	for _, n := range in.nodes {
		if n.Labels[kube.LabelLedger] == ledgerLabel(in.home) {
			made = "node " + n.Name
		}
	}
	if made == "" {
		return nil
	}
	return fmt.Errorf("the ledger, ConfigMap %s, is not there, and %s bears its name: restore it from a backup, or delete what it made to begin anew", in.home, made)
}
