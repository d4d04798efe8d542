package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// check is one condition of a probe and whether it holds.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // the cause when it does not hold; else what else is worth knowing
	// Items are the parts of the detail, where there are several.
	Items []string `json:"items,omitempty"`
	World bool     `json:"-"` // somebody else's to mend
}

// Sentences are the details one by one.
func (c check) Sentences() []string {
	if len(c.Items) > 0 {
		return c.Items
	}
	return []string{c.Detail}
}

// verdict is the answer to a probe.
type verdict struct {
	Ready  bool    `json:"ready"`
	Checks []check `json:"checks"`
}

// readiness tells whether the service may be relied on: a policy is in force,
// ticks succeed, the newest good one is no older than staleAfter, demand is
// known of at least one model, the conditions of the world hold, and nobody
// withdrew the service. Of a process that stands by, no tick is due.
//
// A policy file that was refused does not make the service unready, because the
// one before it stays in force; the check says so. Nor does a failed tick as long
// as the last good one is fresh, nor a doubt, which harms nothing by itself.
func (g glance) readiness(staleAfter time.Duration) verdict {
	staleAfter = g.allowed(staleAfter)
	checks := []check{g.checkPolicy(), g.checkTick(), g.checkFresh(staleAfter), g.checkSignals(), g.checkDoubts()}
	if g.pulse.standby {
		checks = []check{{Name: "standby", OK: true, Detail: g.standingBy()}}
	}
	checks = append(append(checks, g.checks...), g.checkServing())
	v := verdict{Ready: true, Checks: checks}
	for _, c := range checks {
		v.Ready = v.Ready && c.OK
	}
	return v
}

// liveness tells whether the loop still moves: the newest tick, good or bad, is
// no older than stuckAfter, counted from the start of the process while there is
// none; while no tick is due, the newest sign of life counts. A loop whose ticks fail
// is alive: a restart would not mend its causes.
func (g glance) liveness(stuckAfter time.Duration) check {
	stuckAfter = g.allowed(stuckAfter)
	last, what := g.pulse.attempted, "the last tick was"
	if last.IsZero() {
		last, what = g.pulse.born, "there was no tick yet, the process began"
	}
	if g.pulse.beaten.After(last) {
		last, what = g.pulse.beaten, "no tick was due, the last sign of life was"
	}
	age := g.now.Sub(last)
	return check{
		Name: "loop", OK: age <= stuckAfter,
		Detail: fmt.Sprintf("%s %s ago; allowed are %s", what, span(age), span(stuckAfter)),
	}
}

// allowed is a time that a probe allows, and never less than three ticks.
func (g glance) allowed(d time.Duration) time.Duration { return max(d, 3*g.pulse.every) }

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

// checkDoubts lists what is wrong with what was seen.
func (g glance) checkDoubts() check {
	c := check{Name: "doubts", OK: true}
	if g.state == nil {
		return c
	}
	for _, d := range g.doubts() {
		c.Items = append(c.Items, sentence(d))
	}
	if n := len(c.Items); n > 0 {
		c.Detail = counted(n, "thing") + " to mend, which stops nothing else"
	}
	return c
}

// doubts are those of the newest snapshot that no check of the world says already.
func (g glance) doubts() []fleet.Doubt {
	return slices.DeleteFunc(slices.Clone(g.state.Record.Inputs.Snapshot.Doubts), func(d fleet.Doubt) bool {
		return slices.ContainsFunc(g.checks, func(c check) bool { return !c.OK && c.Name == d.Subject })
	})
}

// sentence says a doubt.
func sentence(d fleet.Doubt) string {
	text := d.Subject + ": " + d.Cause
	if d.Money {
		text += " (what is spent is not known in full, so that nothing is bought)"
	}
	return text
}

// standingBy says who leads.
func (g glance) standingBy() string {
	if g.pulse.leader == "" {
		return "this process looks on and leads when it gets the lease"
	}
	return g.pulse.leader + " leads; this process looks on and takes over when the lease is free"
}

func (g glance) checkServing() check {
	return check{Name: "serving", OK: g.pulse.withdrawn == "", Detail: g.pulse.withdrawn}
}
