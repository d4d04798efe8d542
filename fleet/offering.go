package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Purchase is how a node is paid for.
type Purchase string

// The ways to pay for a node.
const (
	OnDemand Purchase = "on-demand"
	Spot     Purchase = "spot"
	Reserved Purchase = "reserved"
)

// ReshapeScope is what must be empty before a GPU of the node is reshaped.
type ReshapeScope string

// The scopes: mig-manager reshapes a node, dynamic partitioning a GPU.
const (
	ReshapeNode ReshapeScope = "node"
	ReshapeGPU  ReshapeScope = "gpu"
)

// Offering is a node type that can be bought. Price is for the whole node.
type Offering struct {
	Name           OfferingName  `json:"name"`
	GPU            GPUType       `json:"gpu"`  // CPU for a node without GPUs
	GPUs           int           `json:"gpus"` // 1 for a node without GPUs: its one slice
	CPUs           int           `json:"cpus,omitempty"`
	MemoryMiB      int64         `json:"memory_mib,omitempty"` // host memory
	Purchase       Purchase      `json:"purchase"`
	Price          Rate          `json:"price"`
	Region         string        `json:"region,omitempty"`
	Limit          int           `json:"limit"` // nodes at most
	MinimumBilling time.Duration `json:"minimum_billing"`
	Reshape        ReshapeScope  `json:"reshape"`
	ReshapeTime    Delay         `json:"reshape_time"`
	ModeFlip       Delay         `json:"mode_flip,omitzero"` // a reshape between undivided and cut; zero takes as long as any other
	Lead           LeadTime      `json:"lead"`
	Interruptions  float64       `json:"interruptions_per_hour,omitempty"` // how often the seller takes a node back, per hour of a node's life
	Source         string        `json:"source"`                           // where and when the price was read
}

// ReshapeFrom is how long it takes to cut a GPU of the offering from one geometry
// into another. Between undivided and cut, the mode of the GPU changes besides,
// which on some parts means a reset or a reboot.
func (o Offering) ReshapeFrom(from, to Geometry) Delay {
	if o.ModeFlip.P50 > 0 && from.Undivided() != to.Undivided() {
		return o.ModeFlip
	}
	return o.ReshapeTime
}

// PricePerGPU is the node's price over its GPUs.
func (o Offering) PricePerGPU() Rate { return o.Price.Share(1, int64(o.GPUs)) }

// String prints the offering for people.
func (o Offering) String() string {
	return fmt.Sprintf("%s (%d×%s, %s, %s)", o.Name, o.GPUs, o.GPU, o.Purchase, o.Price.Describe())
}

// Catalog lists what can be bought, in one currency, sorted by name.
type Catalog struct {
	Currency  Currency   `json:"currency"`
	Offerings []Offering `json:"offerings"`
}

// Sort brings the offerings into the order that Offering relies on.
func (c *Catalog) Sort() {
	slices.SortFunc(c.Offerings, func(a, b Offering) int { return cmp.Compare(a.Name, b.Name) })
}

// Offering finds an offering by name.
func (c Catalog) Offering(name OfferingName) (Offering, bool) {
	i, ok := slices.BinarySearchFunc(c.Offerings, name, func(o Offering, n OfferingName) int { return cmp.Compare(o.Name, n) })
	if !ok {
		return Offering{}, false
	}
	return c.Offerings[i], true
}
