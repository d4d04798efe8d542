package peer

import (
	"math"
	"time"
)

// horizontal is one HorizontalPodAutoscaler without its metric: what the
// controller does between a proposal and the scale it writes. Source: Kubernetes
// documentation, "Horizontal Pod Autoscaling" (configurable scaling behavior,
// default behavior), and pkg/controller/podautoscaler of v1.32.
//
// A proposal is first stabilised: going up, the lowest proposal of the up window is
// taken, going down the highest of the down window. Then its rate is limited: over
// any period it may add the larger of a share and a number of what was there at
// the period's beginning, and take away a share of it.
type horizontal struct {
	least, most int
	up, down    rules

	begun         bool
	proposals     []proposal
	grown, shrunk []change
}

// rules are the behaviour in one direction. The larger change of the two wins.
type rules struct {
	window  time.Duration // of stabilisation
	percent float64       // of the replicas at the beginning of a period
	pods    float64       // added in a period; for growth only
}

// ratePeriod is periodSeconds of the default policies.
const ratePeriod = 15 * time.Second

type proposal struct {
	at       time.Time
	replicas int
}

type change struct {
	at time.Time
	by int
}

// reconcile turns a proposal into the replicas to ask for, Keep where nothing is to
// be changed. propose says false when its metric is not known: nothing is done and
// nothing remembered. A Deployment at zero that may not be at zero was switched
// off by somebody, and stays. What there is at the first look counts as a proposal.
func (h *horizontal) reconcile(now time.Time, current int, propose func() (int, bool)) int {
	if !h.begun {
		h.begun, h.proposals = true, []proposal{{at: now, replicas: current}}
	}
	var desired int
	switch {
	case current == 0 && h.least > 0:
		return Keep
	case current > h.most:
		desired = h.most
	case current < h.least:
		desired = h.least
	default:
		proposed, known := propose()
		if !known {
			return Keep
		}
		desired = h.limit(now, current, h.stabilise(now, current, proposed))
	}
	if desired == current {
		return Keep
	}
	h.remember(now, desired-current)
	return desired
}

// stabilise applies the windows.
func (h *horizontal) stabilise(now time.Time, current, proposed int) int {
	lowest, highest := proposed, proposed
	kept := h.proposals[:0]
	longest := max(h.up.window, h.down.window)
	for _, p := range h.proposals {
		age := now.Sub(p.at)
		if age < h.up.window {
			lowest = min(lowest, p.replicas)
		}
		if age < h.down.window {
			highest = max(highest, p.replicas)
		}
		if age < longest {
			kept = append(kept, p)
		}
	}
	h.proposals = append(kept, proposal{at: now, replicas: proposed})
	return min(max(current, lowest), highest)
}

// limit applies the rates and the bounds.
func (h *horizontal) limit(now time.Time, current, desired int) int {
	began := float64(current - sum(now, h.grown) + sum(now, h.shrunk)) // at the beginning of the period
	switch {
	case desired > current:
		ceiling := math.Max(math.Ceil(began*(1+h.up.percent/100)), began+h.up.pods)
		return min(desired, max(current, int(ceiling)), h.most)
	case desired < current:
		floor := began * (1 - math.Min(h.down.percent, 100)/100)
		return max(desired, min(current, int(floor)), h.least)
	}
	return desired
}

// remember keeps a change for as long as a period.
func (h *horizontal) remember(now time.Time, by int) {
	if by > 0 {
		h.grown = append(recent(now, h.grown), change{at: now, by: by})
	} else {
		h.shrunk = append(recent(now, h.shrunk), change{at: now, by: -by})
	}
}

func recent(now time.Time, list []change) []change {
	kept := list[:0]
	for _, c := range list {
		if now.Sub(c.at) < ratePeriod {
			kept = append(kept, c)
		}
	}
	return kept
}

func sum(now time.Time, list []change) int {
	total := 0
	for _, c := range list {
		if now.Sub(c.at) < ratePeriod {
			total += c.by
		}
	}
	return total
}

// limitParameters are those of the behaviour and the tolerance, with the defaults
// of autoscaling/v2.
var limitParameters = []Parameter{
	{Name: "tolerance", Default: 0.1, Try: []float64{0, 0.1}, Why: "share by which the metric may miss its target before anything is done"},
	{Name: "up-window", Default: 0, Try: []float64{0, 60, 120}, Why: "seconds of which the lowest proposal counts, going up (behavior.scaleUp.stabilizationWindowSeconds)"},
	{Name: "down-window", Default: 300, Try: []float64{300, 600, 1200, 1800}, Why: "seconds of which the highest proposal counts, going down (behavior.scaleDown.stabilizationWindowSeconds)"},
	{Name: "up-percent", Default: 100, Try: []float64{100}, Why: "of the replicas that may be added in 15 s"},
	{Name: "up-pods", Default: 4, Try: []float64{4, 16}, Why: "replicas that may be added in 15 s, if that is more"},
	{Name: "down-percent", Default: 100, Try: []float64{10, 100}, Why: "of the replicas that may be taken away in 15 s"},
}

// horizontal makes the HPA of a model.
func (a about) horizontal(v View) *horizontal {
	m := v.Model.Name
	h := &horizontal{
		up:   rules{window: a.seconds("up-window", m), percent: a.of("up-percent", m), pods: a.of("up-pods", m)},
		down: rules{window: a.seconds("down-window", m), percent: a.of("down-percent", m)},
	}
	h.least, h.most = a.setup.bounds(v.Model)
	return h
}
