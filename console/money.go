package console

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// outlay is the committed rate of spending and what it goes to. The three parts
// add up to the whole.
type outlay struct {
	whole fleet.Rate
	gpu   fleet.Rate // GPUs on which a replica serves
	cpu   fleet.Rate // nodes without GPUs on which a replica serves
	idle  fleet.Rate // GPUs and such nodes on which none does, those that still start included
}

// outlayOf splits each node's price evenly over its GPUs. A replica serves until
// it is gone, so one that drains keeps its GPU from being idle.
func outlayOf(s State) (outlay, error) {
	zero := fleet.PerHour(fleet.Micros(0, s.Settings.Policy.Currency))
	out := outlay{whole: zero, gpu: zero, cpu: zero, idle: zero}
	snapshot := s.Record.Inputs.Snapshot
	serving := map[fleet.GPUID]bool{}
	for _, r := range snapshot.Replicas {
		if r.State != fleet.ReplicaPending {
			serving[r.Slice.GPU] = true
		}
	}
	for _, n := range snapshot.Nodes {
		o, ok := s.Settings.Catalog.Offering(n.Offering)
		if !ok {
			return outlay{}, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		busy := 0
		for index := range n.GPUs {
			if serving[fleet.GPUID{Node: n.ID, Index: index}] {
				busy++
			}
		}
		used := o.Price.Share(int64(busy), int64(max(1, len(n.GPUs))))
		out.whole = out.whole.Add(o.Price)
		out.idle = out.idle.Add(o.Price.Sub(used))
		if o.GPU == fleet.CPU {
			out.cpu = out.cpu.Add(used)
		} else {
			out.gpu = out.gpu.Add(used)
		}
	}
	return out, nil
}
