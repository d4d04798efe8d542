package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// anyCluster is a cluster in any state, and a ledger that may or may not be of it.
func anyCluster(t *rapid.T) inputs {
	yes := func(what string, oneIn int) bool { return rapid.IntRange(1, oneIn).Draw(t, what) == 1 }
	at := func(what string) time.Time { return minute(float64(rapid.IntRange(0, 20).Draw(t, what))) }
	shape := func() fleet.Geometry {
		return rapid.SampledFrom([]fleet.Geometry{nil, halves, sevenths, {{Profile: fleet.WholeGPU}}}).Draw(t, "shape")
	}
	in := nothing()
	in.now = minute(20)
	in.configMap = &corev1.ConfigMap{}
	for i := range in.deployments {
		if yes("odd deployment", 8) {
			in.deployments[i].Spec.Template.Labels = nil
		}
	}
	all := slices.Clone(in.deployments)
	if yes("a deployment is gone", 4) {
		in.deployments = in.deployments[1:]
	}
	offering := func() fleet.OfferingName {
		return rapid.SampledFrom([]fleet.OfferingName{"a1", "a1", "a2", "unknown"}).Draw(t, "offering")
	}
	gpusOf := func(o fleet.OfferingName) []fleet.GPU {
		if o == "a2" {
			return []fleet.GPU{{Type: a100, Geometry: shape()}, {Type: a100, Geometry: shape()}}
		}
		return cut(1, shape())
	}
	var names []string
	for i := range rapid.IntRange(0, 5).Draw(t, "nodes") {
		id, name, o := fleet.NodeID(fmt.Sprintf("n%d", i)), fmt.Sprintf("k%d", i), offering()
		if yes("wished", 2) {
			w := kube.Wish{
				ID: id, Offering: o, GPUs: gpusOf(o), RequestedAt: at("asked"), Draining: yes("draining", 4), Returning: yes("returning", 6),
			}
			if w.Fixed = yes("fixed", 4); w.Fixed {
				w.ID = fleet.NodeID(name)
			}
			if yes("was ready", 2) {
				w.ReadyAt = w.RequestedAt.Add(time.Minute)
			}
			if yes("being cut", 5) {
				w.Cut = &kube.Cut{Since: w.RequestedAt}
			}
			in.ledger.PutNode(w)
			for j, s := range (fleet.Node{ID: w.ID, GPUs: w.GPUs}).Slices() {
				if !yes("seat", 3) {
					continue
				}
				seat := kube.Seat{ID: fleet.ReplicaID(fmt.Sprintf("r%d-%d", i, j)), Slice: s.ID, Server: keyOf(rapid.SampledFrom(all).Draw(t, "server")), Since: at("seated")}
				if yes("leaving", 4) {
					seat.Leaving = &kube.Leaving{Pod: "p0", UID: "uid-p0", Since: seat.Since}
				}
				in.ledger.PutReplica(seat)
			}
		}
		if yes("claim", 3) {
			in.claims = append(in.claims, claimOf(id, o, at("claimed")))
		}
		if yes("node", 4) {
			continue
		}
		n := nodeOf(name, o, at("born"), gpusOf(offering()))
		if yes("ours", 2) {
			ours(n, rapid.SampledFrom([]fleet.NodeID{id, "n0"}).Draw(t, "bears"))
		}
		if yes("not ready", 4) {
			notReady(n, at("since"))
		}
		n.Spec.Unschedulable = yes("cordoned", 6)
		in.nodes, names = append(in.nodes, n), append(names, name)
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "pods") {
		p := podOf(rapid.SampledFrom(all).Draw(t, "of"), fmt.Sprintf("p%d", i), rapid.SampledFrom(append(names, "", "elsewhere")).Draw(t, "on"), at("pod"))
		if yes("going", 5) {
			p.DeletionTimestamp = &metav1.Time{Time: in.now}
		}
		in.pods = append(in.pods, p)
	}
	if yes("seen before", 2) {
		in.memory = in.memory.after(in.nodes, minute(10))
	}
	in.memory = in.memory.after(in.nodes, in.now)
	return in
}

func TestWhateverTheClusterShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyCluster(t)
		v := view(in)
		s := v.snapshot(in.now)
		noSliceHoldsTwo(t, v)
		everySeatAppearsOnce(t, in, v)
		capacityIsThere(t, in, v)
		nothingUnpricedIsHidden(t, in, v)
		stepsApply(t, s)

		shuffled := in
		shuffled.nodes, shuffled.pods = reversed(in.nodes), reversed(in.pods)
		shuffled.deployments, shuffled.claims = reversed(in.deployments), reversed(in.claims)
		if diff := cmp.Diff(describe(v), describe(view(shuffled))); diff != "" {
			t.Fatalf("the order in which a cache lists matters: %s", diff)
		}
	})
}

