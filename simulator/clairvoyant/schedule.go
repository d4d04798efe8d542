package clairvoyant

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Schedule is what is done and when, from the start of a world on.
type Schedule struct {
	acts []act
}

// act is a step and its time.
type act struct {
	at   time.Duration
	step fleet.Step
}

// standing is a node of a schedule that is being written.
type standing struct {
	machine
	purchase int
	replicas []fleet.ReplicaID // by slice
}

// purchase is a node: when it is to be ready with its replicas loaded, and what it
// begins with.
type purchase struct {
	wanted time.Duration
	machine
	replicas []fleet.ReplicaID
	load     time.Duration // the longest of its replicas
}

// writer writes a route down as steps.
type writer struct {
	*Planner
	purchases []*purchase
	acts      []act
	replicas  int
	live      []*standing
}

// schedule writes a route down.
func (p *Planner) schedule(r route) *Schedule {
	w := &writer{Planner: p}
	for bin, k := range r.parks {
		if bin == 0 || k != r.parks[bin-1] {
			w.turn(p.bins.at(bin), k)
		}
	}
	w.buy()
	slices.SortStableFunc(w.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
	return &Schedule{w.acts}
}

// turn makes the fleet that stands into another one by a time.
func (w *writer) turn(at time.Duration, k *park) {
	before := make([]machine, len(w.live))
	for i, s := range w.live {
		before[i] = s.machine
	}
	pairs := w.pairing(before, k.machines)
	kept := make([]bool, len(w.live))
	var live []*standing
	for i, to := range k.machines {
		if pairs[i] < 0 {
			live = append(live, w.begin(at, to))
			continue
		}
		kept[pairs[i]] = true
		w.change(at, w.live[pairs[i]], to)
		live = append(live, w.live[pairs[i]])
	}
	for i, s := range w.live {
		if !kept[i] {
			w.end(at, s)
		}
	}
	w.live = live
}

// begin notes a node that is to serve from a time on.
func (w *writer) begin(at time.Duration, m machine) *standing {
	b := &purchase{wanted: at, machine: m.clone(), replicas: make([]fleet.ReplicaID, len(m.models))}
	for i, model := range m.models {
		if model != nobody {
			b.replicas[i] = w.replica(model)
			b.load = max(b.load, w.loadBy(model, w.geometries[m.geometry].kinds[i]))
		}
	}
	w.purchases = append(w.purchases, b)
	return &standing{m.clone(), len(w.purchases) - 1, slices.Clone(b.replicas)}
}

func (w *writer) replica(model int) fleet.ReplicaID {
	w.replicas++
	return fleet.ReplicaID(fmt.Sprintf("%s-%d", w.demands[model].Name, w.replicas))
}

func node(purchase int) fleet.NodeID { return fleet.NodeID(fmt.Sprintf("foreseen-%04d", purchase)) }

func (w *writer) do(at time.Duration, step fleet.Step) {
	w.acts = append(w.acts, act{max(0, at), step})
}

// change gives slices of a node to other models, free ones first. Who must make room
// goes when who comes must begin to load.
func (w *writer) change(at time.Duration, s *standing, to machine) {
	g := w.geometries[to.geometry]
	wanted, stays := s.keep(g, to)
	for j, model := range wanted {
		if model == nobody {
			continue
		}
		slot := s.room(g, stays, g.kinds[j])
		begin := at - w.loadBy(model, g.kinds[slot])
		if s.models[slot] != nobody {
			begin = at - w.servers[model][g.kinds[slot]].load.P50
			w.stop(begin, s, slot, w.demands[model].Name)
		}
		s.models[slot], s.replicas[slot], stays[slot] = model, w.replica(model), true
		w.do(begin, w.starting(s.purchase, g, slot, model, s.replicas[slot], fleet.ReasonWarmSlice, at))
	}
	for i, model := range s.models {
		if model != nobody && !stays[i] {
			w.stop(at, s, i, "")
			s.models[i] = nobody
		}
	}
}

// keep pairs what is on a node with what is wanted there: the rest of the wishes, by
// slice, and the slices on which all stays as it is.
func (s *standing) keep(g geometry, to machine) (wanted []int, stays []bool) {
	wanted, stays = slices.Clone(to.models), make([]bool, len(s.models))
	for i, model := range s.models {
		for j := range wanted {
			if model != nobody && wanted[j] == model && g.kinds[j] == g.kinds[i] {
				wanted[j], stays[i] = nobody, true
				break
			}
		}
	}
	return wanted, stays
}

// room is the slice of a kind that a newcomer takes, a free one first.
func (s *standing) room(g geometry, stays []bool, kind int) int {
	slot := -1
	for i := range s.models {
		if !stays[i] && g.kinds[i] == kind && (slot < 0 || s.models[i] == nobody && s.models[slot] != nobody) {
			slot = i
		}
	}
	return slot
}

func (w *writer) starting(purchase int, g geometry, slot, model int, id fleet.ReplicaID, why fleet.ReasonCode, at time.Duration) fleet.StartReplica {
	profile := g.cut[slot].Profile
	return fleet.StartReplica{
		Replica: id, Model: w.demands[model].Name, Variant: w.servers[model][g.kinds[slot]].variant,
		Slice:  fleet.SliceID{GPU: fleet.GPUID{Node: node(purchase)}, Start: g.cut[slot].Start},
		Reason: fleet.Because(why, "model", w.demands[model].Name, "need", "what comes", "at", at, "have", "less", "slice", profile),
	}
}

// stop lets a replica go.
func (w *writer) stop(at time.Duration, s *standing, slot int, heir fleet.ModelName) {
	until := "further notice"
	if heir != "" {
		until = "it is needed again, and " + string(heir) + " needs the slice"
	}
	w.do(at, fleet.StopReplica{Replica: s.replicas[slot], Reason: fleet.Because(fleet.ReasonSurplus,
		"model", w.demands[s.models[slot]].Name, "need", "less", "until", until, "have", "one more")})
}

// end gives a node back.
func (w *writer) end(at time.Duration, s *standing) {
	for i, model := range s.models {
		if model != nobody {
			w.stop(at, s, i, "")
		}
	}
	why := fleet.Because(fleet.ReasonEmptyNode, "node", node(s.purchase), "until", "its return would pay", "price", w.offering.Price.Describe())
	w.do(at, fleet.DrainNode{Node: node(s.purchase), Reason: why})
	w.do(at, fleet.ReturnNode{Node: node(s.purchase), Reason: why})
}

// buy writes the purchases down. The n-th that is asked for takes as long as the
// world has it take; so that they are asked for in order, one may be early.
func (w *writer) buy() {
	order := make([]int, len(w.purchases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w.purchases[a].wanted, w.purchases[b].wanted) })
	times := make([]time.Duration, len(order))
	for n := len(order) - 1; n >= 0; n-- {
		b := w.purchases[order[n]]
		times[n] = max(0, b.wanted-b.load-w.in.NodeStart(w.offering, n))
		if n+1 < len(order) {
			times[n] = min(times[n], times[n+1])
		}
	}
	var acts []act
	for n, i := range order {
		b := w.purchases[i]
		g := w.geometries[b.geometry]
		acts = append(acts, act{times[n], fleet.BuyNode{
			Node: node(i), Offering: w.offering.Name, GPUs: []fleet.GPU{{Type: w.offering.GPU, Geometry: g.cut.Clone()}},
			Reason: fleet.Because(fleet.ReasonMixed, "price", w.offering.Price.Describe(), "layout", g.cut.String(), "dedicated", "no less", "by", b.wanted),
		}})
		for slot, model := range b.models {
			if model != nobody {
				acts = append(acts, act{times[n], w.starting(i, g, slot, model, b.replicas[slot], fleet.ReasonDemand, b.wanted)})
			}
		}
	}
	w.acts = append(acts, w.acts...)
}
