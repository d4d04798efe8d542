package fleet

import (
	"cmp"
	"slices"
)

// GroupWeight is a group's part of a node in memory slices.
type GroupWeight struct {
	Group  GroupName
	Slices int64
}

// GroupWeights splits a node among the groups whose models sit on it, by memory
// slices, sorted by group. Slices that nobody uses are left out, so that idle
// capacity falls to the users of the node in proportion. An empty answer means
// that nobody uses the node.
func GroupWeights(node Node, replicas []Replica, group func(ModelName) GroupName) []GroupWeight {
	var out []GroupWeight
	for _, r := range replicas {
		kind, ok := node.Kind(r.Slice)
		if !ok {
			continue
		}
		weight := int64(1)
		if spec, ok := LookupGPU(kind.GPU); ok {
			if p, ok := spec.Profile(kind.Profile); ok {
				weight = int64(p.Memory)
			}
		}
		name := group(r.Model)
		i, found := slices.BinarySearchFunc(out, name, func(w GroupWeight, n GroupName) int { return cmp.Compare(w.Group, n) })
		if !found {
			out = slices.Insert(out, i, GroupWeight{Group: name})
		}
		out[i].Slices += weight
	}
	return out
}