func reversed[T any](list []T) []T {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// describe prints everything that a view says.
func describe(v View) []string {
	out := []string{fmt.Sprint(v.Places), fmt.Sprint(v.Pods), fmt.Sprint(v.Holds)}
	for _, n := range v.Nodes {
		out = append(out, fmt.Sprint(n))
	}
	for _, r := range v.Replicas {
		out = append(out, fmt.Sprint(r))
	}
	for _, d := range v.Doubts {
		out = append(out, fmt.Sprint(d))
	}
	return out
}

func noSliceHoldsTwo(t *rapid.T, v View) {
	slices, pods := map[fleet.SliceID]fleet.ReplicaID{}, map[PodRef]fleet.ReplicaID{}
	for _, r := range v.Replicas {
		if other, taken := slices[r.Slice]; taken {
			t.Fatalf("%s and %s are on %s", r.ID, other, r.Slice)
		}
		slices[r.Slice] = r.ID
		if p, has := v.Pods[r.ID]; has {
			if other, taken := pods[p]; taken {
				t.Fatalf("%s and %s are pod %v", r.ID, other, p)
			}
			pods[p] = r.ID
		}
	}
}

func everySeatAppearsOnce(t *rapid.T, in inputs, v View) {
	seen := map[fleet.ReplicaID]int{}
	for _, r := range v.Replicas {
		seen[r.ID]++
	}
	for id, n := range seen {
		if n != 1 {
			t.Fatalf("replica %s is there %d times", id, n)
		}
	}
	for _, s := range in.ledger.Replicas {
		if seen[s.ID] != 1 {
			t.Fatalf("seat %s is there %d times", s.ID, seen[s.ID])
		}
	}
}

// capacityIsThere: what is ready to be used is what a kubelet that is ready offers.
func capacityIsThere(t *rapid.T, in inputs, v View) {
	for _, n := range v.Nodes {
		if n.State != fleet.NodeReady || slices.ContainsFunc(n.GPUs, func(g fleet.GPU) bool { return g.Reshaping }) {
			continue
		}
		i := slices.IndexFunc(in.nodes, func(k *corev1.Node) bool {
			_, ready := kube.NodeReady(k)
			return ready && (k.Labels[kube.LabelNode] == string(n.ID) || k.Name == string(n.ID)) && offersAll(n.GPUs, k)
		})
		if i < 0 {
			t.Fatalf("%s counts, and no node offers it", n.Describe())
		}
	}
	for _, r := range v.Replicas {
		if r.State == fleet.ReplicaReady && v.Pods[r.ID] == (PodRef{}) {
			t.Fatalf("%s serves without a pod", r.ID)
		}
	}
}

// nothingUnpricedIsHidden: every node and claim of ours, and every other node with an
// offering, is in the view or doubted, unless it is another one's.
func nothingUnpricedIsHidden(t *rapid.T, in inputs, v View) {
	money := func(names ...string) bool {
		return slices.ContainsFunc(v.Doubts, func(d fleet.Doubt) bool {
			return d.Money && slices.ContainsFunc(names, func(n string) bool { return d.Subject == "node "+n })
		})
	}
	s := v.snapshot(in.now)
	for _, k := range in.nodes {
		if _, shown := s.Node(kube.NodeID(k)); !shown && !money(k.Name) && !returned(in, kube.NodeID(k)) {
			t.Fatalf("node %s of %s is neither shown nor doubted: %v", k.Name, k.Labels[kube.LabelOffering], v.Doubts)
		}
	}
	for _, c := range in.claims {
		if _, shown := s.Node(fleet.NodeID(c.GetName())); !shown && !slices.ContainsFunc(v.Doubts, func(d fleet.Doubt) bool {
			return d.Money && (d.Subject == "node "+c.GetName() || strings.HasPrefix(d.Subject, "node k"))
		}) {
			t.Fatalf("claim %s is neither shown nor doubted: %v", c.GetName(), v.Doubts)
		}
	}
	for _, n := range v.Nodes {
		if _, priced := in.settings.Catalog.Offering(n.Offering); !priced {
			t.Fatalf("node %s is shown, and nobody knows what %q costs", n.ID, n.Offering)
		}
	}
}

func returned(in inputs, id fleet.NodeID) bool {
	w := in.ledger.Node(id)
	return w != nil && w.Returning
}

// stepsApply: what the snapshot shows can be planned on.
func stepsApply(t *rapid.T, s fleet.Snapshot) {
	must := func(step fleet.Step) {
		after := s.Clone()
		if err := step.Apply(&after); err != nil {
			t.Fatalf("%s: %v", step.Describe(), err)
		}
	}
	taken := s.Occupied()
	for _, n := range s.Nodes {
		if n.State == fleet.NodeDraining {
			must(fleet.KeepNode{Node: n.ID})
			continue
		}
		must(fleet.DrainNode{Node: n.ID})
		for _, slice := range n.Slices() {
			if _, busy := taken[slice.ID]; !busy {
				must(fleet.StartReplica{Replica: "new", Model: "fr", Variant: "fp16", Slice: slice.ID})
			}
		}
	}
	for _, r := range s.Replicas {
		if r.State != fleet.ReplicaDraining {
			must(fleet.StopReplica{Replica: r.ID})
		}
	}
}
