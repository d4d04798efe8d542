package actuator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// begin reads the ledger. A ledger that is gone although it was there, or although
// nodes bear its label, is an error: what was bought must not be forgotten.
func (a *Actuator) begin(ctx context.Context, plan fleet.PlanID) (*pass, error) {
	p := &pass{Actuator: a, plan: plan, at: a.now()}
	stored, err := a.client.CoreV1().ConfigMaps(a.Ledger.Namespace).Get(ctx, a.Ledger.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return nil, call{"get", "configmaps", a.Ledger.Namespace, a.Ledger.Name}.failed(err)
	default:
		p.stored = stored
		p.paused = stored.Annotations[kube.AnnotationPaused] == "true"
		if p.before, err = kube.DecodeLedger(stored.Data[kube.LedgerKey]); err != nil {
			return nil, fmt.Errorf("ConfigMap %s: %w", a.Ledger, err)
		}
	}
	if p.before.Generation > 0 {
		a.hasLedger = true
	} else if err := p.mayBegin(ctx); err != nil {
		return nil, err
	}
	p.ledger = p.before.Clone()
	if a.withheld.Plan == plan && plan != "" {
		p.ledger = a.withheld.Clone()
	}
	return p, nil
}

// mayBegin tells whether a ledger may begin empty.
func (p *pass) mayBegin(ctx context.Context) error {
	if p.hasLedger {
		return refuse("the ledger in ConfigMap %s is gone: restore it from a backup, or restart to begin anew", p.Ledger)
	}
	if err := p.readNodes(ctx); err != nil {
		return err
	}
	for _, n := range p.nodes {
		if n.Labels[kube.LabelLedger] == p.ledgerLabel() {
			return refuse("there is no ledger in ConfigMap %s, yet node %s was bought by it: restore the ConfigMap from a backup, or take the label %s off that node", p.Ledger, n.Name, kube.LabelLedger)
		}
	}
	return nil
}

// ledgerLabel is how what Tessera made names its installation.
func (a *Actuator) ledgerLabel() string { return a.Ledger.Namespace + "." + a.Ledger.Name }

// save writes the ledger over the version that was read, if it changed. Behind a shut
// door it is kept in memory for the later steps of the same plan, so that they are
// judged as if it had been written.
func (p *pass) save(ctx context.Context) error {
	if reflect.DeepEqual(p.ledger, p.before) {
		return nil
	}
	p.ledger.Plan, p.ledger.Leader, p.ledger.Generation = p.plan, p.Leader, p.before.Generation+1
	err := p.write(WithPlan(ctx, p.plan))
	if errors.Is(err, control.ErrWithheld) {
		p.withheld = p.ledger.Clone()
	}
	return err
}

// mayGrow refuses to begin something new with a ledger that is large already, long
// before the API server refuses all of it and nothing could be ended any more.
func (p *pass) mayGrow(step fleet.Step) error {
	if k := step.Kind(); k != fleet.KindBuyNode && k != fleet.KindStartReplica {
		return nil
	}
	text, err := p.ledger.Encode()
	if err != nil {
		return err
	}
	if len(text) > kube.LedgerMost {
		return refuse("the ledger in ConfigMap %s has no room for more: divide the fleet among several installations", p.Ledger)
	}
	return nil
}

// write sends the ledger.
func (p *pass) write(ctx context.Context) error {
	text, err := p.ledger.Encode()
	if err != nil {
		return err
	}
	maps := p.client.CoreV1().ConfigMaps(p.Ledger.Namespace)
	if p.stored == nil {
		_, err := maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Name: p.Ledger.Name, Namespace: p.Ledger.Namespace,
				Labels: map[string]string{kube.LabelLedger: p.ledgerLabel()},
			},
			Data: map[string]string{kube.LedgerKey: text},
		}, metav1.CreateOptions{FieldManager: kube.FieldManager})
		return call{"create", "configmaps", p.Ledger.Namespace, p.Ledger.Name}.failed(err)
	}
	next := p.stored.DeepCopy()
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	next.Data[kube.LedgerKey] = text
	_, err = maps.Update(ctx, next, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	return call{"update", "configmaps", p.Ledger.Namespace, p.Ledger.Name}.failed(err)
}

// highest is the highest number at the end of a name in the ledger.
func highest(l kube.Ledger) int {
	most := 0
	for _, w := range l.Nodes {
		most = max(most, number(string(w.ID)))
	}
	for _, s := range l.Replicas {
		most = max(most, number(string(s.ID)))
	}
	return most
}

// number is the number after the last dash of a name, 0 where there is none or it was
// not made here: such a name must not use up the numbers.
func number(name string) int {
	_, digits, _ := cutLast(name, "-")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n >= 1_000_000_000 {
		return 0
	}
	return n
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
