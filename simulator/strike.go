package simulator

import (
	"math/rand/v2"
	"strconv"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// await puts the faults that happen, and do not only hold, into the heap.
func (w *World) await() {
	w.strikes = make([]strike, len(w.faults))
	for i, f := range w.faults {
		switch f.Kind {
		case MetricsFrozen, MetricsFlatline, NodeDeath, GPUStuck, ServerCrash:
			w.heap.push(event{at: int64(f.At), kind: evFault, subject: int32(i)})
		}
	}
}

// strike is what a fault did when it began, for as long as it holds.
type strike struct {
	stuck []place
	seen  []fleet.ModelSignals // by model, as they were seen when it began
}

// place is a GPU of a node.
type place struct {
	node *node
	gpu  *gpu
}

// faultBegins lets a fault strike what it draws.
func (w *World) faultBegins(index int32) {
	f := w.faults[index]
	draws := w.stream("fault/" + strconv.Itoa(int(index)))
	many := max(f.Count, 1)
	switch f.Kind {
	case NodeDeath:
		for _, n := range drawn(draws, w.mortal(f), many) {
			w.lose(n)
		}
	case ServerCrash:
		for _, r := range drawn(draws, w.serving(f), many) {
			w.crash(r)
		}
	case GPUStuck:
		struck := drawn(draws, w.working(f), many)
		for _, p := range struck {
			w.seize(p.node, p.gpu)
		}
		w.strikes[index].stuck = struck
		w.heap.push(event{at: w.now + int64(f.For), kind: evFaultOver, subject: index})
	case MetricsFrozen, MetricsFlatline:
		seen := make([]fleet.ModelSignals, len(w.models))
		for i, m := range w.models {
			seen[i] = w.sees(m)
		}
		w.strikes[index].seen = seen
		w.heap.push(event{at: w.now + int64(f.For), kind: evFaultOver, subject: index})
	}
}

// faultEnds undoes what a fault did.
func (w *World) faultEnds(index int32) {
	for _, p := range w.strikes[index].stuck {
		w.release(p.node, p.gpu)
	}
	w.strikes[index] = strike{}
}

// mortal lists the nodes that a fault may take: all that are up.
func (w *World) mortal(f Fault) []*node {
	var out []*node
	for _, n := range w.live {
		if !n.ReadyAt.IsZero() && f.on(n.Offering) {
			out = append(out, n)
		}
	}
	return out
}

// serving lists the servers that a fault may crash: all that are ready.
func (w *World) serving(f Fault) []*replica {
	var out []*replica
	for _, n := range w.live {
		for _, r := range n.replicas {
			if r.state == fleet.ReplicaReady && f.on(n.Offering) && f.concerns(r.model.Name) {
				out = append(out, r)
			}
		}
	}
	return out
}

// working lists the GPUs that a fault may get stuck: all on which a server is up.
func (w *World) working(f Fault) []place {
	var out []place
	for _, n := range w.live {
		if n.offering.GPU == fleet.CPU || !f.on(n.Offering) {
			continue
		}
		for _, g := range n.gpus {
			for _, r := range n.replicas {
				if r.gpu == g && r.state != fleet.ReplicaPending && f.concerns(r.model.Name) {
					out = append(out, place{n, g})
					break
				}
			}
		}
	}
	return out
}

// drawn picks some of a list, each as likely as any other.
func drawn[T any](draws *rand.Rand, list []T, many int) []T {
	many = min(many, len(list))
	for i := range many {
		j := i + draws.IntN(len(list)-i)
		list[i], list[j] = list[j], list[i]
	}
	return list[:many]
}
