package judge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// Layout is a fixed way to cut GPUs and to place models, as a peer needs one.
type Layout struct {
	Name  string // how it was thought of
	Setup peer.Setup
	Price float64 // an hour of the GPUs that it takes, averaged over mean and peak
}

// DefaultSetup is the setup of a peer of which nothing was tuned: every model on
// the slice that carries most for its price, a pool for each kind of slice, GPUs
// cut into as many of it as there is room for, replicas as the policy bounds them,
// and the parameters that the peer documents.
func DefaultSetup(settings control.Settings) peer.Setup { return defaultSetup(settings, nil) }

// defaultSetup passes over an offering of which fewer nodes may be bought than the
// peak of the traffic needs, as long as every model has another.
func defaultSetup(settings control.Settings, known map[fleet.ModelName]peer.Known) peer.Setup {
	d := designerOf(settings, known)
	for {
		chosen := d.choose(func([]option, peer.Known) int { return 0 })
		if scarce := d.scarce(chosen); scarce == "" || !d.passOver(scarce) {
			return d.setup(chosen, apart)
		}
	}
}

// scarce is an offering whose limit the peak exceeds, or none.
func (d designer) scarce(chosen map[fleet.ModelName]option) fleet.OfferingName {
	nodes := map[fleet.OfferingName]int{}
	for _, p := range apart.divide(d, chosen) {
		gpus := p.gpus(d.slices(chosen, p.models, func(k peer.Known) float64 { return k.Peak }))
		o := p.offering
		each := max(1, o.GPUs)
		if nodes[o.Name] += (gpus + each - 1) / each; nodes[o.Name] > o.Limit {
			return o.Name
		}
	}
	return ""
}

// passOver takes an offering out, unless it is all that some model can run on.
func (d designer) passOver(scarce fleet.OfferingName) bool {
	on := func(o option) bool { return o.offering.Name == scarce }
	for _, list := range d.options {
		if !slices.ContainsFunc(list, func(o option) bool { return !on(o) }) {
			return false
		}
	}
	for name, list := range d.options {
		d.options[name] = slices.DeleteFunc(list, on)
	}
	return true
}

// Layouts lists at most so many layouts for a traffic, those first that should
// cost least. They are made by rule, the same for every peer: everything on whole
// GPUs or on one kind of slice as far as it fits; every model where it is cheapest
// for what it carries, on the smallest slice, or where the packer puts it at mean
// or peak load; each with a pool for every kind of slice, with mixed GPUs, and with
// the largest model apart from the others.
func Layouts(settings control.Settings, known map[fleet.ModelName]peer.Known, most int) []Layout {
	d := designerOf(settings, known)
	var out []Layout
	seen := map[string]bool{}
	add := func(name string, chosen map[fleet.ModelName]option, p pooling) {
		setup := d.setup(chosen, p)
		text, err := json.Marshal(setup)
		if err != nil || seen[string(text)] || setup.Validate(settings) != nil {
			return
		}
		seen[string(text)] = true
		out = append(out, Layout{Name: name + ", " + p.name, Setup: setup, Price: d.price(chosen, p)})
	}
	for _, place := range d.places() {
		chosen := d.choose(func(list []option, _ peer.Known) int {
			return max(0, slices.IndexFunc(list, func(o option) bool { return o.compare(place) == 0 }))
		})
		add(fmt.Sprintf("on %s of %s", place.profile, place.offering.Name), chosen, apart)
	}
	smallest := func(list []option, _ peer.Known) int {
		return slices.Index(list, slices.MinFunc(list, func(a, b option) int { return cmp.Or(cmp.Compare(a.price, b.price), a.compare(b)) }))
	}
	for _, p := range []pooling{apart, mixed, largestApart} {
		add("cheapest slices", d.choose(func([]option, peer.Known) int { return 0 }), p)
		add("smallest slices", d.choose(smallest), p)
		add("packed at mean load", d.packed(func(k peer.Known) float64 { return k.Mean }), p)
		add("packed at peak load", d.packed(func(k peer.Known) float64 { return k.Peak }), p)
	}
	slices.SortStableFunc(out, func(a, b Layout) int { return cmp.Compare(a.Price, b.Price) })
	return out[:min(len(out), most)]
}

