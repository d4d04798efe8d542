package fleet

import (
	"cmp"
	"fmt"
)

// Names that people choose, each of a type of its own so that one is never
// taken for another.
type (
	// ModelName names a model: what a customer calls, for one task and one language.
	ModelName string
	// VariantName names a build of a model, such as "fp16".
	VariantName string
	// ClassName names a service class of the policy.
	ClassName string
	// GroupName names a product, a team or a budget holder.
	GroupName string
	// Language is a BCP-47 tag, such as "fr" or "pt-BR".
	Language string
	// OfferingName names a node type that can be bought.
	OfferingName string
	// PerformanceName names a performance profile.
	PerformanceName string
)

// Identities of things that come and go.
type (
	// NodeID identifies a node for its whole life, from the wish for it.
	NodeID string
	// ReplicaID identifies one server of a model on one slice.
	ReplicaID string
	// PlanID identifies a plan; plans of one loop sort by it.
	PlanID string
)

// GPUID identifies a GPU by its node and its index there.
type GPUID struct {
	Node  NodeID `json:"node"`
	Index int    `json:"index"`
}

// String prints node/index.
func (g GPUID) String() string { return fmt.Sprintf("%s/%d", g.Node, g.Index) }

// SliceID identifies a slice by its GPU and its start on the memory axis.
type SliceID struct {
	GPU   GPUID `json:"gpu"`
	Start int   `json:"start"`
}

// String prints node/index@start.
func (s SliceID) String() string { return fmt.Sprintf("%s@%d", s.GPU, s.Start) }

// Compare orders slices by node, GPU and start.
func (s SliceID) Compare(o SliceID) int {
	return cmp.Or(cmp.Compare(s.GPU.Node, o.GPU.Node), cmp.Compare(s.GPU.Index, o.GPU.Index), cmp.Compare(s.Start, o.Start))
}

// CPU is the GPU type of a node without GPUs: its one slice is the whole node.
const CPU GPUType = "cpu"

// SliceKind is a kind of slice on a type of GPU: what a performance profile is
// measured on and what a pod asks for.
type SliceKind struct {
	GPU     GPUType     `json:"gpu"`
	Profile ProfileName `json:"profile"`
}

// CPUSlice is the kind of slice that a node without GPUs offers.
var CPUSlice = SliceKind{GPU: CPU, Profile: WholeGPU}

// String prints the key of profile files: gpu/profile, gpu/whole or cpu.
func (k SliceKind) String() string {
	if k.GPU == CPU {
		return string(CPU)
	}
	return string(k.GPU) + "/" + string(k.Profile)
}

// Compare orders kinds by GPU and profile name.
func (k SliceKind) Compare(o SliceKind) int {
	return cmp.Or(cmp.Compare(k.GPU, o.GPU), cmp.Compare(k.Profile, o.Profile))
}
