package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Realise finds how the GPUs of a node must be cut to offer exactly these slices.
// A node tells how many slices of each kind it has and not where they lie; slices
// of a kind are alike, so that any legal way will do, and the same numbers always
// give the same one. The error says that no such way exists.
func Realise(t fleet.GPUType, gpus int, offered map[corev1.ResourceName]int64) ([]fleet.Geometry, error) {
	spec, known := fleet.LookupGPU(t)
	if !known {
		return nil, fmt.Errorf("no GPU %q is known: write one of %s", t, join(fleet.GPUTypes()))
	}
	r := realiser{gpu: t, shapes: append([]fleet.Geometry{{{Profile: fleet.WholeGPU}}}, packing.Feasible(spec)...), dead: map[string]bool{}}
	slices.SortStableFunc(r.shapes, func(a, b fleet.Geometry) int { return len(a) - len(b) })
	if out, ok := r.cut(maps.Clone(offered), gpus, 0); ok {
		return out, nil
	}
	return nil, fmt.Errorf("%d %s cannot be cut to offer %s", gpus, t, describe(offered))
}

type realiser struct {
	gpu    fleet.GPUType
	shapes []fleet.Geometry
	dead   map[string]bool // what is known not to work out
}

// cut cuts so many GPUs, with shapes from the given one on, so that nothing is
// left over.
func (r *realiser) cut(left map[corev1.ResourceName]int64, gpus, from int) ([]fleet.Geometry, bool) {
	if gpus == 0 {
		return nil, len(left) == 0
	}
	if len(left) == 0 { // the others are not cut
		return make([]fleet.Geometry, gpus), true
	}
	state := fmt.Sprint(gpus, from, describe(left))
	if r.dead[state] {
		return nil, false
	}
	for i := from; i < len(r.shapes); i++ {
		rest, fits := without(left, Offered([]fleet.GPU{{Type: r.gpu, Geometry: r.shapes[i]}}))
		if !fits {
			continue
		}
		if others, ok := r.cut(rest, gpus-1, i); ok {
			return append([]fleet.Geometry{r.shapes[i].Clone()}, others...), true
		}
	}
	r.dead[state] = true
	return nil, false
}

// without takes some slices from others, false where there are too few.
func without(from, take map[corev1.ResourceName]int64) (map[corev1.ResourceName]int64, bool) {
	out := maps.Clone(from)
	for name, n := range take {
		switch {
		case out[name] < n:
			return nil, false
		case out[name] == n:
			delete(out, name)
		default:
			out[name] -= n
		}
	}
	return out, true
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
