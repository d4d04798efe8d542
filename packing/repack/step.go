package repack

import (
	"fmt"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Action is what a step does.
type Action string

// The actions.
const (
	Wait      Action = "wait"       // For what is under way already: a node, a GPU or a replica.
	Keep      Action = "keep"       // Take the drain of a node back.
	Buy       Action = "buy"        // A node, born as Cuts say.
	Start     Action = "start"      // A replica on a free slice.
	Drain     Action = "drain"      // A replica: let it finish what it has, and go.
	Reshape   Action = "reshape"    // Empty GPUs, as Cuts say.
	DrainNode Action = "drain-node" // Place nothing on the node any more.
	GiveBack  Action = "give-back"  // An empty, draining node.
)

// Why is the reason of a step, a clause for people.
type Why string

// The reasons.
const (
	ForNeed     Why = "the need is not met without it"
	ForMove     Why = "takes over from a replica that goes"
	ForDetour   Why = "holds capacity while others change places"
	ForReturn   Why = "its node is given back"
	ForReshape  Why = "its GPU is cut anew"
	ForRoom     Why = "another model takes its slice"
	ForGeometry Why = "other slices are wanted here"
	ForSaving   Why = "what it costs is more than it is needed for"
	UnderWay    Why = "it is under way already"
)

// Cut is what one GPU of a node is cut into.
type Cut struct {
	GPU    int             `json:"gpu"`    // Its index on the node.
	Slices []packing.Slice `json:"slices"` // Empty; the shares of one slice one after another.
}

// Geometry is what the GPU itself is cut into, the shares of each slice together.
func (c Cut) Geometry() fleet.Geometry { return hardware(c.Slices) }

// Step is one act. It can begin when the steps named in After are done, whatever
// else of the plan is done by then, and in the order of the plan.
type Step struct {
	Do    Action        `json:"do"`
	Node  int           `json:"node"`
	Type  string        `json:"type"`
	GPU   int           `json:"gpu"`            // Of start, drain and wait; -1 where the node as a whole is meant.
	At    int           `json:"at"`             // Index of the slice on the GPU, shares counted; -1 where there is none.
	Slice packing.Slice `json:"slice,omitzero"` // The slice with who is started on it or drained.
	Cuts  []Cut         `json:"cuts,omitempty"` // Of buy and reshape.

	Starting bool `json:"starting,omitempty"` // Of wait: for a replica to come, rather than to go.

	Price packing.Amount `json:"price"`           // Money, not an hour.
	Why   Why            `json:"why"`             //
	After []int          `json:"after,omitempty"` // Indices in the plan, ascending, all before this one.
}

// Describe says the step in words, with its price and its reason.
func (s Step) Describe() string {
	text := ""
	switch s.Do {
	case Wait, Start, Drain:
		text = fmt.Sprintf("%s %s", s.Do, s.subject())
	case Buy, Reshape:
		text = fmt.Sprintf("%s node %d (%s)", s.Do, s.Node, s.Type)
		for _, c := range s.Cuts {
			text += fmt.Sprintf(", gpu %d: %s", c.GPU, c.Geometry())
		}
	default:
		text = fmt.Sprintf("%s node %d (%s)", s.Do, s.Node, s.Type)
	}
	if s.Price > 0 {
		text += fmt.Sprintf(" for %s", s.Price)
	}
	return text + ": " + string(s.Why)
}

func (s Step) subject() string {
	switch {
	case s.GPU < 0:
		return fmt.Sprintf("node %d (%s)", s.Node, s.Type)
	case s.At < 0:
		return fmt.Sprintf("node %d gpu %d (%s)", s.Node, s.GPU, s.Type)
	}
	var who []string
	for _, name := range occupants(s.Slice) {
		who = append(who, string(name))
	}
	return fmt.Sprintf("%s on node %d gpu %d %s at %d", strings.Join(who, " with "), s.Node, s.GPU, s.Slice.Profile, s.Slice.Start)
}
