package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// gpu is one GPU in the world. It works while at least one server on it does; a
// server that hangs is at work too, as its meter says.
type gpu struct {
	active   int        // servers at work on it
	since    int64      // when it last began to work or to idle; at first when its node was asked for
	worked   int64      // nanoseconds, up to since
	idled    int64      // likewise
	reshapes int        // under way
	stuck    int        // faults that hold it
	sessions []*replica // servers of sessions on it, once they serve
}

// begin counts a server that begins to work.
func (g *gpu) begin(now int64) {
	if g.active == 0 {
		g.idled += now - g.since
		g.since = now
	}
	g.active++
}

// end counts a server that ends its work.
func (g *gpu) end(now int64) {
	if g.active--; g.active == 0 {
		g.worked += now - g.since
		g.since = now
	}
}

// upTo is the time for which the GPU worked and idled up to an instant.
func (g *gpu) upTo(at int64) (worked, idled int64) {
	if g.active > 0 {
		return g.worked + at - g.since, g.idled
	}
	return g.worked, g.idled + at - g.since
}

// gpuTime is an exact sum of GPU time: years of thousands of GPUs have more
// nanoseconds than one integer holds.
type gpuTime struct{ hours, nanos int64 }

func (t *gpuTime) add(nanos int64) {
	t.nanos += nanos
	t.hours += t.nanos / int64(time.Hour)
	t.nanos %= int64(time.Hour)
}

func (t gpuTime) inHours() float64 { return float64(t.hours) + float64(t.nanos)/float64(time.Hour) }

func (t gpuTime) plus(o gpuTime) gpuTime {
	t.hours += o.hours
	t.add(o.nanos)
	return t
}

// gpuAccount is the GPU time that was paid, and what became of it. Working and
// idle time are counted apart from what was paid, and add up to it.
type gpuAccount struct{ paid, worked, idled gpuTime }

// enter adds the time of a node's GPUs up to an instant. Nodes without GPUs have
// none.
func (a *gpuAccount) enter(n *node, until int64) {
	if n.offering.GPU == fleet.CPU {
		return
	}
	for _, g := range n.gpus {
		worked, idled := g.upTo(until)
		a.paid.add(until - n.from)
		a.worked.add(worked)
		a.idled.add(idled)
	}
}

// gpuTimes is the account of all nodes that ever were, as if they ended now, and of
// those that are reserved and were not used.
func (w *World) gpuTimes() gpuAccount {
	a := w.ended.gpus
	for _, n := range w.live {
		a.enter(n, w.now)
	}
	for _, r := range w.reserved {
		r.enter(&a, w.now)
	}
	return a
}
