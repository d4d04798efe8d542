package control

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// cover plans what gives every model the capacity it lacks: free slices and empty
// GPUs cut anew first, then a drain taken back, then new nodes.
func (d *decider) cover() error {
	for {
		short := d.short(d.soon())
		if len(short) == 0 {
			return nil
		}
		if d.in.Pace == Fast && d.room() == 0 {
			return nil // nothing is warm: the next planning tick may buy
		}
		q, err := d.question(short, false)
		if err != nil {
			return err
		}
		warm, err := q.solve()
		if err != nil {
			return err
		}
		switch {
		case len(warm.unserved) == 0:
			d.follow(warm, short)
			return nil
		case d.in.Pace == Fast:
			d.follow(warm, short)
			d.lack(short, warm.unserved, "no warm slice is free; the next planning tick may buy")
			return nil
		case d.keepADrainingNode(warm.unserved):
			continue // its replicas count again: look once more at what is missing
		}
		if yields, err := d.yield(short); yields || err != nil {
			return err
		}
		return d.buy(short, warm)
	}
}

// keepADrainingNode takes back the drain of the node that still serves most, of
// those that help a model which lacks something; false when there is none. A drain
// that somebody else began is theirs.
func (d *decider) keepADrainingNode(unserved map[fleet.ModelName]float64) bool {
	on := d.onNodes()
	var kept fleet.NodeID
	most := -1
	for _, n := range d.view.Nodes {
		if n.State == fleet.NodeDraining && !n.Fixed && len(on[n.ID]) > most && d.helps(n, on[n.ID], unserved) {
			kept, most = n.ID, len(on[n.ID])
		}
	}
	return most >= 0 && d.add(fleet.KeepNode{
		Node: kept, Reason: fleet.Because(fleet.ReasonNeededAgain, "node", kept, "at", clock(d.soon().by)),
	})
}

// helps tells whether a node that drains has a server of a model that lacks
// something, or a free slice for one. One that serves nothing helps nobody.
func (d *decider) helps(n fleet.Node, on []fleet.Replica, unserved map[fleet.ModelName]float64) bool {
	if slices.ContainsFunc(n.GPUs, func(g fleet.GPU) bool { return g.Reshaping }) {
		return false
	}
	busy := map[fleet.SliceID]bool{}
	for _, r := range on {
		if busy[r.Slice] = true; unserved[r.Model] > 0 && r.State != fleet.ReplicaDraining {
			return true
		}
	}
	offering, _ := d.settings.Catalog.Offering(n.Offering)
	for _, m := range d.models() {
		if unserved[m.Name] == 0 {
			continue
		}
		for _, s := range n.Slices() {
			if _, _, ok := d.best(m, offering, s.Kind.Profile, len(d.staying(m.Name))+1); ok && !busy[s.ID] {
				return true
			}
		}
	}
	return false
}

// buy plans the purchase of what the warm answer leaves unserved.
func (d *decider) buy(short []shortfall, warm answer) error {
	q, err := d.question(short, true)
	if err != nil {
		return err
	}
	chosen := warm
	if q.mayBuy() {
		if chosen, err = q.solve(); err != nil {
			return err
		}
	}
	left := chosen.unserved
	if nodes := chosen.bought(); len(nodes) == 0 {
		d.follow(warm, short)
		left = warm.unserved
	} else {
		wide, ok, err := d.fill(chosen, short, nodes)
		if err != nil {
			return err
		}
		if ok {
			chosen, short, q = wide.answer, wide.short, wide.question
		}
		if chosen.why, err = d.compare(q, chosen, left, short[0].by); err != nil {
			return err
		}
		d.follow(chosen, short)
	}
	if len(left) > 0 {
		if slices.ContainsFunc(short, func(s shortfall) bool { return left[s.model.Name] > 0 && d.servable(s.model) }) {
			d.plan.Held = append(d.plan.Held, d.unaffordable...)
		}
		d.lack(short, left, "no more nodes may be had within the caps, the offerings' limits and the step limit")
	}
	return nil
}

// widened is an answer to a wider question.
type widened struct {
	answer   answer
	short    []shortfall
	question question
}

// fill looks further ahead once it is clear what is bought: the same nodes also
// take what other models will lack while they are kept. A slice that is paid for
// costs nothing more, and its replica is warm when its time comes. It is false
// where the wider answer would take from what is needed by the lead time, or cost
// more.
func (d *decider) fill(narrow answer, short []shortfall, nodes map[string]int) (widened, bool, error) {
	wider := d.short(d.kept())
	q, err := d.question(wider, true)
	if err != nil {
		return widened{}, false, err
	}
	before := d.memory.Sequence
	wide, err := q.buying(nodes).solve()
	if err != nil {
		return widened{}, false, err
	}
	served := map[fleet.ModelName]float64{}
	for _, s := range wider {
		served[s.model.Name] = s.lacks - wide.unserved[s.model.Name]
	}
	ok := len(wide.bought()) > 0 && wide.price.Compare(narrow.price) <= 0
	for _, s := range short {
		ok = ok && served[s.model.Name] >= (s.lacks-narrow.unserved[s.model.Name])*(1-1e-9)
	}
	if !ok {
		d.memory.Sequence = before // the names of what is not bought are free again
	}
	return widened{wide, wider, q}, ok, nil
}

// lack says of every model what the plan leaves uncovered, and why.
func (d *decider) lack(short []shortfall, unserved map[fleet.ModelName]float64, why string) {
	for _, s := range short {
		if left := unserved[s.model.Name]; left > 0 {
			cause := why
			if places := d.in.Snapshot.Model(s.model.Name).Places; places != nil && len(places) == 0 {
				cause = "no server of it is deployed"
			} else if !d.servable(s.model) {
				cause = "no slice of an offering that may be bought serves it within its service level"
			}
			d.plan.Held = append(d.plan.Held, fleet.Because(fleet.ReasonNoCapacity, "model", s.model.Name, "need", lacking(left), "cause", cause))
		}
	}
}

// servable tells whether the policy allows any slice that serves the model.
func (d *decider) servable(m fleet.Model) bool {
	for _, name := range d.settings.Policy.Offerings {
		o, _ := d.settings.Catalog.Offering(name)
		for _, p := range profilesOf(o.GPU) {
			if _, _, ok := d.best(m, o, p, len(d.staying(m.Name))+1); ok {
				return true
			}
		}
	}
	return false
}
