package console

import (
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// nodeView is a node with its GPUs.
type nodeView struct {
	ID       fleet.NodeID       `json:"id"`
	Offering fleet.OfferingName `json:"offering"`
	Purchase fleet.Purchase     `json:"purchase,omitempty"`
	Price    *fleet.Rate        `json:"price_per_hour,omitempty"` // absent when the catalog lacks it
	State    fleet.NodeState    `json:"state"`
	AgeSecs  float64            `json:"age_seconds"` // since it was asked for
	GPUs     []gpuView          `json:"gpus"`
}

// gpuView is a GPU, or the node itself where it has none, with its slices.
type gpuView struct {
	Index        int           `json:"index"`
	Type         fleet.GPUType `json:"type"`
	Geometry     string        `json:"geometry"`
	MemorySlices int           `json:"memory_slices"`
	Reshaping    bool          `json:"reshaping,omitempty"`
	Slices       []sliceView   `json:"slices"` // with what is not cut into a slice, in order
}

// The states of a slice that no replica has.
const (
	sliceFree  = "free"  // a replica may start there
	sliceUncut = "uncut" // memory that belongs to no slice
)

// sliceView is a slice and who sits on it.
type sliceView struct {
	Start    int               `json:"start"`
	Size     int               `json:"size"` // memory slices
	Profile  fleet.ProfileName `json:"profile,omitempty"`
	State    string            `json:"state"` // of the replica, or free, or uncut
	Model    fleet.ModelName   `json:"model,omitempty"`
	Language fleet.Language    `json:"language,omitempty"`
	Variant  fleet.VariantName `json:"variant,omitempty"`
	Replica  fleet.ReplicaID   `json:"replica,omitempty"`
	Since    time.Time         `json:"since,omitzero"`
	InFlight *fleet.Signal     `json:"in_flight,omitempty"`
	Colour   int               `json:"-"` // of the language; 0 for none
}

// seating tells who sits on a slice.
type seating struct {
	replicas  map[fleet.SliceID]fleet.Replica
	languages map[fleet.ModelName]fleet.Language
	colours   map[fleet.Language]int
}

// seatingOf finds replicas by their place and models by their language.
func seatingOf(s State) seating {
	models := s.Settings.Policy.Models
	out := seating{
		replicas:  make(map[fleet.SliceID]fleet.Replica, len(s.Record.Inputs.Snapshot.Replicas)),
		languages: make(map[fleet.ModelName]fleet.Language, len(models)),
		colours:   coloursOf(models),
	}
	for _, r := range s.Record.Inputs.Snapshot.Replicas {
		out.replicas[r.Slice] = r
	}
	for _, m := range models {
		out.languages[m.Name] = m.Language
	}
	return out
}

// slice is a place and who sits on it.
func (s seating) slice(gpu fleet.GPUID, p fleet.Placement, size int) sliceView {
	v := sliceView{Start: p.Start, Size: size, Profile: p.Profile, State: sliceFree}
	r, taken := s.replicas[fleet.SliceID{GPU: gpu, Start: p.Start}]
	if !taken {
		return v
	}
	v.State, v.Model, v.Variant, v.Replica = string(r.State), r.Model, r.Variant, r.ID
	v.Since, v.InFlight, v.Language = r.Since, &r.InFlight, s.languages[r.Model]
	v.Colour = s.colours[v.Language]
	return v
}

// nodesOf arranges the fleet, in the order of the nodes.
func nodesOf(s State) []nodeView {
	snapshot, seats := s.Record.Inputs.Snapshot, seatingOf(s)
	out := make([]nodeView, 0, len(snapshot.Nodes))
	for _, n := range snapshot.Nodes {
		v := nodeView{ID: n.ID, Offering: n.Offering, State: n.State, GPUs: []gpuView{}}
		if !n.RequestedAt.IsZero() {
			v.AgeSecs = max(0, s.Record.Inputs.Now.Sub(n.RequestedAt).Seconds())
		}
		if o, ok := s.Settings.Catalog.Offering(n.Offering); ok {
			v.Price, v.Purchase = &o.Price, o.Purchase
		}
		for index, gpu := range n.GPUs {
			v.GPUs = append(v.GPUs, gpuOf(fleet.GPUID{Node: n.ID, Index: index}, gpu, seats))
		}
		out = append(out, v)
	}
	return out
}

// gpuOf cuts a GPU into its slices and what lies between them.
func gpuOf(id fleet.GPUID, gpu fleet.GPU, seats seating) gpuView {
	v := gpuView{Index: id.Index, Type: gpu.Type, Geometry: gpu.Geometry.String(), MemorySlices: 1, Reshaping: gpu.Reshaping}
	spec, known := fleet.LookupGPU(gpu.Type)
	if known {
		v.MemorySlices = spec.MemorySlices
	}
	at := 0
	for _, p := range gpu.Geometry {
		size := 1
		if row, ok := spec.Profile(p.Profile); known && ok {
			size = row.Size
		}
		if p.Start > at {
			v.Slices = append(v.Slices, sliceView{Start: at, Size: p.Start - at, State: sliceUncut})
		}
		v.Slices = append(v.Slices, seats.slice(id, p, size))
		at = p.Start + size
	}
	if at < v.MemorySlices {
		v.Slices = append(v.Slices, sliceView{Start: at, Size: v.MemorySlices - at, State: sliceUncut})
	}
	return v
}

// colourCount is how many colours the style sheet has for languages.
const colourCount = 10

// languagesOf lists the languages of the models, sorted, without the empty one.
func languagesOf(models []fleet.Model) []fleet.Language {
	out := []fleet.Language{}
	for _, m := range models {
		if m.Language != "" && !slices.Contains(out, m.Language) {
			out = append(out, m.Language)
		}
	}
	slices.Sort(out)
	return out
}

// coloursOf gives each language a colour, 1 to colourCount, in their order; what
// has no language has colour 0. Labels always stand beside the colour, which is
// therefore allowed to repeat.
func coloursOf(models []fleet.Model) map[fleet.Language]int {
	out := map[fleet.Language]int{}
	for i, l := range languagesOf(models) {
		out[l] = i%colourCount + 1
	}
	return out
}
