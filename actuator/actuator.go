package actuator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Config is where and how the actuator writes.
type Config struct {
	Ledger     kube.Key // the ConfigMap of the ledger
	Leader     string   // who writes; it is noted in the ledger
	Namespaces []string // of the models' Deployments
	Engine     Engine   // how nodes are asked for; default Karpenter without node types, which buys nothing
	// Offering finds an offering of the catalog in force: what hardware a node of it
	// has, where the node is not Tessera's own.
	Offering func(fleet.OfferingName) (fleet.Offering, bool)
	// MIGConfigs is the ConfigMap of mig-manager that holds the geometries. Without it
	// nodes with MIG are neither bought nor cut.
	MIGConfigs      kube.Key
	ReshapeDeadline time.Duration // for each try to cut a node; default 10 minutes
	DrainLimit      time.Duration // after which a replica that does not empty is kept; default 30 minutes
	Yield           time.Duration // how long a person's number of replicas is theirs; default 30 minutes
}

// Actuator makes the cluster follow the plan. It implements control.Actuator, and is
// not safe for concurrent use: the loop owns it.
type Actuator struct {
	Config
	client  kubernetes.Interface
	dynamic dynamic.Interface
	tell    Teller
	now     func() time.Time
	log     *slog.Logger
	memory
}

// memory is what a restart may forget.
type memory struct {
	seen      fleet.Snapshot             // of the last Settle
	asked     map[fleet.NodeID]bool      // nodes that this process asked for, or saw asked for
	eviction  map[types.UID]pause        // pods whose eviction a disruption budget holds up
	stuck     map[types.UID]string       // pods that cannot be evicted, and why
	unbegun   map[fleet.NodeID]time.Time // since when a node waits to be empty before it is cut
	because   map[string]string          // why: by node id, and by Deployment
	said      map[string]string          // the last warning about a subject
	landed    map[kube.Key]bool          // Deployments whose number was written, and that not noted yet
	withheld  kube.Ledger                // what a shut door kept back, for the later steps of the same plan
	hasLedger bool                       // a ledger was there before
}

// pause is a wait that doubles.
type pause struct {
	last  time.Duration
	until time.Time
}

// next begins the following wait, of first and at most of most.
func (p pause) next(now time.Time, first, most time.Duration) pause {
	d := min(max(2*p.last, first), most)
	return pause{last: d, until: now.Add(d)}
}