// designer makes layouts for a fleet of models.
type designer struct {
	settings control.Settings
	known    map[fleet.ModelName]peer.Known
	options  map[fleet.ModelName][]option
}

func designerOf(settings control.Settings, known map[fleet.ModelName]peer.Known) designer {
	d := designer{settings: settings, known: known, options: map[fleet.ModelName][]option{}}
	sizer := policy.NewSizer()
	for _, m := range settings.Policy.Models {
		if list := options(sizer, settings, m); len(list) > 0 {
			d.options[m.Name] = list
		}
	}
	return d
}

// choose takes one option for every model that has any.
func (d designer) choose(pick func([]option, peer.Known) int) map[fleet.ModelName]option {
	out := make(map[fleet.ModelName]option, len(d.options))
	for name, list := range d.options {
		out[name] = list[pick(list, d.known[name])]
	}
	return out
}

// places lists every kind of slice that some model can use.
func (d designer) places() []option {
	var out []option
	for _, name := range slices.Sorted(maps.Keys(d.options)) {
		out = append(out, d.options[name]...)
	}
	slices.SortStableFunc(out, option.compare)
	return slices.CompactFunc(out, func(a, b option) bool { return a.compare(b) == 0 })
}

// price is what the GPUs of a layout cost an hour, averaged over mean and peak.
func (d designer) price(chosen map[fleet.ModelName]option, p pooling) float64 {
	sum := 0.0
	for _, load := range []func(peer.Known) float64{
		func(k peer.Known) float64 { return k.Mean }, func(k peer.Known) float64 { return k.Peak },
	} {
		for _, pool := range p.divide(d, chosen) {
			sum += float64(pool.gpus(d.slices(chosen, pool.models, load))) * pool.offering.PricePerGPU().Hourly().Float() / 2
		}
	}
	return sum
}

// slices counts the slices that models need for a load.
func (d designer) slices(chosen map[fleet.ModelName]option, models []fleet.ModelName, load func(peer.Known) float64) map[fleet.ProfileName]int {
	out := map[fleet.ProfileName]int{}
	for _, name := range models {
		m, _ := d.settings.Policy.Model(name)
		out[chosen[name].profile] += max(m.MinReplicas, chosen[name].replicas(load(d.known[name])))
	}
	return out
}

// setup writes a layout down.
func (d designer) setup(chosen map[fleet.ModelName]option, p pooling) peer.Setup {
	out := peer.Setup{Deployments: map[fleet.ModelName]peer.Deployment{}}
	for i, pool := range p.divide(d, chosen) {
		name := fmt.Sprintf("pool-%d", i+1)
		out.Pools = append(out.Pools, peer.Pool{Name: name, Offering: pool.offering.Name, Geometry: pool.geometry})
		for _, model := range pool.models {
			m, _ := d.settings.Policy.Model(model)
			o := chosen[model]
			out.Deployments[model] = peer.Deployment{Pool: name, Variant: o.variant, Profile: o.profile, Min: m.MinReplicas}
		}
	}
	return out
}

// floor raises the minimum of every model to a share of what its mean load needs.
func (d designer) floor(s peer.Setup, share float64) peer.Setup {
	s.Deployments = maps.Clone(s.Deployments)
	for name, at := range s.Deployments {
		m, _ := d.settings.Policy.Model(name)
		for _, o := range d.options[name] {
			if o.profile != at.Profile || !slices.ContainsFunc(s.Pools, func(p peer.Pool) bool { return p.Name == at.Pool && p.Offering == o.offering.Name }) {
				continue
			}
			at.Min = max(m.MinReplicas, int(math.Ceil(share*d.known[name].Mean/o.carries)))
			if m.MaxReplicas > 0 {
				at.Min = min(at.Min, m.MaxReplicas)
			}
		}
		s.Deployments[name] = at
	}
	return s
}
