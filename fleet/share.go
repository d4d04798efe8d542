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

// ModelWeight is a model's part of a node in memory slices.
type ModelWeight struct {
	Model  ModelName
	Slices int64
}

// GroupWeights splits a node among the groups whose models sit on it, by memory
// slices, sorted by group. Slices that nobody uses are left out, so that idle
// capacity falls to the users of the node in proportion. An empty answer means
// that nobody uses the node.
func GroupWeights(node Node, replicas []Replica, group func(ModelName) GroupName) []GroupWeight {
	var out []GroupWeight
	for _, w := range weights(node, replicas, group) {
		out = append(out, GroupWeight{Group: w.payer, Slices: w.slices})
	}
	return out
}

// ModelWeights splits a node among the models that sit on it, by memory slices,
// sorted by model, as GroupWeights does among groups.
func ModelWeights(node Node, replicas []Replica) []ModelWeight {
	var out []ModelWeight
	for _, w := range weights(node, replicas, func(m ModelName) ModelName { return m }) {
		out = append(out, ModelWeight{Model: w.payer, Slices: w.slices})
	}
	return out
}

// weight is somebody's part of a node in memory slices.
type weight[P ~string] struct {
	payer  P
	slices int64
}

// weights adds up the memory slices of the replicas on a node by who pays for them,
// sorted.
func weights[P ~string](node Node, replicas []Replica, payer func(ModelName) P) []weight[P] {
	var out []weight[P]
	for _, r := range replicas {
		kind, ok := node.Kind(r.Slice)
		if !ok {
			continue
		}
		memory := int64(1)
		if spec, ok := LookupGPU(kind.GPU); ok {
			if p, ok := spec.Profile(kind.Profile); ok {
				memory = int64(p.Memory)
			}
		}
		name := payer(r.Model)
		i, found := slices.BinarySearchFunc(out, name, func(w weight[P], n P) int { return cmp.Compare(w.payer, n) })
		if !found {
			out = slices.Insert(out, i, weight[P]{payer: name})
		}
		out[i].slices += memory
	}
	return out
}
