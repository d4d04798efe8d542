package clairvoyant

import (
	"slices"
)

// need is what fleets are valued by: misses have a price, and so have starts.
type need struct {
	*shop
	demands []*demand
	prices  []float64 // of a miss, by model
	start   float64   // of a node
	move    float64   // of a replica on a node that is there
}

// short is what a replica costs that the policy wants and that is not there: more
// than any node.
const short = 1e5

// harm is what a mix costs a model in a bin.
func (n *need) harm(bin, model int, m mix) float64 {
	d := n.demands[model]
	cost := n.prices[model] * d.misses(bin, m)
	if lack := d.MinReplicas - m.count(); lack > 0 {
		cost += short * float64(lack)
	}
	if over := m.count() - d.MaxReplicas; d.MaxReplicas > 0 && over > 0 {
		cost += short * float64(over)
	}
	return cost
}

// change is a step of a search: machines after it, and what it brings.
type change struct {
	machines []machine
	gain     float64
}

// improve takes a fleet and makes it as good for a bin as single changes can, where
// what the fleet before had need not be started. One that begins with nothing is also
// rebuilt by twos.
func (n *need) improve(bin int, from, before []machine) *park {
	now := newPark(n.shop, clones(from))
	for range 60 {
		best := change{gain: 1e-9}
		offer := func(c change) {
			if c.gain > best.gain {
				best = c
			}
		}
		n.reassign(bin, now, offer)
		n.add(bin, now, before, offer)
		n.remove(bin, now, offer)
		if best.machines == nil {
			n.replace(bin, now, before, offer)
		}
		if best.machines == nil && from == nil {
			n.rebuild(bin, now, before, offer)
		}
		if best.machines == nil {
			break
		}
		now = newPark(n.shop, best.machines)
	}
	return now
}

func clones(list []machine) []machine {
	out := make([]machine, len(list))
	for i, m := range list {
		out[i] = m.clone()
	}
	return out
}

// reassign gives one slice to another model.
func (n *need) reassign(bin int, now *park, offer func(change)) {
	for i, at := range now.machines {
		g := n.geometries[at.geometry]
		for slot, model := range at.models {
			kind := g.kinds[slot]
			if slot > 0 && g.kinds[slot-1] == kind && at.models[slot-1] == model {
				continue
			}
			loss := -n.move
			if model != nobody {
				loss += n.harm(bin, model, now.mixes[model]) - n.harm(bin, model, now.mixes[model].more(kind, -1))
			}
			for other := range n.demands {
				if other == model || n.servers[other][kind] == nil {
					continue
				}
				gain := loss + n.harm(bin, other, now.mixes[other]) - n.harm(bin, other, now.mixes[other].more(kind, 1))
				if gain <= 1e-9 {
					continue
				}
				machines := now.clone()
				machines[i].models[slot] = other
				offer(change{machines, gain})
			}
		}
	}
}

// fill puts on a new machine, slice by slice, who gains most; mixes are changed.
func (n *need) fill(bin, geometry int, mixes []mix) (machine, float64) {
	g := n.geometries[geometry]
	m := machine{geometry, slices.Repeat([]int{nobody}, len(g.kinds))}
	sum := 0.0
	for slot, kind := range g.kinds {
		most := 1e-9
		for model := range n.demands {
			if n.servers[model][kind] == nil {
				continue
			}
			if gain := n.harm(bin, model, mixes[model]) - n.harm(bin, model, mixes[model].more(kind, 1)); gain > most {
				most, m.models[slot] = gain, model
			}
		}
		if model := m.models[slot]; model != nobody {
			mixes[model] = mixes[model].more(kind, 1)
			sum += most
		}
	}
	return m, sum
}

// add buys a node.
func (n *need) add(bin int, now *park, before []machine, offer func(change)) {
	if len(now.machines) >= n.most {
		return
	}
	for geometry := range n.geometries {
		m, gain := n.fill(bin, geometry, slices.Clone(now.mixes))
		gain -= n.price*n.demands[0].bins.hours(bin) + n.begin(now.machines, before, geometry)
		if gain > 1e-9 {
			offer(change{append(now.clone(), m), gain})
		}
	}
}

// begin is what one more machine of a geometry costs to start.
func (n *need) begin(now, before []machine, geometry int) float64 {
	has := func(list []machine) int {
		c := 0
		for _, m := range list {
			if m.geometry == geometry {
				c++
			}
		}
		return c
	}
	if has(now) < has(before) {
		return 0
	}
	return n.start
}

// removed is a fleet without one machine, and what it loses by that.
func (n *need) removed(bin int, now *park, i int) (rest []machine, mixes []mix, loss float64) {
	mixes = slices.Clone(now.mixes)
	at := now.machines[i]
	for slot, model := range at.models {
		if model != nobody {
			mixes[model] = mixes[model].more(n.geometries[at.geometry].kinds[slot], -1)
		}
	}
	for model := range mixes {
		if mixes[model] != now.mixes[model] {
			loss += n.harm(bin, model, mixes[model]) - n.harm(bin, model, now.mixes[model])
		}
	}
	return slices.Delete(now.clone(), i, i+1), mixes, loss
}

// remove gives a node back.
func (n *need) remove(bin int, now *park, offer func(change)) {
	for i := range now.machines {
		rest, _, loss := n.removed(bin, now, i)
		offer(change{rest, n.price*n.demands[0].bins.hours(bin) - loss})
	}
}

// replace cuts a node otherwise, or fills it anew.
func (n *need) replace(bin int, now *park, before []machine, offer func(change)) {
	for i, at := range now.machines {
		if i > 0 && at.compare(now.machines[i-1]) == 0 {
			continue
		}
		rest, mixes, loss := n.removed(bin, now, i)
		for geometry := range n.geometries {
			m, gain := n.fill(bin, geometry, slices.Clone(mixes))
			if geometry != at.geometry {
				gain -= n.begin(rest, before, geometry)
			}
			gain -= loss + n.move
			if gain > 1e-9 {
				offer(change{append(clones(rest), m), gain})
			}
		}
	}
}
