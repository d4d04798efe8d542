package kube

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Realise finds how the GPUs of a node must be cut to offer exactly these slices.
// A node tells how many slices of each kind it has and not where they lie; slices
// of a kind are alike, so that any legal way will do, and the same numbers always
// give the same one. The error says that no such way exists.
func Realise(t fleet.GPUType, gpus int, offered map[corev1.ResourceName]int64) ([]fleet.Geometry, error) {
	shapes, known := shapesOf()[t]
	if !known {
		return nil, fmt.Errorf("no GPU %q is known: write one of %s", t, join(fleet.GPUTypes()))
	}
	r := realiser{shapes: slices.Clone(shapes), dead: map[node]bool{}}
	left, ok := r.count(t, offered)
	if ok {
		if out, ok := r.cut(node{left: left, gpus: gpus}); ok {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%d %s cannot be cut to offer %s", gpus, t, describe(offered))
}

// most is how many names of slices a part may have, and more.
const most = 12

// tally is how many slices there are of each name.
type tally [most]int16

// shape is a geometry and what it offers.
type shape struct {
	geometry fleet.Geometry
	offers   tally
}

// shapesOf are the ways to cut a GPU of each part, the most divided first, worked
// out once.
var shapesOf = sync.OnceValue(func() map[fleet.GPUType][]shape {
	out := map[fleet.GPUType][]shape{}
	for _, t := range fleet.GPUTypes() {
		spec, _ := fleet.LookupGPU(t)
		shapes := []shape{{geometry: fleet.Geometry{{Profile: fleet.WholeGPU}}}}
		for _, g := range packing.Feasible(spec) {
			shapes = append(shapes, shape{geometry: g})
		}
		slices.SortStableFunc(shapes, func(a, b shape) int { return len(b.geometry) - len(a.geometry) })
		out[t] = shapes
	}
	return out
})

// node is a node of the search: what is left to offer, with so many GPUs that are
// cut into shapes from the given one on.
type node struct {
	left       tally
	gpus, from int
}

type realiser struct {
	shapes []shape
	dead   map[node]bool // what is known not to work out
}

// count numbers the names of slices and counts what is offered and what the shapes
// offer, false where something is offered that no shape does, or too much of it.
func (r *realiser) count(t fleet.GPUType, offered map[corev1.ResourceName]int64) (tally, bool) {
	index := map[corev1.ResourceName]int{}
	for i := range r.shapes {
		for name, n := range Offered([]fleet.GPU{{Type: t, Geometry: r.shapes[i].geometry}}) {
			if _, known := index[name]; !known {
				index[name] = len(index)
			}
			r.shapes[i].offers[index[name]] = int16(n)
		}
	}
	var out tally
	for name, n := range offered {
		i, known := index[name]
		if !known || n < 0 || n > math.MaxInt16 {
			return tally{}, false
		}
		out[i] = int16(n)
	}
	return out, true
}

// cut cuts the GPUs so that nothing is left over.
func (r *realiser) cut(at node) ([]fleet.Geometry, bool) {
	if at.left == (tally{}) { // the others are not cut
		return make([]fleet.Geometry, at.gpus), true
	}
	if at.gpus == 0 || r.dead[at] {
		return nil, false
	}
	for i := at.from; i < len(r.shapes); i++ {
		rest, fits := at.left.without(r.shapes[i].offers)
		if !fits {
			continue
		}
		if others, ok := r.cut(node{left: rest, gpus: at.gpus - 1, from: i}); ok {
			return append([]fleet.Geometry{r.shapes[i].geometry.Clone()}, others...), true
		}
	}
	r.dead[at] = true
	return nil, false
}

// without takes some slices from others, false where there are too few.
func (t tally) without(take tally) (tally, bool) {
	for i := range t {
		if t[i] -= take[i]; t[i] < 0 {
			return tally{}, false
		}
	}
	return t, true
}

func describe(offered map[corev1.ResourceName]int64) string {
	if len(offered) == 0 {
		return "nothing"
	}
	parts := make([]string, 0, len(offered))
	for _, name := range slices.Sorted(maps.Keys(offered)) {
		parts = append(parts, fmt.Sprintf("%d×%s", offered[name], name))
	}
	return strings.Join(parts, " + ")
}
