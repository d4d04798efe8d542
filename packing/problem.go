package packing

import (
	"encoding/json"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Problem is what the pack command reads: GPUs one may have, models with their
// demand, and what is there today.
type Problem struct {
	GPUs    []GPU    `json:"gpus"              yaml:"gpus"`
	Models  []Model  `json:"models"            yaml:"models"`
	Current []Placed `json:"current,omitempty" yaml:"current"`
}

// GPU is a kind of GPU that one may have, always in whole nodes.
type GPU struct {
	Name         string        `json:"name"           yaml:"name"`
	PricePerHour string        `json:"price_per_hour" yaml:"price_per_hour"` // Of one GPU; a decimal with at most nine places.
	MIG          fleet.GPUType `json:"mig,omitempty"  yaml:"mig"`            // The part whose geometries it has; empty: it cannot be divided.
	PerNode      int           `json:"per_node"       yaml:"per_node"`       // GPUs of one node, at least 1.

	// MaxNodes limits the nodes of this kind in all, with those that are reserved
	// and those that Current names; nil is no limit.
	MaxNodes *int `json:"max_nodes,omitempty" yaml:"max_nodes"`

	// Reserved is how many nodes are paid for already, used or not, beside those
	// that Current names.
	Reserved int `json:"reserved,omitempty" yaml:"reserved"`
}

// Model is a demand, and what each slice can do for it.
type Model struct {
	Name   string  `json:"name"   yaml:"name"`
	Demand float64 `json:"demand" yaml:"demand"` // Units of work a second; concurrent streams for streams.

	// Throughput is by name of GPU and profile, in the unit of Demand. A slice that
	// is missing does not fit the model.
	Throughput map[string]map[fleet.ProfileName]float64 `json:"throughput" yaml:"throughput"`

	// Value of serving one unit of Demand. It orders the models where not all can be
	// served; zero means 1.
	Value float64 `json:"value,omitempty" yaml:"value"`
}

// Placed is one GPU with its slices, today's in a Problem or the planned one in an
// Answer. Today's GPUs are paid for.
type Placed struct {
	ID       string  `json:"id,omitempty" yaml:"id"`   // The GPU's own name, where it exists; handed through.
	Type     string  `json:"type"         yaml:"type"` // Name of one of the problem's GPUs.
	Node     int     `json:"node"         yaml:"node"` // GPUs with equal numbers share a node.
	Geometry []Slice `json:"geometry"     yaml:"geometry"`

	// Fixed says that the slices must stay as they are: those with a model keep it
	// and count for its demand, those without are free to be used. A GPU that is not
	// fixed may be cut anew.
	Fixed bool `json:"fixed,omitempty" yaml:"fixed"`
}

// Slice is one slice of a GPU and the model on it.
type Slice struct {
	Profile fleet.ProfileName `json:"profile" yaml:"profile"`
	Start   int               `json:"start"   yaml:"start"`
	Model   Occupant          `json:"model"   yaml:"model"`
}

// Occupant is the name of the model on a slice; empty, which is null in JSON,
// where there is none.
type Occupant string

// MarshalJSON writes null for an empty slice.
func (o Occupant) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(o))
}

// geometry answers the slices without their models.
func (p Placed) geometry() fleet.Geometry {
	g := make(fleet.Geometry, len(p.Geometry))
	for i, s := range p.Geometry {
		g[i] = fleet.Placement{Profile: s.Profile, Start: s.Start}
	}
	return g
}
