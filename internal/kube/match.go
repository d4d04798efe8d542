package kube

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Host is a node as far as it matters to its replicas: its fleet id and how its
// GPUs are cut, or are to be.
type Host struct {
	ID   fleet.NodeID
	GPUs []fleet.GPU
}

// Seated is a replica and the pod that is it.
type Seated struct {
	Seat   Seat
	Listed bool        // in the ledger; others are pods that were there before, or that somebody started
	Pod    *corev1.Pod // nil: none yet, or no longer
}

// Matching is which pod is which replica.
type Matching struct {
	Seated []Seated // sorted by id
	// Waiting are pods that no node took yet, beyond those that the ledger waits
	// for: somebody asked for them.
	Waiting map[Key][]*corev1.Pod
	// Homeless are pods that run where no slice of their kind is known.
	Homeless []*corev1.Pod
}

// Match tells which pod is which replica. A pod asks for a kind of slice on a node
// and not for a slice, so pods of one Deployment on one node are alike: those that
// leave are found by their identity, the others are joined to the seats there in
// order of age and id. A pod beyond the seats is a replica under its own name, on a
// free slice of its kind. Every seat appears once, also where its Deployment or its
// node is not there; then without a pod. The hosts are by the cluster's name of the
// node; pods that ended are left out.
func Match(l Ledger, servers []Server, hosts map[string]Host, pods []*corev1.Pod) Matching {
	m := matcher{
		Matching: Matching{Waiting: map[Key][]*corev1.Pod{}},
		hosts:    hosts, pods: podsOf(servers, pods), seats: map[spot][]Seat{},
		taken: map[fleet.SliceID]bool{}, named: map[fleet.ReplicaID]bool{},
	}
	known := map[Key]bool{}
	for _, s := range servers {
		known[s.Key] = true
	}
	for _, s := range l.Replicas {
		at := spot{s.Server, s.Slice.GPU.Node}
		m.seats[at], m.taken[s.Slice], m.named[s.ID] = append(m.seats[at], s), true, true
		if !known[s.Server] {
			m.Seated = append(m.Seated, Seated{Seat: s, Listed: true})
		}
	}
	names := map[fleet.NodeID]string{}
	for name, h := range hosts {
		names[h.ID] = name
	}
	for _, server := range servers {
		m.server(server, l, names)
	}
	slices.SortFunc(m.Seated, func(a, b Seated) int { return cmp.Compare(a.Seat.ID, b.Seat.ID) })
	slices.SortFunc(m.Homeless, byAge)
	return m.Matching
}

// spot is a Deployment on a node.
type spot struct {
	server Key
	node   fleet.NodeID
}

type matcher struct {
	Matching
	hosts map[string]Host
	pods  map[Key]map[string][]*corev1.Pod // by Deployment and the cluster's name of the node, empty: none
	seats map[spot][]Seat
	taken map[fleet.SliceID]bool
	named map[fleet.ReplicaID]bool
}

