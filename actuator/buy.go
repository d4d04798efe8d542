package actuator

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// buy wishes for a node.
func (p *pass) buy(ctx context.Context, s fleet.BuyNode) error {
	if w := p.ledger.Node(s.Node); w != nil {
		if w.Offering == s.Offering && reflect.DeepEqual(w.GPUs, s.GPUs) && !w.Fixed && !w.Returning {
			return nil
		}
		return refuse("node %s is in the ledger already, as %s", s.Node, describe(*w))
	}
	if wait := p.ledger.Backoff(s.Offering); p.at.Before(wait.Until) {
		return refuse("the last %s that was asked for was given up, so none is asked for before %s", s.Offering, wait.Until.UTC().Format(time.RFC3339))
	}
	if err := p.Engine.knows(s.Offering); err != nil {
		return err
	}
	if err := p.mayCut(s.GPUs); err != nil {
		return err
	}
	node, err := p.node(ctx, s.Node)
	if err != nil {
		return err
	}
	r, err := p.Engine.find(ctx, p, s.Node)
	if err != nil {
		return err
	}
	if node != nil || r != nil {
		return refuse("node %s is there already, and the ledger does not know it", s.Node)
	}
	p.ledger.PutNode(kube.Wish{
		ID: s.Node, Offering: s.Offering, GPUs: slices.Clone(s.GPUs), Plan: p.plan, RequestedAt: p.at,
	})
	return nil
}

// mayCut refuses GPUs with MIG where nobody would cut them.
func (p *pass) mayCut(gpus []fleet.GPU) error {
	if kube.MIGConfigName(gpus) != "" && p.MIGConfigs == (kube.Key{}) {
		return refuse("nodes with MIG cannot be cut: name in the cluster's configuration the ConfigMap from which mig-manager takes its geometries")
	}
	return nil
}
