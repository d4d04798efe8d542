package packing

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// share says of each cutting which of its slices are shared, so that there are as
// many shares as counted: those of one kind on as few GPUs as will do or, where
// models must spread, on many.
func (in *instance) share(o offer, cuts []cutting, counts []int) []cutting {
	if !o.shared {
		return cuts
	}
	hard := make([][]int, len(cuts)) // Slices not shared yet.
	for i, c := range cuts {
		hard[i] = slices.Clone(c.used)
		cuts[i].shared = make([]int, len(counts))
	}
	for j, n := range counts {
		k := in.kinds[o.first+j]
		if k.shares == 1 {
			continue
		}
		left := (n + k.shares - 1) / k.shares
		each := left // Of one GPU at a time.
		if in.nodes > 1 {
			each = 1
		}
		for before := -1; left > 0 && left != before; {
			before = left
			for i := range cuts {
				take := min(left, each, hard[i][k.base-o.first])
				hard[i][k.base-o.first] -= take
				cuts[i].shared[j] += take
				left -= take
			}
		}
	}
	for i := range cuts {
		cuts[i].used = hard[i]
	}
	return cuts
}

// place puts the cuttings of an offer on today's GPUs that can be cut anew, those
// whose geometry already holds the slices first, and answers what is to be cut
// from new GPUs.
func (l *layouter) place(o offer, cuts []cutting, today []Placed) (fresh [][]Slice) {
	used := make([]bool, len(today))
	var rest []cutting
	for _, c := range cuts {
		i := l.holder(o, today, used, c)
		if i < 0 {
			rest = append(rest, c)
			continue
		}
		used[i] = true
		l.append(emptied(today[i]), today[i].Geometry)
	}
	for i, g := range today {
		if used[i] {
			continue
		}
		if len(rest) > 0 {
			g.Geometry, rest = l.cut(o, rest[0]), rest[1:]
		}
		l.append(emptied(g), today[i].Geometry)
	}
	for _, c := range rest {
		fresh = append(fresh, l.cut(o, c))
	}
	return fresh
}

// cut answers the slices of a cutting, empty.
func (l *layouter) cut(o offer, c cutting) []Slice {
	left := slices.Clone(c.shared)
	var out []Slice
	for _, p := range o.table.geometries[c.pattern] {
		shares := 1
		for j := range left {
			if k := l.in.kinds[o.first+j]; left[j] > 0 && l.in.kinds[k.base].profile == p.Profile {
				left[j]--
				shares = k.shares
				p.Profile = k.profile
				break
			}
		}
		for range shares {
			out = append(out, Slice{Profile: p.Profile, Start: p.Start})
		}
	}
	return out
}

// holder is the first of today's GPUs, not used yet, whose slices are enough for a
// cutting, or -1.
func (l *layouter) holder(o offer, today []Placed, used []bool, c cutting) int {
	for i, g := range today {
		if !used[i] && l.holds(o, g, c) {
			return i
		}
	}
	return -1
}

// holds says whether the slices of a GPU today are enough for a cutting.
func (l *layouter) holds(o offer, g Placed, c cutting) bool {
	have := map[fleet.ProfileName]int{}
	for _, s := range g.Geometry {
		have[s.Profile]++
	}
	for i, n := range c.used {
		k := l.in.kinds[o.first+i]
		if k.shares > 1 {
			n = c.shared[i] * k.shares
		}
		if have[k.profile] < n {
			return false
		}
	}
	return true
}

// onNodes numbers the new GPUs by nodes after the last of today, as few nodes as
// will do, and as many as there must be. Where models must spread, GPUs that are
// cut alike go to different nodes.
func (l *layouter) onNodes(fresh [][][]Slice, node int) {
	count := make([]int, len(fresh))
	have := 0
	for k, o := range l.in.offers {
		count[k] = (len(fresh[k]) + o.perNode - 1) / o.perNode
		have += count[k] + o.standing
	}
	for ; have < l.in.nodes; have++ {
		k := l.cheapestSplit(fresh, count)
		if k < 0 {
			break
		}
		count[k]++
	}
	for k, o := range l.in.offers {
		for i, g := range fresh[k] {
			at := i / o.perNode
			if l.in.nodes > 1 {
				at = i % count[k]
			}
			l.append(Placed{Type: o.name, Node: node + 1 + at, Geometry: g}, nil)
		}
		node += count[k]
	}
}

// cheapestSplit is the offer whose new GPUs are put on one node more for the least
// money, or -1 where none can.
func (l *layouter) cheapestSplit(fresh [][][]Slice, count []int) int {
	best, money := -1, int64(0)
	for k, o := range l.in.offers {
		if len(fresh[k]) <= count[k] || count[k] >= o.reserved+o.nodes {
			continue
		}
		price := int64(0)
		if count[k] >= o.reserved {
			price = o.price * int64(o.perNode)
		}
		if best < 0 || price < money {
			best, money = k, price
		}
	}
	return best
}

// emptied is a GPU without its models.
func emptied(g Placed) Placed {
	g.Geometry = slices.Clone(g.Geometry)
	for i, s := range g.Geometry {
		g.Geometry[i] = Slice{Profile: s.Profile, Start: s.Start}
	}
	return g
}