// New makes an actuator over clients whose transport goes through the Door. What it
// does is told to tell, and now is the clock.
func New(client kubernetes.Interface, dyn dynamic.Interface, c Config, tell Teller, now func() time.Time, log *slog.Logger) *Actuator {
	c.ReshapeDeadline = orDefault(c.ReshapeDeadline, 10*time.Minute)
	c.DrainLimit = orDefault(c.DrainLimit, 30*time.Minute)
	c.Yield = orDefault(c.Yield, 30*time.Minute)
	if c.Engine == nil {
		c.Engine = Karpenter{}
	}
	if c.Offering == nil {
		c.Offering = fleet.Catalog{}.Offering
	}
	return &Actuator{
		Config: c, client: client, dynamic: dyn, tell: tell, now: now, log: log,
		memory: memory{
			asked:    map[fleet.NodeID]bool{},
			eviction: map[types.UID]pause{}, stuck: map[types.UID]string{},
			unbegun: map[fleet.NodeID]time.Time{}, because: map[string]string{}, said: map[string]string{}, landed: map[kube.Key]bool{},
		},
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Do checks the precondition of a step, writes the intention into the ledger, and
// carries it out as far as it goes at once. The errors are those of control.Actuator;
// KindOf tells what they mean.
func (a *Actuator) Do(ctx context.Context, plan fleet.PlanID, step fleet.Step) error {
	p, err := a.begin(ctx, plan)
	if err != nil {
		return fmt.Errorf("%s: %w", step.Describe(), err)
	}
	if p.paused {
		return refuse("%s: the fleet is paused by the annotation %s on ConfigMap %s; take it off to go on", step.Describe(), kube.AnnotationPaused, a.Ledger)
	}
	subject, err := p.intend(ctx, step)
	if err != nil {
		return fmt.Errorf("%s: %w", step.Describe(), err)
	}
	if err := p.mayGrow(step); err != nil {
		return fmt.Errorf("%s: %w", step.Describe(), err)
	}
	a.because[subject.String()] = step.Because().String()
	if err := p.subject(ctx, subject); err != nil {
		return fmt.Errorf("%s: %w", step.Describe(), err)
	}
	if err := p.commit(ctx); err != nil {
		return fmt.Errorf("%s: %w", step.Describe(), err)
	}
	return nil
}

// subject is what a step changes: a node, or a Deployment.
type subject struct {
	node   fleet.NodeID
	server kube.Key
}

// String is the subject's name.
func (s subject) String() string {
	if s.node != "" {
		return string(s.node)
	}
	return s.server.String()
}

// intend writes a step into the ledger of the pass, and answers what it is about.
func (p *pass) intend(ctx context.Context, step fleet.Step) (subject, error) {
	switch s := step.(type) {
	case fleet.BuyNode:
		return subject{node: s.Node}, p.buy(ctx, s)
	case fleet.Reshape:
		return subject{node: s.GPU.Node}, p.reshape(ctx, s)
	case fleet.StartReplica:
		server, err := p.start(ctx, s)
		return subject{server: server}, err
	case fleet.StopReplica:
		server, err := p.stop(ctx, s)
		return subject{server: server}, err
	case fleet.DrainNode:
		return subject{node: s.Node}, p.drain(s.Node, true)
	case fleet.KeepNode:
		return subject{node: s.Node}, p.drain(s.Node, false)
	case fleet.ReturnNode:
		return subject{node: s.Node}, p.giveBack(ctx, s)
	}
	return subject{}, refuse("no step of kind %s is known", step.Kind())
}

// Settle goes on with everything that was begun, and keeps the spend and the highest
// number of a name in the ledger. What fails for one node or Deployment does not stop
// the others.
func (a *Actuator) Settle(ctx context.Context, plan fleet.PlanID, seen fleet.Snapshot) error {
	a.seen = seen
	p, err := a.begin(ctx, plan)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if p.paused {
		return nil
	}
	err = p.all(ctx)
	p.ledger.Sequence = max(p.ledger.Sequence, seen.Sequence, highest(p.ledger))
	since := seen.At.Sub(p.before.SpentAt)
	if since >= spendEvery || since > 0 && !reflect.DeepEqual(p.ledger, p.before) || since < -mostSkew {
		p.ledger.Spend, p.ledger.SpentAt = seen.Spend, seen.At
	}
	if writing := p.commit(ctx); !errors.Is(writing, control.ErrWithheld) { // shadow mode holds everything back here
		err = errors.Join(err, writing)
	}
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// spendEvery is how often the spend is written when nothing else is. The observer
// counts on from what was written, so that a later writing loses nothing.
const spendEvery = time.Minute

// mostSkew is how far the spend may be counted ahead of the clock. It then waits,
// because a clock that went back, as another leader's may be, would have time paid
// twice; beyond that the earlier clock was wrong.
const mostSkew = time.Hour

// all settles every node and every Deployment in turn.
func (p *pass) all(ctx context.Context) error {
	var errs []error
	for _, w := range p.ledger.Clone().Nodes {
		errs = append(errs, p.subject(ctx, subject{node: w.ID}))
	}
	servers, err := p.servers(ctx)
	errs = append(errs, err, p.forgetDeleted(ctx))
	for _, s := range servers {
		errs = append(errs, p.subject(ctx, subject{server: s.Key}))
	}
	return errors.Join(errs...)
}

// subject settles one node or Deployment: it brings the ledger up to what is there,
// and notes what is to be written to the cluster.
func (p *pass) subject(ctx context.Context, s subject) error {
	if s.node != "" {
		return p.settleNode(ctx, s.node)
	}
	return p.settleServer(ctx, s.server)
}
