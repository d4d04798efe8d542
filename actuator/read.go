package actuator

import (
	"cmp"
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// readNodes lists the nodes of the cluster by their fleet id.
func (p *pass) readNodes(ctx context.Context) error {
	if p.nodes != nil {
		return nil
	}
	list, err := p.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return call{"list", "nodes", "", ""}.failed(err)
	}
	p.nodes = make(map[fleet.NodeID]*corev1.Node, len(list.Items))
	for i := range list.Items {
		p.nodes[kube.NodeID(&list.Items[i])] = &list.Items[i]
	}
	return nil
}

// node finds a node, nil when it is not there.
func (p *pass) node(ctx context.Context, id fleet.NodeID) (*corev1.Node, error) {
	if err := p.readNodes(ctx); err != nil {
		return nil, err
	}
	return p.nodes[id], nil
}

// servers lists the models' Deployments that can be read. One that cannot is left
// alone; observe tells people what is wrong with it.
func (p *pass) servers(ctx context.Context) ([]kube.Server, error) {
	if p.deployments != nil {
		return p.known, nil
	}
	read := map[kube.Key]*appsv1.Deployment{}
	for _, namespace := range p.Namespaces {
		list, err := p.client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: kube.LabelModel})
		if err != nil {
			return nil, call{"list", "deployments", namespace, ""}.failed(err)
		}
		for i := range list.Items {
			d := &list.Items[i]
			read[kube.Key{Namespace: d.Namespace, Name: d.Name}] = d
			if s, err := kube.ServerOf(d); err == nil {
				p.known = append(p.known, s)
			} else {
				p.unclear = true
			}
		}
	}
	p.deployments = read
	slices.SortFunc(p.known, func(a, b kube.Server) int { return a.Key.Compare(b.Key) })
	return p.known, nil
}

// server finds a Deployment.
func (p *pass) server(ctx context.Context, key kube.Key) (kube.Server, bool, error) {
	servers, err := p.servers(ctx)
	i := slices.IndexFunc(servers, func(s kube.Server) bool { return s.Key == key })
	if err != nil || i < 0 {
		return kube.Server{}, false, err
	}
	return servers[i], true, nil
}

// match tells which pod is which replica by the ledger as it now is. The pods are
// read after their Deployments, so that a pod that is still there outlived what the
// Deployment's status tells.
func (p *pass) match(ctx context.Context) (kube.Matching, error) {
	servers, err := p.servers(ctx)
	if err != nil {
		return kube.Matching{}, err
	}
	hosts, err := p.hosts(ctx)
	if err != nil {
		return kube.Matching{}, err
	}
	if p.pods == nil {
		p.pods = []*corev1.Pod{}
		for _, namespace := range p.Namespaces {
			list, err := p.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: kube.LabelModel})
			if err != nil {
				p.pods = nil
				return kube.Matching{}, call{"list", "pods", namespace, ""}.failed(err)
			}
			for i := range list.Items {
				p.pods = append(p.pods, &list.Items[i])
			}
		}
	}
	return kube.Match(p.ledger, servers, hosts, p.pods), nil
}

// hosts are the nodes of the fleet that are there, by their name in the cluster.
func (p *pass) hosts(ctx context.Context) (map[string]kube.Host, error) {
	if err := p.readNodes(ctx); err != nil {
		return nil, err
	}
	out := map[string]kube.Host{}
	for id, n := range p.nodes {
		if w := p.ledger.Node(id); w != nil {
			out[n.Name] = kube.Host{ID: id, GPUs: w.GPUs}
		} else if w, err := p.found(n); err == nil {
			out[n.Name] = kube.Host{ID: id, GPUs: w.GPUs}
		}
	}
	return out, nil
}

// podsOn lists the live pods on a node, of all namespaces, without those that belong
// to the node itself.
func (p *pass) podsOn(ctx context.Context, node string) ([]*corev1.Pod, error) {
	selector := fields.OneTermEqualSelector("spec.nodeName", node).String()
	list, err := p.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return nil, call{"list", "pods", "", ""}.failed(err)
	}
	var out []*corev1.Pod
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.Spec.NodeName == node && kube.Live(pod) && !ofTheNode(pod) {
			out = append(out, pod)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// ofTheNode tells whether a pod comes and goes with its node: of a DaemonSet without
// GPUs, or of the kubelet itself.
func ofTheNode(pod *corev1.Pod) bool {
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return true
	}
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "DaemonSet" && !asksForGPU(pod)
}

// asksForGPU tells whether a pod takes a GPU or a slice of one.
func asksForGPU(pod *corev1.Pod) bool {
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for _, c := range containers {
			for name, q := range c.Resources.Limits {
				if kube.IsGPUResource(name) && !q.IsZero() {
					return true
				}
			}
		}
	}
	return false
}
