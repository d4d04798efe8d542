package control

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Need is the capacity that a model must have, in requests or sessions a second.
type Need struct {
	Model fleet.ModelName `json:"model"`
	Now   float64         `json:"now"`  // at once
	Lead  float64         `json:"lead"` // at any time until new capacity could serve
	Keep  float64         `json:"keep"` // at any time until capacity bought now has earned its keep
	Have  float64         `json:"have"` // what runs or starts, and stays
	Ready float64         `json:"ready"`
	Basis string          `json:"basis"`          // what the forecast rests on
	Shed  float64         `json:"shed,omitempty"` // withdrawn for the budget
	// Target is the share within the SLO that pools are sized for in the busiest minute,
	// after what was missed lately, and Quantile that of demand.
	Target   float64 `json:"target"`
	Quantile float64 `json:"quantile"`
}

// horizons are the times up to which needs are looked at.
type horizons struct {
	load time.Duration // until a replica on a warm slice serves
	lead time.Duration // until a replica on a new node serves
	keep time.Duration // until a node bought now has earned its keep
	look time.Duration // for which demand is forecast: keep, longer for sessions, or the longest deadline
}

// keepFor is how long a new GPU is meant to be kept: shorter needs are served
// from what is there, or late.
const keepFor = 30 * time.Minute

// horizonsOf takes the slowest offering that may be bought and the slowest
// model, at their 0.95 quantiles as far as they are known, and the time between two plans.
func horizonsOf(s Settings, l Learnt) horizons {
	var node, load time.Duration
	for _, name := range s.Policy.Offerings {
		if o, ok := s.Catalog.Offering(name); ok {
			node = max(node, l.Lead(o).P95)
		}
	}
	var deadline time.Duration
	for _, m := range s.Policy.Models {
		if m.Kind == fleet.Async {
			deadline = max(deadline, m.SLO.Limit)
		}
		for i := range m.Profile.Variants {
			v := &m.Profile.Variants[i]
			if v.Accuracy < m.AccuracyFloor {
				continue
			}
			for j := range v.Slices {
				load = max(load, l.Load(m.Name, v.Name, v.Slices[j].Kind, v.Slices[j].Load).P95)
			}
		}
	}
	h := horizons{load: load + s.Policy.Ticks.Plan}
	h.lead = h.load + node
	h.keep = h.lead + keepFor
	h.look = max(h.keep, deadline)
	for _, m := range s.Policy.Models {
		h.look = max(h.look, h.keep+lingering(m))
	}
	return h
}

// backlogDrain is the time within which a backlog of a streaming model is to be
// worked off.
const backlogDrain = time.Minute

// needOf sizes the demand of a model of requests over the horizons. What is unknown does not
// enter: the forecast, which rests on what was known, stands in for it, and the
// guard lets nothing shrink meanwhile. A forecast that rests on nothing is a
// guess, and nothing is bought on a guess.
func needOf(m fleet.Model, p policy.Policy, path forecast.Path, seen fleet.ModelSignals, h horizons) Need {
	arrivals, backlog := known(p.Signals.Fresh(seen.Arrivals)), known(p.Signals.Fresh(seen.Backlog))
	n := Need{Model: m.Name, Basis: path.Basis}
	if path.Basis == forecast.BasisNone {
		path.Points = nil
	}
	q := p.Quantile(m.Name)
	if m.Kind == fleet.Async {
		return asyncNeed(m, p, path, arrivals, backlog, h)
	}
	n.Now = math.Max(arrivals, highestRate(path, q, bin, h.load)) + backlog/backlogDrain.Seconds()
	n.Lead = math.Max(n.Now, highestRate(path, q, bin, h.lead))
	n.Keep = math.Max(n.Lead, highestRate(path, q, bin, h.keep))
	return n
}

// known reads a signal, taking zero for what is unknown: only for sums that an
// unknown may leave lower because nothing is lowered by them.
func known(s fleet.Signal) float64 {
	if v, ok := s.Read(); ok {
		return v
	}
	return 0
}
