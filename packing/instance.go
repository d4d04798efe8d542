package packing

import (
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// An instance is a problem in whole numbers, GPUs and models sorted by name. A
// kind is a profile of an offer that some model can use, or of which shares are
// used.
type instance struct {
	offers []offer
	models []demand // Those that need more and can be served.
	idle   []demand // Those that their kept slices serve, and those that nothing can serve.
	kinds  []kind
	nodes  int // Least number of nodes there must be, today's and paid ones included, for models to spread over.
}

// newInstance reads a problem that Validate accepts.
func newInstance(p Problem) *instance {
	in := &instance{}
	gpus := slices.Clone(p.GPUs)
	slices.SortFunc(gpus, func(a, b GPU) int { return strings.Compare(a.Name, b.Name) })
	models := slices.Clone(p.Models)
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })

	// 1. Which profiles anyone can use.
	byName := p.gpusByName()
	menus := make([]menu, len(models))
	used := map[string]map[fleet.ProfileName]bool{}
	for i, m := range models {
		menus[i] = menuOf(m, byName)
		for at := range menus[i].fits {
			if used[at.gpu] == nil {
				used[at.gpu] = map[fleet.ProfileName]bool{}
			}
			used[at.gpu][at.profile] = true
		}
	}
	// 2. Offers and their kinds.
	index := map[string]int{}
	for _, g := range gpus {
		index[g.Name] = len(in.offers)
		in.addOffer(g, used[g.Name])
	}
	in.addCurrent(p.Current, index)
	// 3. Models, less what the slices they keep already do.
	kept := keptSlices(p.Current)
	for i, m := range models {
		d := in.newDemand(m, menus[i], kept[Occupant(m.Name)], index)
		if d.need > 0 && len(d.items) > 0 {
			in.models = append(in.models, d)
			in.nodes = max(in.nodes, d.nodes())
		} else {
			in.idle = append(in.idle, d)
		}
	}
	return in
}

// addCurrent counts what is there today: GPUs to be cut anew, and free slices of
// those that stay as they are. Their nodes count against the limit.
func (in *instance) addCurrent(current []Placed, index map[string]int) {
	seen := map[int]bool{}
	for _, c := range current {
		o := &in.offers[index[c.Type]]
		if !seen[c.Node] {
			seen[c.Node] = true
			o.standing++
			if o.nodes < maxNodes {
				o.nodes = max(0, o.nodes-1)
			}
		}
		if !c.Fixed {
			o.paid++
			continue
		}
		for _, s := range c.Geometry {
			if s.Empty() {
				if k := in.kindOf(index[c.Type], s.Profile); k >= 0 {
					in.kinds[k].free++
				}
			}
		}
	}
}

// kindOf answers the kind of a profile of an offer, or -1 where no model uses it.
func (in *instance) kindOf(offer int, profile fleet.ProfileName) int {
	o := in.offers[offer]
	for k := o.first; k < o.end; k++ {
		if in.kinds[k].profile == profile {
			return k
		}
	}
	return -1
}
