package repack

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// A world is the fleet between two steps, and what it does for each model.
type world struct {
	b      *book
	nodes  []*machine // By number.
	served map[packing.Occupant]int64
	on     map[packing.Occupant]map[int]int // Replicas by node.
	floor  map[packing.Occupant]int64       // What no step may take a model below.
	apart  map[packing.Occupant]int         // Nodes of which no step may leave it fewer.
}

// machine is a node of a world.
type machine struct {
	number   int
	old      int
	kind     *kind
	gpus     [][]packing.Slice
	draining bool
	bought   bool // In the plan.
}

// newWorld is the fleet when everything under way is done. No step may take from a
// model what it needs, nor anything from one that has less.
func newWorld(b *book, nodes []Node) *world {
	w := &world{b: b, served: map[packing.Occupant]int64{}, on: map[packing.Occupant]map[int]int{}, floor: map[packing.Occupant]int64{}, apart: map[packing.Occupant]int{}}
	for i, n := range nodes {
		m := &machine{number: n.Number, old: i, kind: b.types[n.Type], draining: n.State == Draining}
		for _, gpu := range n.GPUs {
			m.gpus = append(m.gpus, slotsOf(gpu))
		}
		w.nodes = append(w.nodes, m)
		for _, slots := range m.gpus {
			for _, s := range slots {
				w.count(m, s, 1)
			}
		}
	}
	for name, m := range b.models {
		w.floor[name] = min(m.units, w.served[name])
		w.apart[name] = min(max(1, m.Spread), len(w.on[name]))
	}
	return w
}

// count enters a replica, or with -1 takes it out.
func (w *world) count(m *machine, s packing.Slice, sign int) {
	w.b.serves(m.kind.Name, s, func(name packing.Occupant, units int64) { w.served[name] += int64(sign) * units })
	for _, name := range occupants(s) {
		if w.on[name] == nil {
			w.on[name] = map[int]int{}
		}
		if w.on[name][m.number] += sign; w.on[name][m.number] == 0 {
			delete(w.on[name], m.number)
		}
	}
}

// maySpare says whether no model needs the replica, and by how many units the first
// that does would be short; a model that would be on too few nodes is short of
// whatever a replica does.
func (w *world) maySpare(m *machine, s packing.Slice) (ok bool, who packing.Occupant, short int64) {
	ok = true
	w.b.serves(m.kind.Name, s, func(name packing.Occupant, units int64) {
		left := w.served[name] - units
		if !ok || left >= w.floor[name] && w.staysApart(name, m.number) {
			return
		}
		ok, who, short = false, name, max(1, w.floor[name]-left)
	})
	return ok, who, short
}

func (w *world) staysApart(name packing.Occupant, node int) bool {
	on := w.on[name]
	return on[node] > 1 || len(on)-1 >= w.apart[name] || w.floor[name] == 0
}

// standing counts the nodes of a type.
func (w *world) standing(k *kind) int {
	n := 0
	for _, m := range w.nodes {
		if m.kind == k {
			n++
		}
	}
	return n
}

// mayBuy says whether the limit allows one more node of a type. Nodes reserved for
// the future count as standing from the start, so they are part of the limit.
func (w *world) mayBuy(k *kind) bool { return k.MaxNodes == nil || w.standing(k) < *k.MaxNodes }

func (w *world) insert(m *machine) {
	i, _ := slices.BinarySearchFunc(w.nodes, m.number, func(m *machine, n int) int { return m.number - n })
	w.nodes = slices.Insert(w.nodes, i, m)
}

func (m *machine) empty() bool { return !slices.ContainsFunc(m.gpus, held) }
