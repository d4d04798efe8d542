package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ModelSignals is what is measured of one model.
type ModelSignals struct {
	Model       ModelName `json:"model"`
	Arrivals    Signal    `json:"arrivals"`    // requests a second over the last whole minute
	Backlog     Signal    `json:"backlog"`     // requests that wait for a server now
	Attainment  Signal    `json:"attainment"`  // share within the SLO over the last minutes
	Utilisation Signal    `json:"utilisation"` // share of its replicas' time that was busy, last whole minute
	// Places are where a server of the model can be started. None at all, as in a
	// world that can start anything, is wherever its profile was measured; an empty
	// list is nowhere.
	Places []Place `json:"places,omitzero"`
}

// Place is a build of a model on a kind of slice.
type Place struct {
	Variant VariantName `json:"variant"`
	Kind    SliceKind   `json:"kind"`
}

// Hold keeps a model's replicas as somebody set them.
type Hold struct {
	Model ModelName `json:"model"` // empty: the whole fleet
	By    string    `json:"by"`    // who, as the world calls them
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"` // zero: until it is taken back
}

// Unavailable is an offering of which none can be had until a time.
type Unavailable struct {
	Offering OfferingName `json:"offering"`
	Until    time.Time    `json:"until"`
	Cause    string       `json:"cause"`
}

// Doubt is something wrong with what was seen: a label that is missing, a node
// that nobody priced, a query that answers twice. It harms nothing, is told to
// people, and says how to mend it.
type Doubt struct {
	Subject string `json:"subject"`
	Cause   string `json:"cause"`
	Money   bool   `json:"money,omitempty"` // what is spent is not known in full, so that nothing is bought
}

// Spend is what was paid so far in the current day and month, UTC.
type Spend struct {
	Day    Money        `json:"day"`
	Month  Money        `json:"month"`
	Groups []GroupSpend `json:"groups,omitempty"` // sorted by group
	// UnitCosts are what the work of groups cost by its amount, sorted by group, where
	// a cap asks for it.
	UnitCosts []UnitCost `json:"unit_costs,omitempty"`
}

// UnitCost is what a thousand units of work served within the SLO cost over the
// trailing day.
type UnitCost struct {
	Group   GroupName `json:"group,omitempty"` // empty: the whole fleet
	Cost    Money     `json:"cost"`
	Unknown string    `json:"unknown,omitempty"` // why it is not known; the cost then says nothing
}

// UnitCost finds the unit cost of a group, or of the fleet. One that nobody measured
// is unknown.
func (s Spend) UnitCost(group GroupName) UnitCost {
	for _, u := range s.UnitCosts {
		if u.Group == group {
			return u
		}
	}
	return UnitCost{Group: group, Unknown: "nothing was measured yet"}
}

// Read returns the cost and true, or no money and false when it is unknown.
func (u UnitCost) Read() (Money, bool) {
	if u.Unknown != "" {
		return Money{}, false
	}
	return u.Cost, true
}

// GroupSpend is the part of the spend that falls to a group.
type GroupSpend struct {
	Group GroupName `json:"group"`
	Day   Money     `json:"day"`
	Month Money     `json:"month"`
}

// Snapshot is an immutable view of fleet, signals and spend at an instant.
// Nodes, replicas and models are sorted by their id.
type Snapshot struct {
	At       time.Time      `json:"at"`
	Nodes    []Node         `json:"nodes"`
	Replicas []Replica      `json:"replicas"`
	Models   []ModelSignals `json:"models"`
	Spend    Spend          `json:"spend"`
	Holds    []Hold         `json:"holds,omitempty"`  // sorted by model
	Doubts   []Doubt        `json:"doubts,omitempty"` // sorted by subject
	// Unavailable are offerings that could not be had lately, sorted by name.
	Unavailable []Unavailable `json:"unavailable,omitempty"`
	// Sequence is the highest number that a name of a node or replica ever bore,
	// where the world remembers more than it shows.
	Sequence int `json:"sequence,omitempty"`
}

// MoneyDoubt is the first doubt about what is spent.
func (s Snapshot) MoneyDoubt() (Doubt, bool) {
	for _, d := range s.Doubts {
		if d.Money {
			return d, true
		}
	}
	return Doubt{}, false
}

// Sort brings nodes, replicas and models into the order the accessors rely on.
func (s *Snapshot) Sort() {
	slices.SortFunc(s.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Replicas, func(a, b Replica) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Models, func(a, b ModelSignals) int { return cmp.Compare(a.Model, b.Model) })
	slices.SortStableFunc(s.Holds, func(a, b Hold) int { return cmp.Compare(a.Model, b.Model) })
	slices.SortStableFunc(s.Unavailable, func(a, b Unavailable) int { return cmp.Compare(a.Offering, b.Offering) })
	slices.SortStableFunc(s.Doubts, func(a, b Doubt) int { return cmp.Compare(a.Subject, b.Subject) })
}

