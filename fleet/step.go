package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// StepKind names the kinds of step; it is a label of metrics.
type StepKind string

// The kinds of step.
const (
	KindBuyNode      StepKind = "buy-node"
	KindReshape      StepKind = "reshape"
	KindStartReplica StepKind = "start-replica"
	KindStopReplica  StepKind = "stop-replica"
	KindDrainNode    StepKind = "drain-node"
	KindKeepNode     StepKind = "keep-node"
	KindReturnNode   StepKind = "return-node"
)

// Step is one act of a plan, described before it is done. Each step knows its
// precondition and its effect on a snapshot, so that a second step can be
// planned as if the first had happened. The set of steps is closed.
type Step interface {
	Kind() StepKind
	// Subject is the id of what the step acts on.
	Subject() string
	// Because is the reason that travels with the step.
	Because() Reason
	// Describe says the act in words, without the reason.
	Describe() string
	// Apply changes the snapshot as the step would change the fleet, or says
	// which precondition does not hold and leaves the snapshot alone.
	Apply(s *Snapshot) error
}

// BuyNode asks for a node, born with the given geometries.
type BuyNode struct {
	Node     NodeID       `json:"node"`
	Offering OfferingName `json:"offering"`
	GPUs     []GPU        `json:"gpus"`
	Reason   Reason       `json:"reason"`
}

// Reshape cuts an empty GPU anew.
type Reshape struct {
	GPU      GPUID    `json:"gpu"`
	Geometry Geometry `json:"geometry"`
	Reason   Reason   `json:"reason"`
}

// StartReplica starts a server of a model on a free slice.
type StartReplica struct {
	Replica ReplicaID   `json:"replica"`
	Model   ModelName   `json:"model"`
	Variant VariantName `json:"variant"`
	Slice   SliceID     `json:"slice"`
	Reason  Reason      `json:"reason"`
}

// StopReplica lets a server finish what it has, and go.
type StopReplica struct {
	Replica ReplicaID `json:"replica"`
	Reason  Reason    `json:"reason"`
}

// DrainNode stops placing anything on a node.
type DrainNode struct {
	Node   NodeID `json:"node"`
	Reason Reason `json:"reason"`
}

// KeepNode takes a drain back.
type KeepNode struct {
	Node   NodeID `json:"node"`
	Reason Reason `json:"reason"`
}

// ReturnNode gives an empty node back.
type ReturnNode struct {
	Node   NodeID `json:"node"`
	Reason Reason `json:"reason"`
}

// Kind and the other small methods of each step.

func (BuyNode) Kind() StepKind      { return KindBuyNode }
func (Reshape) Kind() StepKind      { return KindReshape }
func (StartReplica) Kind() StepKind { return KindStartReplica }
func (StopReplica) Kind() StepKind  { return KindStopReplica }
func (DrainNode) Kind() StepKind    { return KindDrainNode }
func (KeepNode) Kind() StepKind     { return KindKeepNode }
func (ReturnNode) Kind() StepKind   { return KindReturnNode }

func (s BuyNode) Subject() string      { return string(s.Node) }
func (s Reshape) Subject() string      { return s.GPU.String() }
func (s StartReplica) Subject() string { return string(s.Replica) }
func (s StopReplica) Subject() string  { return string(s.Replica) }
func (s DrainNode) Subject() string    { return string(s.Node) }
func (s KeepNode) Subject() string     { return string(s.Node) }
func (s ReturnNode) Subject() string   { return string(s.Node) }

func (s BuyNode) Because() Reason      { return s.Reason }
func (s Reshape) Because() Reason      { return s.Reason }
func (s StartReplica) Because() Reason { return s.Reason }
func (s StopReplica) Because() Reason  { return s.Reason }
func (s DrainNode) Because() Reason    { return s.Reason }
func (s KeepNode) Because() Reason     { return s.Reason }
func (s ReturnNode) Because() Reason   { return s.Reason }

func (s BuyNode) Describe() string {
	geometries := make([]string, len(s.GPUs))
	for i, gpu := range s.GPUs {
		geometries[i] = gpu.Geometry.String()
	}
	return fmt.Sprintf("buy %s (%s) as %s", s.Node, s.Offering, strings.Join(geometries, "; "))
}
func (s Reshape) Describe() string { return fmt.Sprintf("reshape %s to %s", s.GPU, s.Geometry) }
func (s StartReplica) Describe() string {
	return fmt.Sprintf("start %s (%s %s) on %s", s.Replica, s.Model, s.Variant, s.Slice)
}
func (s StopReplica) Describe() string { return fmt.Sprintf("stop %s", s.Replica) }
func (s DrainNode) Describe() string   { return fmt.Sprintf("drain %s", s.Node) }
func (s KeepNode) Describe() string    { return fmt.Sprintf("keep %s", s.Node) }
func (s ReturnNode) Describe() string  { return fmt.Sprintf("return %s", s.Node) }

