package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Learnt is what the loop came to know of the world beyond what people wrote, from the
// snapshots alone. Nothing seen is what was written.
type Learnt struct {
	Leads    map[fleet.OfferingName]Delays   `json:"leads,omitempty"`    // until a node is ready, from when it was asked for
	Loads    []LoadTime                      `json:"loads,omitempty"`    // sorted by model, variant and slice
	Services map[fleet.ModelName]ServiceTime `json:"services,omitempty"` // of streaming models of requests
	// Loading tells since when pending replicas were seen with nothing to wait for but
	// their own start.
	Loading map[fleet.ReplicaID]time.Time `json:"loading,omitempty"`
}

// LoadTime is how long replicas of a build took to serve on a kind of slice, from when
// they had their place.
type LoadTime struct {
	Model fleet.ModelName `json:"model"`
	Place fleet.Place     `json:"place"`
	Delays
}

// Lead is the lead time of an offering: as learnt, else as the catalog has it.
func (l Learnt) Lead(o fleet.Offering) fleet.Delay {
	if known, ok := l.Leads[o.Name]; ok {
		return known.Delay
	}
	return leadOf(o)
}

// leadOf is the lead time of an offering as the catalog has it, as one.
func leadOf(o fleet.Offering) fleet.Delay { return fleet.Delay{P50: o.Lead.P50(), P95: o.Lead.P95()} }

// Load is how long a variant of a model takes to load on a kind of slice: as learnt,
// else as its profile has it.
func (l Learnt) Load(m fleet.ModelName, v fleet.VariantName, kind fleet.SliceKind, prior fleet.Delay) fleet.Delay {
	if i, ok := l.load(m, fleet.Place{Variant: v, Kind: kind}); ok {
		return l.Loads[i].Delay
	}
	return prior
}

func (l Learnt) load(m fleet.ModelName, at fleet.Place) (int, bool) {
	return slices.BinarySearchFunc(l.Loads, at, func(x LoadTime, at fleet.Place) int {
		return cmp.Or(cmp.Compare(x.Model, m), cmp.Compare(x.Place.Variant, at.Variant), x.Place.Kind.Compare(at.Kind))
	})
}

// learn takes in a snapshot, whose time is now. What it changes it copies before, since
// records hold it.
func (l *Learnt) learn(s Settings, in Inputs) {
	l.learnLeads(s.Catalog, in)
	l.learnLoads(s, in)
	l.learnServices(s, in)
}

// learnLeads takes in the nodes that became ready, and those that did not yet. Nodes of
// somebody else's were not asked for here, and what left before it was ready says
// nothing: it may never have been meant to come.
func (l *Learnt) learnLeads(c fleet.Catalog, in Inputs) {
	over, underWay := map[fleet.OfferingName][]ended{}, map[fleet.OfferingName][]time.Duration{}
	for _, n := range in.Snapshot.Nodes {
		switch {
		case n.Fixed || n.RequestedAt.IsZero():
		case !n.ReadyAt.IsZero():
			over[n.Offering] = append(over[n.Offering], ended{at: n.ReadyAt, took: max(0, n.ReadyAt.Sub(n.RequestedAt))})
		case n.State == fleet.NodeStarting:
			underWay[n.Offering] = append(underWay[n.Offering], in.Now.Sub(n.RequestedAt))
		}
	}
	known := l.Leads
	l.Leads = make(map[fleet.OfferingName]Delays, len(known))
	for _, o := range c.Offerings {
		d, any := known[o.Name]
		if any || len(over[o.Name])+len(underWay[o.Name]) > 0 {
			l.Leads[o.Name] = d.learn(leadOf(o), inOrder(over[o.Name]), underWay[o.Name])
		}
	}
}

// inOrder sorts starts by when they ended.
func inOrder(over []ended) []ended {
	slices.SortStableFunc(over, func(a, b ended) int { return a.at.Compare(b.at) })
	return over
}

// build is a build of a model on a kind of slice.
type build struct {
	model fleet.ModelName
	at    fleet.Place
}

// learnLoads takes in the replicas that came to serve, and those that have a place that
// is ready for them and do not serve yet.
func (l *Learnt) learnLoads(s Settings, in Inputs) {
	over, underWay := map[build][]ended{}, map[build][]time.Duration{}
	loading := map[fleet.ReplicaID]time.Time{}
	for _, r := range in.Snapshot.Replicas {
		n, there := in.Snapshot.Node(r.Slice.GPU.Node)
		kind, cut := n.Kind(r.Slice)
		if !there || !cut {
			continue
		}
		b := build{r.Model, fleet.Place{Variant: r.Variant, Kind: kind}}
		switch e, is := loaded(r); {
		case is:
			over[b] = append(over[b], e)
		case r.State == fleet.ReplicaPending && n.State == fleet.NodeReady && !n.GPUs[r.Slice.GPU.Index].Reshaping:
			since, ok := l.Loading[r.ID]
			if !ok {
				since = in.Now
			}
			loading[r.ID] = since
			underWay[b] = append(underWay[b], in.Now.Sub(since))
		}
	}
	l.Loading = loading
	var out []LoadTime
	for _, m := range s.Policy.Models {
		for i := range m.Profile.Variants {
			v := &m.Profile.Variants[i]
			for j := range v.Slices {
				b := build{m.Name, fleet.Place{Variant: v.Name, Kind: v.Slices[j].Kind}}
				t := LoadTime{Model: b.model, Place: b.at}
				k, known := l.load(b.model, b.at)
				if known {
					t = l.Loads[k]
				}
				if known || len(over[b])+len(underWay[b]) > 0 {
					t.Delays = t.learn(v.Slices[j].Load, inOrder(over[b]), underWay[b])
					out = append(out, t)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b LoadTime) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Place.Variant, b.Place.Variant), a.Place.Kind.Compare(b.Place.Kind))
	})
	l.Loads = out
}

// loaded is when a replica that serves came to, and how long its start took once it had
// its place; false where its stages do not say. Waiting for a place is no part of it.
func loaded(r fleet.Replica) (ended, bool) {
	if r.State != fleet.ReplicaReady || len(r.Stages) == 0 || r.Stages[len(r.Stages)-1].Name != "load" {
		return ended{}, false
	}
	e := ended{at: r.Stages[len(r.Stages)-1].Ended}
	for _, stage := range r.Stages {
		if stage.Name != "schedule" {
			e.took += stage.Took()
		}
	}
	return e, true
}
