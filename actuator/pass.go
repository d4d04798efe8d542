package actuator

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// pass is one look at the cluster and what follows from it. What it reads it reads
// once, from the API server itself. The ledger is changed in memory first, then
// written, and only then are the deeds done.
type pass struct {
	*Actuator
	plan   fleet.PlanID
	at     time.Time
	stored *corev1.ConfigMap // the ledger as it was read; nil: there is none yet
	before kube.Ledger       // as it was read
	ledger kube.Ledger       // as it is to be
	paused bool
	deeds  []deed

	// What was read of the cluster; nil: not yet.
	nodes       map[fleet.NodeID]*corev1.Node
	deployments map[kube.Key]*appsv1.Deployment
	known       []kube.Server // the Deployments that can be read, sorted by key
	unclear     bool          // some Deployment with a model's label cannot be read
	pods        []*corev1.Pod
}

// deed is one write to the cluster, for a subject and a plan. The first one that
// fails takes the others of its subject with it.
type deed struct {
	subject string
	plan    fleet.PlanID
	do      func(ctx context.Context) error
}

// then notes what is to be done once the ledger is written.
func (p *pass) then(subject string, plan fleet.PlanID, do func(ctx context.Context) error) {
	if plan == "" {
		plan = p.plan
	}
	p.deeds = append(p.deeds, deed{subject, plan, do})
}

// say notes what is to be told once the ledger is written.
func (p *pass) say(subject string, about *corev1.ObjectReference, kind, reason string, plan fleet.PlanID, format string, args ...any) {
	if plan == "" {
		plan = p.plan
	}
	sentence := fmt.Sprintf(format, args...)
	p.then(subject, plan, func(context.Context) error {
		p.tell.Tell(about, kind, reason, sentence, plan)
		return nil
	})
}

// warn tells of something that waits for a person, once for as long as it is the same.
func (p *pass) warn(subject string, about *corev1.ObjectReference, reason string, plan fleet.PlanID, format string, args ...any) {
	sentence := fmt.Sprintf(format, args...)
	if p.said[subject] == sentence {
		return
	}
	p.then(subject, plan, func(context.Context) error {
		p.said[subject] = sentence
		p.tell.Tell(about, Warning, reason, sentence, plan)
		return nil
	})
}

// why is the reason of what is done for a subject, as a sentence with its plan. After
// a restart only the plan is known.
func (p *pass) why(subject string, plan fleet.PlanID) string {
	if because := p.because[subject]; because != "" {
		return fmt.Sprintf("%s (plan %s)", because, plan)
	}
	return fmt.Sprintf("plan %s", plan)
}

// commit writes the ledger and then does the deeds; nothing when the ledger could not
// be written.
func (p *pass) commit(ctx context.Context) error {
	if err := p.save(ctx); err != nil {
		return err
	}
	failed := map[string]bool{}
	var errs []error
	for _, d := range p.deeds {
		if failed[d.subject] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := d.do(WithPlan(ctx, d.plan)); err != nil {
			failed[d.subject] = true
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
