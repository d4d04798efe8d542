package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// Cluster is Kubernetes without Tessera: Deployments, a scheduler, a node
// autoscaler after Karpenter's documented defaults, and a Scaler. It implements
// simulator.Controller and is not safe for concurrent use.
//
// Where Kubernetes reacts to events it acts at the next tick, at most pacemaker
// later. In favour of the peers, a pod is replaced before it goes, as with a pod
// disruption budget and a surge; a server that is stopped finishes what it has, as
// with a long grace period; and a pod that was promised a place on a node in
// flight begins to load the moment the node is ready.
type Cluster struct {
	observer control.Observer
	actuator control.Actuator
	scaler   Scaler
	settings clusterSettings

	pools       []*pool
	kinds       []*sliceKind  // of slices that Deployments ask for
	deployments []*deployment // sorted by model
	byModel     map[fleet.ModelName]*deployment
	nodes       []*node // in order of purchase
	byNode      map[fleet.NodeID]*node
	byReplica   map[fleet.ReplicaID]*slot

	tick, born, sequence int
	scaled               time.Time // when the Scaler was last asked
	views                []View
	feasible             []*slot // of the pod that is being scheduled
	provisioner          provisioner
	disruption           disruption
	plan                 fleet.Plan // of the present tick
	outcomes             []control.Outcome
}

// pacemaker is the longest time between two ticks.
const pacemaker = 5 * time.Second

var clusterParameters = []Parameter{
	{
		Name: "most-allocated", Default: 0, Try: []float64{0, 1},
		Why: "1 lets the scheduler fill the fullest node first (NodeResourcesFit MostAllocated); 0 spreads, as kube-scheduler does by default",
	},
	{
		Name: "consolidate-after", Default: 0, Try: []float64{0, 300, 900},
		Why: "seconds since pods last came to or left a node before it may be consolidated (NodePool disruption.consolidateAfter)",
	},
	{
		Name: "empty-only", Default: 0, Try: []float64{0, 1},
		Why: "1 removes empty nodes alone (consolidationPolicy WhenEmpty); 0 is WhenEmptyOrUnderutilized",
	},
}

// NewCluster makes a cluster that has seen nothing yet. Its error is that of
// Setup.Validate, or a Scaler whose sync period is not positive.
func NewCluster(observer control.Observer, actuator control.Actuator, settings control.Settings, setup Setup, scaler Scaler) (*Cluster, error) {
	if err := setup.Validate(settings); err != nil {
		return nil, fmt.Errorf("set up the cluster: %w", err)
	}
	if scaler.Every() <= 0 {
		return nil, fmt.Errorf("set up the cluster: the scaler's sync period is %v: it must be positive", scaler.Every())
	}
	c := &Cluster{
		observer: observer, actuator: actuator, scaler: scaler, settings: newClusterSettings(setup),
		byModel: map[fleet.ModelName]*deployment{}, byNode: map[fleet.NodeID]*node{}, byReplica: map[fleet.ReplicaID]*slot{},
		provisioner: provisioner{unavailable: map[fleet.OfferingName]time.Time{}},
	}
	byName := map[string]*pool{}
	for _, p := range setup.Pools {
		o, _ := settings.Catalog.Offering(p.Offering)
		c.pools = append(c.pools, &pool{Pool: p, offering: o})
		byName[p.Name] = c.pools[len(c.pools)-1]
	}
	for _, m := range settings.Policy.Models {
		d := &deployment{model: m, spec: setup.Deployments[m.Name]}
		d.pool = byName[d.spec.Pool]
		if d.kind = c.kindOf(d.pool, d.spec.Profile); d.kind == nil {
			d.kind = &sliceKind{pool: d.pool, profile: d.spec.Profile}
			c.kinds = append(c.kinds, d.kind)
		}
		d.least, d.most = setup.bounds(m)
		d.replicas = d.least
		c.deployments = append(c.deployments, d)
		c.byModel[m.Name] = d
	}
	return c, nil
}

