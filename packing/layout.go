package packing

import (
	"cmp"
	"slices"
)

// A layouter turns numbers of slices into GPUs with models on them, and leaves on
// today's GPUs what can stay there.
type layouter struct {
	in   *instance
	gpus []Placed
	was  [][]Slice        // What each GPU held today, if it can be cut anew.
	kind [][]int          // Kind of each slice of each GPU, -1 for a kind nobody uses.
	held []([]bool)       // Whether each slice of each GPU is kept as it is today.
	todo []map[int]int    // Slices that each model still has to get, by kind.
	name map[string]int   // Number of each offer.
	list map[Occupant]int // Number of each model.
}

// layout places the covers. Today's GPUs come first, each as it is numbered; then
// new ones, node by node.
func (in *instance) layout(current []Placed, covers []cover) []Placed {
	return sortedPlaced(in.arrange(current, covers).gpus)
}

// arrange lays the covers out. Where a model then is on too few nodes, and there is
// not much to place, it looks for another way to cut and group the same GPUs.
func (in *instance) arrange(current []Placed, covers []cover) *layouter {
	first, _ := in.arrangeBy(current, covers, 0)
	if in.nodes <= 1 || first.spread() {
		return first
	}
	for way := 1; way < mostWays && len(first.gpus) <= fewGPUs; way++ {
		if l, ok := in.arrangeBy(current, covers, way); ok && l.spread() {
			return l
		}
	}
	first.spreadFurther()
	return first
}

const (
	fewGPUs  = 8
	mostWays = 225
	waysEach = 15 // Of each of several offers.
)

// arrangeBy lays the covers out in the way of that number, whatever nodes the
// models come to be on; it is false where there is no such way.
func (in *instance) arrangeBy(current []Placed, covers []cover, way int) (*layouter, bool) {
	l := &layouter{in: in, name: map[string]int{}, list: map[Occupant]int{}}
	for k, o := range in.offers {
		l.name[o.name] = k
	}
	for m, d := range in.models {
		l.list[Occupant(d.name)] = m
		need := map[int]int{}
		for _, x := range covers[m] {
			need[x.kind] = x.n
		}
		l.todo = append(l.todo, need)
	}
	// 1. GPUs that stay as they are.
	var movable []Placed
	for _, c := range sortedPlaced(current) {
		c.Geometry = slices.Clone(c.Geometry)
		if c.Fixed {
			l.append(c, nil)
		} else {
			movable = append(movable, c)
		}
	}
	// 2. GPUs to be cut, on today's where there are any.
	node := 0
	for _, c := range current {
		node = max(node, c.Node)
	}
	fresh := make([][][]Slice, len(in.offers))
	for k, o := range in.offers {
		counts := make([]int, len(in.kinds))
		for _, need := range l.todo {
			for j, n := range need {
				counts[j] += n
			}
		}
		counts = in.lacking(o, counts)
		today := slices.DeleteFunc(slices.Clone(movable), func(g Placed) bool { return g.Type != o.name })
		today, kept := l.keep(o, today, counts)
		whole := in.folded(o, counts)
		cuts, _ := in.realise(o, whole, o.limit()-kept)
		if way > 0 && len(cuts) > 0 {
			var ok bool
			if cuts, ok = in.realiseAnew(o, whole, o.limit()-kept, way%waysEach); !ok {
				return nil, false
			}
			way /= waysEach
		}
		fresh[k] = l.place(o, in.share(o, cuts, counts), today)
	}
	if way > 0 {
		return nil, false
	}
	l.onNodes(fresh, node)
	// 3. Models, first where they are today.
	l.stay()
	l.fill()
	return l, true
}

// lacking counts models that are on too few nodes and slices without a place.
func (l *layouter) lacking() int {
	sum := 0
	for m := range l.in.models {
		for _, n := range l.todo[m] {
			sum += n
		}
		if l.short(m) {
			sum++
		}
	}
	return sum
}

// complete says whether every slice has its place and every model that has any is
// on as many nodes as it must be.
func (l *layouter) complete() bool { return l.lacking() == 0 }

// money is what the nodes cost that must be bought.
func (l *layouter) money() int64 {
	sum := int64(0)
	for _, o := range l.in.offers {
		sum += int64(max(0, l.fresh(o)-o.reserved)*o.perNode) * o.price
	}
	return sum
}

func sortedPlaced(gpus []Placed) []Placed {
	out := slices.Clone(gpus)
	slices.SortStableFunc(out, func(a, b Placed) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID), slices.CompareFunc(a.Geometry, b.Geometry, compareSlices))
	})
	return out
}

func compareSlices(a, b Slice) int {
	return cmp.Or(
		cmp.Compare(a.Start, b.Start), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Model, b.Model),
		cmp.Compare(a.Variant, b.Variant), slices.CompareFunc(a.Models, b.Models, compareTenants),
	)
}

func compareTenants(a, b Tenant) int {
	return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Serves, b.Serves))
}

// today answers the slices of GPUs that can be cut anew as covers.
func (in *instance) today(current []Placed) []cover {
	var movable []Placed
	for _, c := range current {
		if !c.Fixed {
			movable = append(movable, c)
		}
	}
	return in.coversOf(movable)
}

func (l *layouter) append(g Placed, was []Slice) {
	kinds, held := make([]int, len(g.Geometry)), make([]bool, len(g.Geometry))
	for i, s := range g.Geometry {
		kinds[i] = l.in.kindOf(l.name[g.Type], s.Profile)
		held[i] = !s.Empty()
	}
	l.gpus = append(l.gpus, g)
	l.held = append(l.held, held)
	l.was = append(l.was, was)
	l.kind = append(l.kind, kinds)
}

// keep leaves GPUs as they are cut today where a model can stay on them and the
// rest needs one GPU less for it. It takes their slices off the counts and answers
// the GPUs that are left to be cut, and how many stay.
func (l *layouter) keep(o offer, today []Placed, counts []int) (left []Placed, kept int) {
	for _, g := range today {
		has := make([]int, len(counts))
		stays := false
		for _, s := range g.Geometry {
			k := l.in.kindOf(l.name[o.name], s.Profile)
			if k < 0 {
				continue
			}
			has[k-o.first]++
			m, ok := l.list[s.Model]
			stays = stays || ok && l.todo[m][k] > 0
		}
		_, rest := take(has, counts)
		if !stays || o.atLeast(l.in.folded(o, rest)) >= o.atLeast(l.in.folded(o, counts)) {
			left = append(left, g)
			continue
		}
		kept++
		copy(counts, rest)
		l.append(emptied(g), g.Geometry)
		l.stayOn(len(l.gpus)-1, false)
	}
	return left, kept
}
