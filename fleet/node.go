package fleet

import (
	"fmt"
	"strings"
	"time"
)

// NodeState is where a node is in its life.
type NodeState string

// The states of a node. A node that was given back is no longer in a snapshot.
const (
	NodeStarting NodeState = "starting" // asked for, and counted as committed from then on
	NodeReady    NodeState = "ready"
	NodeDraining NodeState = "draining" // takes no new replicas; goes when empty
)

// Node is a machine that was bought, with its GPUs.
type Node struct {
	ID          NodeID       `json:"id"`
	Offering    OfferingName `json:"offering"`
	State       NodeState    `json:"state"`
	RequestedAt time.Time    `json:"requested_at"`
	ReadyAt     time.Time    `json:"ready_at,omitzero"`     // when it became ready
	BilledUntil time.Time    `json:"billed_until,omitzero"` // end of the minimum billing
	GPUs        []GPU        `json:"gpus"`
	Fixed       bool         `json:"fixed,omitempty"`  // whether it stays is somebody else's to say: used and paid for, never drained, kept nor given back
	Stages      []Stage      `json:"stages,omitempty"` // of its start, as far as they are over
	LostAt      time.Time    `json:"lost_at,omitzero"` // when it is taken away, where somebody gave notice of that
}

// Stage is a part of a start that is over: of a node "node", "driver", "image" and
// "geometry", of a replica "schedule", "image" and "load".
type Stage struct {
	Name  string    `json:"name"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

// Took is how long the stage lasted, never negative.
func (s Stage) Took() time.Duration { return max(0, s.Ended.Sub(s.Began)) }

// GPU is one GPU of a node and the geometry it is cut into.
type GPU struct {
	Type      GPUType  `json:"type"`
	Geometry  Geometry `json:"geometry"`
	Reshaping bool     `json:"reshaping,omitempty"` // being cut into Geometry; serves nothing
}

// Slice is one place on a node.
type Slice struct {
	ID   SliceID
	Kind SliceKind
}

// Slices lists the node's places in order of GPU and start.
func (n Node) Slices() []Slice {
	var out []Slice
	for index, gpu := range n.GPUs {
		for _, p := range gpu.Geometry {
			out = append(out, Slice{
				ID:   SliceID{GPU: GPUID{Node: n.ID, Index: index}, Start: p.Start},
				Kind: SliceKind{GPU: gpu.Type, Profile: p.Profile},
			})
		}
	}
	return out
}

// Kind finds the kind of the slice that starts there.
func (n Node) Kind(id SliceID) (SliceKind, bool) {
	if id.GPU.Node != n.ID || id.GPU.Index < 0 || id.GPU.Index >= len(n.GPUs) {
		return SliceKind{}, false
	}
	gpu := n.GPUs[id.GPU.Index]
	for _, p := range gpu.Geometry {
		if p.Start == id.Start {
			return SliceKind{GPU: gpu.Type, Profile: p.Profile}, true
		}
	}
	return SliceKind{}, false
}

// Describe prints the node and its geometries on one line.
func (n Node) Describe() string {
	parts := make([]string, len(n.GPUs))
	for i, gpu := range n.GPUs {
		parts[i] = fmt.Sprintf("%s %s", gpu.Type, gpu.Geometry)
		if gpu.Reshaping {
			parts[i] += " (reshaping)"
		}
	}
	return fmt.Sprintf("%s %s: %s", n.ID, n.State, strings.Join(parts, "; "))
}

// ReplicaState is where a replica is in its life.
type ReplicaState string

// The states of a replica. A pending replica is supply on its way.
const (
	ReplicaPending  ReplicaState = "pending"
	ReplicaReady    ReplicaState = "ready"
	ReplicaDraining ReplicaState = "draining" // takes no new work, finishes what it has
)

// Replica is one server of a model's variant on one slice.
type Replica struct {
	ID       ReplicaID    `json:"id"`
	Model    ModelName    `json:"model"`
	Variant  VariantName  `json:"variant"`
	Slice    SliceID      `json:"slice"`
	State    ReplicaState `json:"state"`
	Since    time.Time    `json:"since"` // of the state
	InFlight Signal       `json:"in_flight"`
	Stages   []Stage      `json:"stages,omitempty"` // of its start, as far as they are over
}