// Clone copies the snapshot so that steps can be tried on the copy.
func (s Snapshot) Clone() Snapshot {
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		s.Nodes[i].GPUs = slices.Clone(s.Nodes[i].GPUs)
	}
	s.Replicas = slices.Clone(s.Replicas)
	return s
}

// Held finds what keeps a model's replicas as they are.
func (s Snapshot) Held(model ModelName) (Hold, bool) {
	for _, h := range s.Holds {
		if h.Model == "" || h.Model == model {
			return h, true
		}
	}
	return Hold{}, false
}

// Node finds a node.
func (s Snapshot) Node(id NodeID) (Node, bool) {
	if i, ok := s.nodeIndex(id); ok {
		return s.Nodes[i], true
	}
	return Node{}, false
}

// Replica finds a replica.
func (s Snapshot) Replica(id ReplicaID) (Replica, bool) {
	if i, ok := s.replicaIndex(id); ok {
		return s.Replicas[i], true
	}
	return Replica{}, false
}

// Model finds a model's signals. Of a model that is not there everything is
// unknown.
func (s Snapshot) Model(name ModelName) ModelSignals {
	i, ok := slices.BinarySearchFunc(s.Models, name, func(m ModelSignals, n ModelName) int { return cmp.Compare(m.Model, n) })
	if ok {
		return s.Models[i]
	}
	missing := Unknown("no signal of this model")
	return ModelSignals{Model: name, Arrivals: missing, Backlog: missing, Attainment: missing, Utilisation: missing}
}

// Occupied tells which replica sits on each slice that has one, draining ones
// included.
func (s Snapshot) Occupied() map[SliceID]ReplicaID {
	out := make(map[SliceID]ReplicaID, len(s.Replicas))
	for _, r := range s.Replicas {
		out[r.Slice] = r.ID
	}
	return out
}

// On lists the replicas on a node.
func (s Snapshot) On(node NodeID) []Replica {
	var out []Replica
	for _, r := range s.Replicas {
		if r.Slice.GPU.Node == node {
			out = append(out, r)
		}
	}
	return out
}

// KindOf is the kind of slice a replica sits on.
func (s Snapshot) KindOf(r Replica) (SliceKind, bool) {
	node, ok := s.Node(r.Slice.GPU.Node)
	if !ok {
		return SliceKind{}, false
	}
	return node.Kind(r.Slice)
}

// Committed is the rate of spending on everything that runs or was asked for.
// A node whose offering left the catalog is an error, never free.
func (s Snapshot) Committed(c Catalog) (Rate, error) {
	total := PerHour(Micros(0, c.Currency))
	for _, n := range s.Nodes {
		o, ok := c.Offering(n.Offering)
		if !ok {
			return Rate{}, fmt.Errorf("node %s is of offering %q, which the catalog does not list: add it with its price", n.ID, n.Offering)
		}
		total = total.Add(o.Price)
	}
	return total, nil
}

// Describe draws the fleet for people and transcripts: a line per GPU with the
// replica on each slice.
func (s Snapshot) Describe() string {
	var b strings.Builder
	occupied := s.Occupied()
	fmt.Fprintf(&b, "%s  %d nodes, %d replicas\n", s.At.UTC().Format(time.RFC3339), len(s.Nodes), len(s.Replicas))
	for _, n := range s.Nodes {
		for index, gpu := range n.GPUs {
			fmt.Fprintf(&b, "  %s/%d %-9s %s ", n.ID, index, n.State, gpu.Type)
			for _, p := range gpu.Geometry {
				id := SliceID{GPU: GPUID{Node: n.ID, Index: index}, Start: p.Start}
				who := "free"
				if replica, ok := occupied[id]; ok {
					r, _ := s.Replica(replica)
					who = fmt.Sprintf("%s %s", r.Model, r.State)
				}
				fmt.Fprintf(&b, "[%s %s]", p.Profile, who)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (s Snapshot) nodeIndex(id NodeID) (int, bool) {
	return slices.BinarySearchFunc(s.Nodes, id, func(n Node, i NodeID) int { return cmp.Compare(n.ID, i) })
}

func (s Snapshot) replicaIndex(id ReplicaID) (int, bool) {
	return slices.BinarySearchFunc(s.Replicas, id, func(r Replica, i ReplicaID) int { return cmp.Compare(r.ID, i) })
}
