package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// check is one condition of a probe and whether it holds.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // the cause when it does not hold; else what else is worth knowing
}

// verdict is the answer to a probe.
type verdict struct {
	Ready  bool    `json:"ready"`
	Checks []check `json:"checks"`
}

// readiness tells whether the service may be relied on: a policy is in force,
// ticks succeed, the newest good one is no older than staleAfter, demand is
// known of at least one model, and nobody withdrew the service.
//
// A policy file that was refused does not make the service unready, because the
// one before it stays in force; the check says so. Nor does a failed tick as long
// as the last good one is fresh.
func (g glance) readiness(staleAfter time.Duration) verdict {
	checks := []check{g.checkPolicy(), g.checkTick(), g.checkFresh(staleAfter), g.checkSignals(), g.checkServing()}
	v := verdict{Ready: true, Checks: checks}
	for _, c := range checks {
		v.Ready = v.Ready && c.OK
	}
	return v
}

// liveness tells whether the loop still moves: the newest tick, good or bad, is
// no older than stuckAfter, counted from the start of the process while there is
// none. A loop whose ticks fail is alive: a restart would not mend its causes.
func (g glance) liveness(stuckAfter time.Duration) check {
	last, what := g.pulse.attempted, "the last tick was"
	if last.IsZero() {
		last, what = g.pulse.born, "there was no tick yet, the process began"
	}
	age := g.now.Sub(last)
	return check{
		Name: "loop", OK: age <= stuckAfter,
		Detail: fmt.Sprintf("%s %s ago; allowed are %s", what, span(age), span(stuckAfter)),
	}
}

func (g glance) checkPolicy() check {
	c := check{Name: "policy"}
	switch {
	case g.state == nil:
		c.Detail = "no tick has used a policy yet"
	case g.state.PolicyLoadedAt.IsZero():
		c.Detail = "no policy was loaded"
	case g.state.PolicyError != "":
		c.OK = true
		c.Detail = "the newest policy was refused and the one before it stays in force: " + g.state.PolicyError
	default:
		c.OK = true
	}
	return c
}

func (g glance) checkTick() check {
	c := check{Name: "tick", OK: !g.pulse.succeeded.IsZero(), Detail: g.pulse.failure}
	if !c.OK && c.Detail == "" {
		c.Detail = "there was no tick yet"
	}
	return c
}

func (g glance) checkFresh(staleAfter time.Duration) check {
	c := check{Name: "fresh"}
	if g.pulse.succeeded.IsZero() {
		c.Detail = "no tick has succeeded yet"
		return c
	}
	age := g.now.Sub(g.pulse.succeeded)
	c.OK = age <= staleAfter
	c.Detail = fmt.Sprintf("the last good tick was %s ago; allowed are %s", span(age), span(staleAfter))
	return c
}

// checkSignals wants the demand of at least one model: without any, decisions
// rest on no measurement. The other signals are unknown in a fleet without
// traffic, so they are named and do not count.
func (g glance) checkSignals() check {
	c := check{Name: "signals", OK: true}
	if g.state == nil {
		c.OK, c.Detail = false, "nothing was measured yet"
		return c
	}
	var dark []string
	for _, s := range signalsOf(*g.state) {
		if s.counts[fleet.SignalUnknown] == 0 || s.known() > 0 {
			continue
		}
		dark = append(dark, fmt.Sprintf("%s (%s)", s.name, s.cause))
		if s.name == signalArrivals {
			c.OK = false
		}
	}
	if len(dark) > 0 {
		c.Detail = "unknown of every model: " + strings.Join(dark, ", ")
	}
	return c
}

func (g glance) checkServing() check {
	return check{Name: "serving", OK: g.pulse.withdrawn == "", Detail: g.pulse.withdrawn}
}