// Every is how often Tick wants to be called: the Scaler's sync period, or the
// largest whole part of it that is not above five seconds.
func (c *Cluster) Every() time.Duration {
	every := c.scaler.Every()
	for n := (every + pacemaker - 1) / pacemaker; n <= every; n++ {
		if every%n == 0 {
			return every / n
		}
	}
	return every
}

// Tick is one pass of everything in the cluster that is due at now. Its record
// holds the steps with their reasons and what became of each; it has no needs and
// no memory, because nothing replays it. The error is the observer's, a Scaler
// that does not answer for every model, or a context that is over.
func (c *Cluster) Tick(ctx context.Context, now time.Time) (control.Record, error) {
	seen, err := c.observer.Observe(ctx, now)
	if err != nil {
		return control.Record{}, fmt.Errorf("observe: %w", err)
	}
	c.plan, c.outcomes = fleet.Plan{ID: planID(now), At: now}, nil

	// 1. What is there, and how many replicas there shall be.
	c.sync(&seen)
	if err := c.scale(now, &seen); err != nil {
		return control.Record{}, err
	}

	// 2. Pods come and go; those without a place get one on a node that is there.
	c.settle(ctx, now)

	// 3. Nodes that could go are cordoned, and what is on them is replaced; then nodes
	// are bought for the pods that have no place.
	if c.disrupt(ctx, now) {
		c.settle(ctx, now)
	}
	c.provision(ctx, now)

	// 4. Nodes that were emptied go.
	c.terminate(ctx, now)

	record := control.Record{
		Inputs: control.Inputs{Now: now, Pace: control.Planning, Snapshot: seen},
		Plan:   c.plan, Outcomes: c.outcomes,
	}
	if err := ctx.Err(); err != nil {
		return record, fmt.Errorf("act: %w", err)
	}
	if err := c.actuator.Settle(ctx, c.plan.ID, seen); err != nil {
		return record, fmt.Errorf("settle: %w", err)
	}
	return record, nil
}

// settle brings every Deployment to the number of pods asked for and schedules them.
func (c *Cluster) settle(ctx context.Context, now time.Time) {
	for _, d := range c.deployments {
		c.reconcile(ctx, d)
	}
	c.schedule(ctx, now)
}

// scale asks the Scaler when its sync period is over, and holds its answer within
// the bounds of each Deployment.
func (c *Cluster) scale(now time.Time, seen *fleet.Snapshot) error {
	if !c.scaled.IsZero() && now.Sub(c.scaled) < c.scaler.Every() {
		return nil
	}
	c.scaled = now
	c.views = c.views[:0]
	for _, d := range c.deployments {
		c.views = append(c.views, d.view(seen))
	}
	desired := c.scaler.Scale(now, c.views)
	if len(desired) != len(c.deployments) {
		return fmt.Errorf("the scaler answered for %d of %d models", len(desired), len(c.deployments))
	}
	for i, d := range c.deployments {
		if desired[i] != Keep {
			d.replicas = min(max(desired[i], d.least), d.most)
		}
	}
	return nil
}

// do carries out a step, keeps it with its outcome in the plan and tells whether
// it was done.
func (c *Cluster) do(ctx context.Context, step fleet.Step) bool {
	outcome := control.Outcome{Step: string(step.Kind()) + " " + step.Subject(), Result: control.Done}
	err := c.actuator.Do(ctx, c.plan.ID, step)
	switch {
	case errors.Is(err, control.ErrWithheld):
		outcome.Result, outcome.Detail = control.Withheld, err.Error()
	case err != nil:
		outcome.Result, outcome.Detail = control.Refused, err.Error()
	}
	c.plan.Steps = append(c.plan.Steps, step)
	c.outcomes = append(c.outcomes, outcome)
	return err == nil
}

// name makes a name that was not there before.
func (c *Cluster) name(stem string) string {
	c.sequence++
	return fmt.Sprintf("%s-%05d", stem, c.sequence)
}

// planID names a plan by its time, so that plans sort by it.
func planID(now time.Time) fleet.PlanID {
	return fleet.PlanID(now.UTC().Format("20060102T150405.000Z"))
}
