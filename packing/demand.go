package packing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// demand is a model. Throughput and need are in the model's own unit, a power of
// ten in which they are whole numbers.
type demand struct {
	name    string
	unit    int   // The unit is 10^unit.
	need    int64 // What kept slices do not cover, rounded up.
	needLow int64 // The same, rounded down: for the bound.
	least   int   // Fewest further slices that let it spread as it must; 0 where it need not.
	spread  int   // Nodes on which it must be, with those it keeps.
	onNodes int   // Nodes on which it keeps slices.
	value   float64
	scale   float64 // The unit, as a number.
	items   []item  // Sorted by kind.
}

// item is what one slice does for a model.
type item struct {
	kind    int
	does    int64 // Rounded down, and at most need.
	upper   int64 // Rounded up, and at most need: for the bound.
	whole   int64 // Rounded up, and more than need where it does more.
	variant string
	fluid   bool // A process with several models may take a part of the slice.
}

// keeping is what a model has on fixed GPUs.
type keeping struct {
	slices []kept
	shares []kept // Of processes with several models.
	nodes  map[int]bool
}

type kept struct {
	at      place
	variant string
	serves  float64 // Of a process's share.
}

// keptSlices lists the slices of fixed GPUs by the model that keeps them.
func keptSlices(current []Placed) map[Occupant]keeping {
	out := map[Occupant]keeping{}
	enter := func(m Occupant, node int, add func(*keeping)) {
		k := out[m]
		if k.nodes == nil {
			k.nodes = map[int]bool{}
		}
		k.nodes[node] = true
		add(&k)
		out[m] = k
	}
	for _, c := range current {
		if !c.Fixed {
			continue
		}
		for _, s := range c.Geometry {
			at := place{c.Type, s.Profile}
			if s.Model != "" {
				enter(s.Model, c.Node, func(k *keeping) { k.slices = append(k.slices, kept{at: at, variant: s.Variant}) })
			}
			for _, t := range s.Models {
				enter(t.Model, c.Node, func(k *keeping) { k.shares = append(k.shares, kept{at, t.Variant, t.Serves}) })
			}
		}
	}
	return out
}

func (in *instance) newDemand(m Model, can menu, keeps keeping, index map[string]int) demand {
	need := decimalOf(m.Demand)
	places := make([]place, 0, len(can.fits))
	for at := range can.fits {
		places = append(places, at)
	}
	slices.SortFunc(places, place.compare)
	all := make([]decimal, len(places))
	for i, at := range places {
		all[i] = decimalOf(can.fits[at][0].does)
	}
	for _, k := range keeps.shares {
		all = append(all, decimalOf(k.serves))
	}
	for _, k := range keeps.slices {
		if f, ok := can.with(k.at, k.variant); ok {
			all = append(all, decimalOf(f.does))
		}
	}
	unit := commonUnit(need, all)
	low, high := need.in(unit)
	d := demand{
		name: m.Name, unit: unit, value: cmp.Or(m.Value, 1), scale: m.Demand / float64(low), spread: max(1, m.Spread), onNodes: len(keeps.nodes),
	}
	d.need, d.needLow = high, low
	count := func(x float64) {
		down, up := decimalOf(x).in(unit)
		d.need, d.needLow = d.need-min(down, d.need), d.needLow-min(up, d.needLow)
	}
	for _, k := range keeps.slices {
		if f, ok := can.with(k.at, k.variant); ok {
			count(f.does)
		}
	}
	for _, k := range keeps.shares {
		if _, ok := can.with(k.at, k.variant); ok {
			count(k.serves)
		}
	}
	if d.least = d.lacksNodes(d.spread); d.least > 0 {
		d.need = max(1, d.need) // Where only nodes are lacking, any slice will do.
	}
	if d.need == 0 {
		return d
	}
	for i, at := range places {
		best := can.fits[at][0]
		down, up := all[i].in(unit)
		if down > 0 {
			k := in.kindOf(index[at.gpu], at.profile)
			d.items = append(d.items, item{kind: k, does: min(down, d.need), upper: min(up, d.need), whole: up, variant: best.variant, fluid: in.joins(m, k, can.fits[at])})
		}
	}
	slices.SortFunc(d.items, func(a, b item) int { return cmp.Compare(a.kind, b.kind) })
	return d
}

// lacksNodes is how many nodes a model lacks that must be on so many. One that need
// not spread lacks none.
func (d *demand) lacksNodes(spread int) int {
	if spread <= 1 {
		return 0
	}
	return max(0, spread-d.onNodes)
}

// nodes is how many nodes there must be for the model to spread; 0 where it need not.
func (d *demand) nodes() int {
	if d.spread <= 1 {
		return 0
	}
	return d.spread
}

// joins says whether a model may be in a process with others on a kind of slice:
// on one that is not shared, where its memory is known, and not if it must spread.
func (in *instance) joins(m Model, k int, fits []fit) bool {
	kind := in.kinds[k]
	return in.offers[kind.offer].process != nil && kind.shares == 1 && m.Spread <= 1 &&
		slices.ContainsFunc(fits, func(f fit) bool { return f.memoryMiB > 0 })
}

// variantOf names the variant that does most on a kind.
func (d *demand) variantOf(kind int) string {
	for _, it := range d.items {
		if it.kind == kind {
			return it.variant
		}
	}
	return ""
}

// number is so many units as the number that prints as exactly that decimal.
func (d *demand) number(units int64) float64 {
	x, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", units, d.unit), 64)
	return x
}