// server joins the pods of one Deployment to its seats.
func (m *matcher) server(s Server, l Ledger, names map[fleet.NodeID]string) {
	here := m.pods[s.Key]
	joined := map[*corev1.Pod]bool{}
	awaited := 0
	done := map[fleet.NodeID]bool{}
	for _, seat := range l.Replicas {
		node := seat.Slice.GPU.Node
		if seat.Server != s.Key || done[node] {
			continue
		}
		done[node] = true
		var there []*corev1.Pod
		if name, arrived := names[node]; arrived { // else its pods wait among those that no node took
			there = here[name]
		}
		for _, seated := range pair(m.seats[spot{s.Key, node}], there) {
			m.Seated = append(m.Seated, seated)
			if seated.Pod != nil {
				joined[seated.Pod] = true
			} else if seated.Seat.Leaving == nil {
				awaited++
			}
		}
	}
	var loose []*corev1.Pod
	for name, pods := range here {
		for _, p := range pods {
			if !joined[p] && name != "" {
				loose = append(loose, p)
			}
		}
	}
	slices.SortFunc(loose, byAge)
	for _, p := range loose {
		m.lodge(s, p)
	}
	unscheduled := slices.DeleteFunc(here[""], func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
	if len(unscheduled) > awaited {
		m.Waiting[s.Key] = unscheduled[awaited:]
	}
}

// lodge finds a slice for a pod that no seat is for.
func (m *matcher) lodge(s Server, p *corev1.Pod) {
	slice, free := m.free(m.hosts[p.Spec.NodeName], s.Kind)
	if !free {
		if p.DeletionTimestamp == nil {
			m.Homeless = append(m.Homeless, p)
		}
		return
	}
	id := fleet.ReplicaID(p.Name)
	if m.named[id] { // in another namespace
		id = fleet.ReplicaID(Key{p.Namespace, p.Name}.String())
	}
	m.taken[slice], m.named[id] = true, true
	m.Seated = append(m.Seated, Seated{Pod: p, Seat: Seat{
		ID: id, Server: s.Key, Slice: slice, Since: p.CreationTimestamp.Time,
	}})
}

// free is the first slice of a kind on a host that nobody has.
func (m *matcher) free(h Host, kind fleet.SliceKind) (fleet.SliceID, bool) {
	for _, s := range (fleet.Node{ID: h.ID, GPUs: h.GPUs}).Slices() {
		if s.Kind == kind && !m.taken[s.ID] {
			return s.ID, true
		}
	}
	return fleet.SliceID{}, false
}

// pair joins seats and pods of one Deployment on one node: what leaves by its
// identity, the rest in order. A pod on its way out that nobody's leaving is about
// fills no seat, because the pod in its place will.
func pair(seats []Seat, pods []*corev1.Pod) []Seated {
	out := make([]Seated, len(seats))
	used := map[*corev1.Pod]bool{}
	for i, s := range seats {
		out[i] = Seated{Seat: s, Listed: true}
		if s.Leaving == nil {
			continue
		}
		for _, p := range pods {
			if !used[p] && p.UID == s.Leaving.UID && p.Name == s.Leaving.Pod {
				out[i].Pod, used[p] = p, true
			}
		}
	}
	next := 0
	for i, s := range seats {
		if s.Leaving != nil {
			continue
		}
		for next < len(pods) && (used[pods[next]] || pods[next].DeletionTimestamp != nil) {
			next++
		}
		if next < len(pods) {
			out[i].Pod = pods[next]
			next++
		}
	}
	return out
}

// podsOf sorts live pods of servers by Deployment and node, the oldest first. A pod
// belongs to the Deployment of its namespace that bears the same three labels.
func podsOf(servers []Server, pods []*corev1.Pod) map[Key]map[string][]*corev1.Pod {
	type face struct{ namespace, model, variant, slice string }
	of := map[face]Key{}
	for _, s := range servers {
		of[face{s.Key.Namespace, string(s.Model), string(s.Variant), SliceLabel(s.Kind)}] = s.Key
	}
	out := map[Key]map[string][]*corev1.Pod{}
	for _, p := range pods {
		key, known := of[face{p.Namespace, p.Labels[LabelModel], p.Labels[LabelVariant], p.Labels[LabelSlice]}]
		if !known || !Live(p) {
			continue
		}
		if out[key] == nil {
			out[key] = map[string][]*corev1.Pod{}
		}
		out[key][p.Spec.NodeName] = append(out[key][p.Spec.NodeName], p)
	}
	for _, nodes := range out {
		for _, pods := range nodes {
			slices.SortFunc(pods, byAge)
		}
	}
	return out
}

// byAge orders pods, the oldest first.
func byAge(a, b *corev1.Pod) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Live tells whether a pod takes or will take a slice: it did not end.
func Live(p *corev1.Pod) bool {
	return p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

// Ready tells whether a pod serves, and since when.
func Ready(p *corev1.Pod) (corev1.PodCondition, bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c, c.Status == corev1.ConditionTrue
		}
	}
	return corev1.PodCondition{}, false
}
