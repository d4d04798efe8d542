package packing

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// A layouter turns numbers of slices into GPUs with models on them, and leaves on
// today's GPUs what can stay there.
type layouter struct {
	in   *instance
	gpus []Placed
	was  [][]Slice        // What each GPU held today, if it can be cut anew.
	kind [][]int          // Kind of each slice of each GPU, -1 for a kind nobody uses.
	todo []map[int]int    // Slices that each model still has to get, by kind.
	name map[string]int   // Number of each offer.
	list map[Occupant]int // Number of each model.
}

// layout places the covers. Today's GPUs come first, each as it is numbered; then
// new ones, node by node.
func (in *instance) layout(current []Placed, covers []cover) []Placed {
	l := layouter{in: in, name: map[string]int{}, list: map[Occupant]int{}}
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
	for _, o := range in.offers {
		counts := make([]int, o.end-o.first)
		for j := range counts {
			for m := range l.todo {
				counts[j] += l.todo[m][o.first+j]
			}
			counts[j] = max(0, counts[j]-in.kinds[o.first+j].free)
		}
		today := slices.DeleteFunc(slices.Clone(movable), func(g Placed) bool { return g.Type != o.name })
		today, kept := l.keep(o, today, counts)
		cuts, _ := in.realise(o, counts, o.limit()-kept)
		node = l.place(o, cuts, today, node)
	}
	// 3. Models, first where they are today.
	l.stay()
	l.fill()
	return sortedPlaced(l.gpus)
}

func sortedPlaced(gpus []Placed) []Placed {
	out := slices.Clone(gpus)
	slices.SortStableFunc(out, func(a, b Placed) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID), slices.CompareFunc(a.Geometry, b.Geometry, compareSlices))
	})
	return out
}

func compareSlices(a, b Slice) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Model, b.Model))
}

// today answers the slices of GPUs that can be cut anew as covers.
func (in *instance) today(current []Placed) []cover {
	var movable []Placed
	for _, c := range current {
		if !c.Fixed {
			movable = append(movable, c)
		}
	}
	return in.coversOf(movable, false)
}

func (l *layouter) append(g Placed, was []Slice) {
	kinds := make([]int, len(g.Geometry))
	for i, s := range g.Geometry {
		kinds[i] = l.in.kindOf(l.name[g.Type], s.Profile)
	}
	l.gpus = append(l.gpus, g)
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
		if !stays || o.atLeast(rest) >= o.atLeast(counts) {
			left = append(left, g)
			continue
		}
		kept++
		copy(counts, rest)
		l.append(emptied(g, g.geometry()), g.Geometry)
		l.stayOn(len(l.gpus)-1, false)
	}
	return left, kept
}

// place puts the cuttings of an offer on today's GPUs that can be cut anew, those
// whose geometry already holds the slices first, then on new nodes. It answers the
// last node number given out.
func (l *layouter) place(o offer, cuts []cutting, today []Placed, node int) int {
	used := make([]bool, len(today))
	var rest []cutting
	for _, c := range cuts {
		i := l.holder(o, today, used, c)
		if i < 0 {
			rest = append(rest, c)
			continue
		}
		used[i] = true
		l.append(emptied(today[i], today[i].geometry()), today[i].Geometry)
	}
	for i, g := range today {
		geometry := g.geometry()
		if used[i] {
			continue
		}
		if len(rest) > 0 {
			geometry, rest = o.table.geometries[rest[0].pattern], rest[1:]
		}
		l.append(emptied(g, geometry), g.Geometry)
	}
	for i, c := range rest {
		if i%o.perNode == 0 {
			node++
		}
		l.append(emptied(Placed{Type: o.name, Node: node}, o.table.geometries[c.pattern]), nil)
	}
	return node
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

func emptied(g Placed, geometry fleet.Geometry) Placed {
	g.Geometry = make([]Slice, len(geometry))
	for i, p := range geometry {
		g.Geometry[i] = Slice{Profile: p.Profile, Start: p.Start}
	}
	return g
}

// holds says whether the slices of a GPU today are enough for a cutting.
func (l *layouter) holds(o offer, g Placed, c cutting) bool {
	have := g.geometry().Counts()
	for i, n := range c.used {
		if have[l.in.kinds[o.first+i].profile] < n {
			return false
		}
	}
	return true
}

// put gives a slice to a model that needs one of its kind.
func (l *layouter) put(g, i, m int) bool {
	k := l.kind[g][i]
	if k < 0 || l.gpus[g].Geometry[i].Model != "" || l.todo[m][k] == 0 {
		return false
	}
	l.todo[m][k]--
	l.gpus[g].Geometry[i].Model = Occupant(l.in.models[m].name)
	return true
}

// stay leaves models where they are today, if a slice of the kind is still there:
// first at the same place, then anywhere on the GPU.
func (l *layouter) stay() {
	for _, elsewhere := range []bool{false, true} {
		for g := range l.was {
			l.stayOn(g, elsewhere)
		}
	}
}

func (l *layouter) stayOn(g int, elsewhere bool) {
	for _, w := range l.was[g] {
		m, ok := l.list[w.Model]
		for i, s := range l.gpus[g].Geometry {
			if ok && s.Profile == w.Profile && (elsewhere || s.Start == w.Start) && !l.isOn(g, w) && l.put(g, i, m) {
				break
			}
		}
	}
}

// isOn says whether the model of a slice of today already has that very slice.
func (l *layouter) isOn(g int, w Slice) bool {
	return slices.Contains(l.gpus[g].Geometry, w)
}

// fill gives the slices to the models in turn, GPU by GPU, so that a model's
// slices lie together.
func (l *layouter) fill() {
	next := make([]int, len(l.in.kinds))
	for g := range l.gpus {
		for i, k := range l.kind[g] {
			for k >= 0 && next[k] < len(l.todo) {
				if l.todo[next[k]][k] > 0 {
					l.put(g, i, next[k])
					break
				}
				next[k]++
			}
		}
	}
}
