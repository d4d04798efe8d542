package repack

import (
	"time"

	"github.com/tessera-autoscaler/tessera/packing"
)

// State is what a node or a replica is about.
type State string

// The states. The empty State is that of a node or replica that works.
const (
	Starting State = "starting" // Asked for, and not there yet.
	Draining State = "draining" // Takes nothing new; a replica's slice is free when it has gone.
)

// Node is a machine that runs, or was asked for.
type Node struct {
	Number int    // Its name here and in the layout; unique.
	Type   string // Name of one of the problem's GPUs.
	State  State
	GPUs   []GPU // In the machine's own order; as many as the type has.

	// Reserved says that the node is paid for whether it is used or not: it is never
	// given back.
	Reserved bool

	// Paid is how much longer the node is paid for even if it is given back now.
	Paid time.Duration
}

// GPU is one GPU of a node.
type GPU struct {
	Slices    []Slice // By start; the shares of one slice one after another.
	Reshaping bool    // Being cut into Slices, which are empty.
}

// Slice is a slice, who is on it, and what that replica is about.
type Slice struct {
	packing.Slice

	State State
}

// FleetOf reads a fleet in which everything works from GPUs as packing lists them.
// GPUs of a node come in the order of the list; a node with fewer GPUs than its
// type has is filled up with GPUs on which nothing has been created.
func FleetOf(gpus []packing.Placed, types []packing.GPU) []Node {
	var out []Node
	index := map[int]int{}
	for _, g := range gpus {
		i, ok := index[g.Node]
		if !ok {
			i = len(out)
			index[g.Node] = i
			out = append(out, Node{Number: g.Node, Type: g.Type})
		}
		var gpu GPU
		for _, s := range g.Geometry {
			gpu.Slices = append(gpu.Slices, Slice{Slice: s})
		}
		out[i].GPUs = append(out[i].GPUs, gpu)
	}
	for i := range out {
		for _, t := range types {
			for t.Name == out[i].Type && len(out[i].GPUs) < t.PerNode {
				out[i].GPUs = append(out[i].GPUs, GPU{})
			}
		}
	}
	return out
}