// Apply adds the node as starting.
func (s BuyNode) Apply(snap *Snapshot) error {
	i, exists := snap.nodeIndex(s.Node)
	if exists {
		return fmt.Errorf("node %s exists already", s.Node)
	}
	gpus := slices.Clone(s.GPUs)
	snap.Nodes = slices.Insert(snap.Nodes, i, Node{ID: s.Node, Offering: s.Offering, State: NodeStarting, RequestedAt: snap.At, GPUs: gpus})
	return nil
}

// Apply cuts the GPU, which must be empty and known.
func (s Reshape) Apply(snap *Snapshot) error {
	i, ok := snap.nodeIndex(s.GPU.Node)
	if !ok || s.GPU.Index < 0 || s.GPU.Index >= len(snap.Nodes[i].GPUs) {
		return fmt.Errorf("gpu %s is not there", s.GPU)
	}
	if snap.Nodes[i].State == NodeStarting {
		return fmt.Errorf("node %s is still starting", s.GPU.Node)
	}
	for _, r := range snap.Replicas {
		if r.Slice.GPU == s.GPU {
			return fmt.Errorf("gpu %s is not empty: %s is on it", s.GPU, r.ID)
		}
	}
	gpu := &snap.Nodes[i].GPUs[s.GPU.Index]
	if spec, ok := LookupGPU(gpu.Type); !ok {
		return fmt.Errorf("gpu %s has no geometries", gpu.Type)
	} else if err := s.Geometry.Validate(spec); err != nil {
		return fmt.Errorf("reshape %s: %w", s.GPU, err)
	}
	gpu.Geometry, gpu.Reshaping = s.Geometry.Clone(), true
	return nil
}

// Apply puts a pending replica on the slice, which must exist and be free, on a
// node that takes replicas.
func (s StartReplica) Apply(snap *Snapshot) error {
	i, exists := snap.replicaIndex(s.Replica)
	if exists {
		return fmt.Errorf("replica %s exists already", s.Replica)
	}
	node, ok := snap.Node(s.Slice.GPU.Node)
	if !ok {
		return fmt.Errorf("node %s is not there", s.Slice.GPU.Node)
	}
	if node.State == NodeDraining {
		return fmt.Errorf("node %s is draining", node.ID)
	}
	if _, ok := node.Kind(s.Slice); !ok {
		return fmt.Errorf("slice %s is not there", s.Slice)
	}
	for _, r := range snap.Replicas {
		if r.Slice == s.Slice {
			return fmt.Errorf("slice %s is taken by %s", s.Slice, r.ID)
		}
	}
	snap.Replicas = slices.Insert(snap.Replicas, i, Replica{
		ID: s.Replica, Model: s.Model, Variant: s.Variant, Slice: s.Slice,
		State: ReplicaPending, Since: snap.At, InFlight: Measured(0, 0, 1),
	})
	return nil
}

// Apply marks the replica as draining.
func (s StopReplica) Apply(snap *Snapshot) error {
	i, ok := snap.replicaIndex(s.Replica)
	if !ok {
		return fmt.Errorf("replica %s is not there", s.Replica)
	}
	if snap.Replicas[i].State == ReplicaDraining {
		return fmt.Errorf("replica %s is draining already", s.Replica)
	}
	snap.Replicas[i].State, snap.Replicas[i].Since = ReplicaDraining, snap.At
	return nil
}

// Apply marks the node as draining.
func (s DrainNode) Apply(snap *Snapshot) error {
	i, ok := snap.nodeIndex(s.Node)
	if !ok {
		return fmt.Errorf("node %s is not there", s.Node)
	}
	if snap.Nodes[i].State == NodeDraining {
		return fmt.Errorf("node %s is draining already", s.Node)
	}
	snap.Nodes[i].State = NodeDraining
	return nil
}

// Apply makes a draining node ready again.
func (s KeepNode) Apply(snap *Snapshot) error {
	i, ok := snap.nodeIndex(s.Node)
	if !ok {
		return fmt.Errorf("node %s is not there", s.Node)
	}
	if snap.Nodes[i].State != NodeDraining {
		return fmt.Errorf("node %s is not draining", s.Node)
	}
	snap.Nodes[i].State = NodeReady
	if snap.Nodes[i].ReadyAt.IsZero() {
		snap.Nodes[i].State = NodeStarting
	}
	return nil
}

// Apply removes the node, which must be draining and empty.
func (s ReturnNode) Apply(snap *Snapshot) error {
	i, ok := snap.nodeIndex(s.Node)
	if !ok {
		return fmt.Errorf("node %s is not there", s.Node)
	}
	if snap.Nodes[i].State != NodeDraining {
		return fmt.Errorf("node %s is not draining", s.Node)
	}
	for _, r := range snap.Replicas {
		if r.Slice.GPU.Node == s.Node {
			return fmt.Errorf("node %s is not empty: %s is on it", s.Node, r.ID)
		}
	}
	snap.Nodes = slices.Delete(snap.Nodes, i, i+1)
	return nil
}
