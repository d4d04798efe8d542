package console

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// view is one moment as the page shows it and /api/state tells it. Its JSON names
// are read by other programs.
type view struct {
	Revision   uint64           `json:"revision"` // changes with everything below but readiness, which time alone may end
	Ready      bool             `json:"ready"`
	Published  bool             `json:"published"`
	At         time.Time        `json:"at,omitzero"` // the world's time
	World      string           `json:"world,omitempty"`
	Mode       string           `json:"mode,omitempty"`
	Standby    bool             `json:"standby,omitempty"` // another process leads
	Leader     string           `json:"leader,omitempty"`  // who, where this one stands by
	Pace       control.Pace     `json:"pace,omitempty"`
	Plan       fleet.PlanID     `json:"plan,omitempty"`
	Version    string           `json:"version,omitempty"`
	Tick       tickView         `json:"tick"`
	Policy     policyView       `json:"policy"`
	Money      moneyView        `json:"money"`
	Attainment attainmentView   `json:"attainment"`
	Nodes      []nodeView       `json:"nodes"`
	Models     []modelView      `json:"models"`
	Budgets    []funds          `json:"budgets"`
	Languages  []fleet.Language `json:"languages"`
	Decisions  []entry          `json:"decisions"` // newest first
	Holds      []fleet.Hold     `json:"holds,omitempty"`
	Doubts     []fleet.Doubt    `json:"doubts,omitempty"`
	Charts     charts           `json:"-"`
}

// tickView is how the loop runs, in wall-clock time.
type tickView struct {
	Succeeded   time.Time `json:"succeeded,omitzero"`
	TookSeconds float64   `json:"took_seconds,omitempty"`
	Error       string    `json:"error,omitempty"` // of the newest tick
	Withdrawn   string    `json:"not_ready,omitempty"`
}

// policyView is which policy is in force.
type policyView struct {
	Name     string    `json:"name,omitempty"`
	LoadedAt time.Time `json:"loaded_at,omitzero"`
	Error    string    `json:"error,omitempty"` // why the newest one was refused
}

// moneyView is spending now and so far.
type moneyView struct {
	PerHour *fleet.Rate `json:"per_hour,omitempty"` // absent while a price is missing
	Idle    *fleet.Rate `json:"idle_per_hour,omitempty"`
	Cause   string      `json:"unknown_because,omitempty"`
	Day     fleet.Money `json:"day"`
	Month   fleet.Money `json:"month"`
	// Who bears the spending an hour; absent while a price is missing.
	ByGroup    []spending `json:"by_group,omitempty"`
	ByLanguage []spending `json:"by_language,omitempty"`
}

// attainmentView is the share of work within its SLO over all models of which
// it is known, each weighed by its arrivals.
type attainmentView struct {
	Value  *float64        `json:"value,omitempty"` // absent when it is known of none
	Known  int             `json:"known"`           // models
	Models int             `json:"models"`
	Worst  fleet.ModelName `json:"worst,omitempty"`  // furthest below its target
	Misses int             `json:"below_target"`     // models below their target
	Lowest *float64        `json:"lowest,omitempty"` // attainment of the worst
}

// apiDecisions is how many decisions /api/state tells, pageDecisions how many the
// page shows unless all are asked for; the log keeps more than either.
const (
	apiDecisions  = 20
	pageDecisions = 40
)

// newView arranges a moment for readers, with so many decisions.
func newView(g glance, ready bool, decisions int) view {
	v := view{
		Revision: g.revision, Ready: ready, Version: g.build.Version, Published: g.state != nil,
		Standby: g.pulse.standby, Leader: g.pulse.leader,
		Tick:  tickView{Succeeded: g.pulse.succeeded, Error: g.pulse.failure, Withdrawn: g.pulse.withdrawn},
		Nodes: []nodeView{}, Models: []modelView{}, Budgets: []funds{}, Languages: []fleet.Language{}, Decisions: []entry{},
	}
	if g.state == nil {
		return v
	}
	s := *g.state
	v.At, v.World, v.Mode = s.Record.Inputs.Now, s.World, s.Mode
	v.Holds, v.Doubts = s.Record.Inputs.Snapshot.Holds, g.doubts()
	v.Pace, v.Plan = s.Record.Inputs.Pace, s.Record.Plan.ID
	v.Tick.TookSeconds = s.Took.Seconds()
	v.Policy = policyView{Name: s.Settings.Policy.Name, LoadedAt: s.PolicyLoadedAt, Error: s.PolicyError}
	v.Money = moneyOf(s)
	v.Attainment = overallAttainment(s)
	v.Languages = languagesOf(s.Settings.Policy.Models)
	v.Nodes = nodesOf(s)
	v.Models = modelsOf(s)
	if budgets, err := fundsOf(s); err == nil {
		v.Budgets = budgets
	}
	v.Decisions = append(v.Decisions, g.log.newest(decisions)...)
	return v
}

func moneyOf(s State) moneyView {
	spend := s.Record.Inputs.Snapshot.Spend
	m := moneyView{Day: spend.Day, Month: spend.Month}
	cost, err := outlayOf(s)
	if err != nil {
		m.Cause = err.Error()
		return m
	}
	m.PerHour, m.Idle = &cost.whole, &cost.idle
	if shares, err := spendersOf(s); err == nil {
		m.ByGroup = spendingBy(s, shares, func(m fleet.Model) fleet.GroupName { return m.Group })
		m.ByLanguage = spendingBy(s, shares, func(m fleet.Model) fleet.Language { return m.Language })
	}
	return m
}

// overallAttainment weighs by arrivals, and evenly where nothing arrives.
func overallAttainment(s State) attainmentView {
	var sum, weight, plain float64
	v := attainmentView{Models: len(s.Settings.Policy.Models)}
	worst := math.Inf(1)
	for _, m := range s.Settings.Policy.Models {
		signals := seen(s, m.Name)
		a, ok := signals.Attainment.Read()
		if !ok {
			continue
		}
		v.Known++
		plain += a
		if arrivals, ok := signals.Arrivals.Read(); ok {
			sum, weight = sum+a*arrivals, weight+arrivals
		}
		if a < m.SLO.Target {
			v.Misses++
		}
		if margin := a - m.SLO.Target; margin < worst {
			worst, v.Worst, v.Lowest = margin, m.Name, &a
		}
	}
	switch {
	case v.Known == 0:
		return v
	case weight > 0:
		sum /= weight
	default:
		sum = plain / float64(v.Known)
	}
	v.Value = &sum
	return v
}
