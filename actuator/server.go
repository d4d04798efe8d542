package actuator

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// crew is a Deployment with its seats and pods.
type crew struct {
	server     kube.Server
	deployment *appsv1.Deployment
	replicas   int32 // that the Deployment asks for
	seated     []kube.Seated
	waiting    []*corev1.Pod // beyond the seats, without a node
	all        []*corev1.Pod // live ones
	taken      map[fleet.SliceID]bool
}

// crew looks at a Deployment by the ledger as it now is.
func (p *pass) crew(ctx context.Context, s kube.Server) (crew, error) {
	m, err := p.match(ctx)
	if err != nil {
		return crew{}, err
	}
	d := p.deployments[s.Key]
	c := crew{server: s, deployment: d, replicas: replicas(d), waiting: m.Waiting[s.Key], taken: map[fleet.SliceID]bool{}}
	for _, x := range m.Seated {
		c.taken[x.Seat.Slice] = true
		if x.Seat.Server == s.Key {
			c.seated = append(c.seated, x)
		}
	}
	for _, pod := range p.pods {
		if kube.Live(pod) && pod.Namespace == s.Key.Namespace && pod.Labels[kube.LabelModel] == string(s.Model) &&
			pod.Labels[kube.LabelVariant] == string(s.Variant) && pod.Labels[kube.LabelSlice] == kube.SliceLabel(s.Kind) {
			c.all = append(c.all, pod)
		}
	}
	return c, nil
}

// seats are the seats of the ledger that the Deployment's number is to count.
func (c crew) seats() []kube.Seated {
	var out []kube.Seated
	for _, s := range c.seated {
		if s.Listed && (s.Seat.Leaving == nil || !s.Seat.Leaving.Lowered) {
			out = append(out, s)
		}
	}
	return out
}

func (c crew) ref() *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: "apps/v1", Kind: "Deployment", Namespace: c.server.Key.Namespace, Name: c.server.Key.Name, UID: c.deployment.UID,
	}
}

// settleServer goes on with one Deployment: with those that leave, the seats on its
// nodes, and its number of replicas, in this order.
func (p *pass) settleServer(ctx context.Context, key kube.Key) error {
	s, known, err := p.server(ctx, key)
	if err != nil || !known || s.Paused {
		return err
	}
	c, err := p.crew(ctx, s)
	if err != nil {
		return err
	}
	h, theirs := p.theirs(key)
	p.settleLeaving(c, theirs)
	if theirs {
		p.adopt(c, h)
	} else {
		delete(p.said, key.String())
		p.reseat(c)
	}
	if p.lately(key) {
		p.seatWaiting(c)
	}
	if c, err = p.crew(ctx, s); err != nil {
		return err
	}
	if err := p.offerSeats(ctx, c); err != nil {
		return err
	}
	if !theirs {
		p.scale(c)
	}
	return nil
}
