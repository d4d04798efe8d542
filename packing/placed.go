package packing

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

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

// Slice is one slice of a GPU and who is on it. The shares of a slice that is
// divided stand one after another, each with the start of that slice.
type Slice struct {
	Profile fleet.ProfileName `json:"profile"           yaml:"profile"`
	Start   int               `json:"start"             yaml:"start"`
	Model   Occupant          `json:"model"             yaml:"model"`
	Variant string            `json:"variant,omitempty" yaml:"variant"` // Of the model, where it has variants.

	// Models are those of a server process with several models, in place of Model.
	Models []Tenant `json:"models,omitempty" yaml:"models"`
}

// Tenant is one model of a server process with several.
type Tenant struct {
	Model   Occupant `json:"model"             yaml:"model"`
	Variant string   `json:"variant,omitempty" yaml:"variant"`
	Serves  float64  `json:"serves"            yaml:"serves"` // In the unit of its demand.
}

// Empty says whether no model is on the slice.
func (s Slice) Empty() bool { return s.Model == "" && len(s.Models) == 0 }

// Holds says whether any slice of the GPU has a model.
func (p Placed) Holds() bool {
	for _, s := range p.Geometry {
		if !s.Empty() {
			return true
		}
	}
	return false
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

// Hardware answers the slices into which the GPU itself is cut, the shares of each
// put together again, or what is wrong with the shares.
func (p Placed) Hardware() (fleet.Geometry, error) {
	g := make(fleet.Geometry, 0, len(p.Geometry))
	for i := 0; i < len(p.Geometry); {
		s := p.Geometry[i]
		whole, shares := shareOf(s.Profile)
		for j := i; j < i+shares; j++ {
			if j == len(p.Geometry) || p.Geometry[j].Profile != s.Profile || p.Geometry[j].Start != s.Start {
				return nil, fmt.Errorf("%s at %d has %d of its %d shares: list them one after another, with the same start", s.Profile, s.Start, j-i, shares)
			}
		}
		g = append(g, fleet.Placement{Profile: whole, Start: s.Start})
		i += shares
	}
	return g, nil
}

// shareOf takes the name of a share apart: "3g.40gb/2" is one of 2 shares of
// 3g.40gb. Any other name is one share of itself.
func shareOf(n fleet.ProfileName) (whole fleet.ProfileName, shares int) {
	name, count, ok := strings.Cut(string(n), "/")
	shares, err := strconv.Atoi(count)
	if !ok || err != nil || shares < 2 || strconv.Itoa(shares) != count {
		return n, 1
	}
	return fleet.ProfileName(name), shares
}

// shareName is the reverse of shareOf.
func shareName(whole fleet.ProfileName, shares int) fleet.ProfileName {
	return fleet.ProfileName(fmt.Sprintf("%s/%d", whole, shares))
}
