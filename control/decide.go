package control

import (
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// Decision is what a tick concludes.
type Decision struct {
	Plan   fleet.Plan
	Needs  []Need   // sorted by model
	Capped []Capped // models that caps leave short, on planning ticks
	Memory Memory
}

// Decide turns what is known into a plan. It is a pure function: the same
// settings and inputs give the same plan to the byte. A fast tick only starts
// replicas on warm slices. The sizer is a cache and changes no answer.
func Decide(s Settings, sizer *policy.Sizer, in Inputs) (Decision, error) {
	in.Snapshot = sorted(in.Snapshot)
	memory := in.Memory.carry(s.Policy, in.Snapshot)
	memory.meterUnits(s, in)
	in.Snapshot.Spend.UnitCosts = memory.UnitCosts()
	d := &decider{
		asked: s, settings: s, sizer: sizer, in: in,
		memory: memory, view: in.Snapshot.Clone(),
		afford: map[fleet.OfferingName]int{}, promised: map[fleet.OfferingName][]promised{}, anew: map[fleet.GroupName]fleet.Rate{},
		plan: fleet.Plan{ID: planID(in.Now), At: in.Now},
	}

	d.memory.Learnt.learn(s, in)
	d.memory.Losses = d.memory.Losses.look(in.Snapshot, in.Now)
	d.memory.Progress = d.memory.Progress.look(s, in)
	d.horizons = horizonsOf(s, d.memory.Learnt)
	d.settings = d.memory.Learnt.lengthen(d.memory.errorBudgets(s, in))

	// 3. Size: what each model needs, and what it has.
	d.memory.Blind.Observe(s.Policy, in.Snapshot)
	d.size()
	if err := d.shed(); err != nil {
		return Decision{}, err
	}

	if err := d.pace(); err != nil {
		return Decision{}, err
	}

	// 4. Pack: cover what is missing, then give back what is not worth its price.
	if err := d.cover(); err != nil {
		return Decision{}, err
	}
	if in.Pace == Planning {
		if err := d.giveBack(); err != nil {
			return Decision{}, err
		}
	}

	// 5. Guard: limits, budgets and unknowns have the last word.
	if len(d.plan.Steps) > 0 {
		admitted, held, err := s.Policy.Admit(s.Catalog, in.Snapshot, d.plan.Steps)
		if err != nil {
			return Decision{}, fmt.Errorf("guard: %w", err)
		}
		d.plan.Steps = admitted
		d.plan.Held = append(d.plan.Held, held...)
	}
	d.memory.Losses.forget(d.plan.Steps)
	if in.Pace == Planning {
		d.plan.Held = append(d.plan.Held, d.theirs()...)
		d.plan.Held = append(d.plan.Held, d.paced()...)
		purse, err := policy.NewPurse(s.Policy, s.Catalog, in.Snapshot)
		if err != nil {
			return Decision{}, fmt.Errorf("count the money: %w", err)
		}
		for _, o := range purse.Overruns() {
			d.plan.Held = append(d.plan.Held, o.Reason())
		}
		d.plan.Held = append(d.plan.Held, purse.Blind()...)
		d.plan.Held = append(d.plan.Held, d.memory.Blind.Overdue(s.Policy, in.Now)...)
		for _, g := range d.memory.Progress.Stuck {
			d.plan.Held = append(d.plan.Held, g.reason())
		}
	}
	capped, err := d.capped()
	if err != nil {
		return Decision{}, err
	}
	return Decision{Plan: d.plan, Needs: d.needs, Capped: capped, Memory: d.memory}, nil
}

// sorted copies a snapshot in the order that its accessors rely on.
func sorted(s fleet.Snapshot) fleet.Snapshot {
	s = s.Clone()
	s.Models = slices.Clone(s.Models)
	s.Sort()
	return s
}

func planID(at time.Time) fleet.PlanID {
	return fleet.PlanID("plan-" + at.UTC().Format("20060102T150405Z"))
}

// decider is the state of one decision. The view is the snapshot as the steps
// planned so far would leave it.
type decider struct {
	asked    Settings // as people wrote them
	settings Settings // with the targets that are sized for, and with what was learnt
	sizer    *policy.Sizer
	in       Inputs
	horizons horizons
	memory   Memory
	view     fleet.Snapshot
	needs    []Need
	plan     fleet.Plan
	pools    pools // of the view; nil when the view changed

	afford       map[fleet.OfferingName]int // nodes that the caps leave room for, as far as counted
	unaffordable []fleet.Reason             // the caps that leave room for no more

	promised map[fleet.OfferingName][]promised // of slices, as far as weighed
	gives    map[fleet.ModelName]fleet.Reason  // models that give way so that a cap is not reached
	exceeds  []excess                          // of the caps that shed
	anew     map[fleet.GroupName]fleet.Rate    // prices of the cheapest fleets, as far as asked
}

// add plans a step as if it happened now. A step that does not fit the view is
// dropped with its cause; the next tick sees a fleet in which it may.
func (d *decider) add(step fleet.Step) bool {
	if err := step.Apply(&d.view); err != nil {
		d.plan.Held = append(d.plan.Held, fleet.Because(fleet.ReasonHeldStale, "subject", step.Describe(), "cause", err))
		return false
	}
	d.pools = nil
	d.plan.Steps = append(d.plan.Steps, step)
	return true
}

func (d *decider) models() []fleet.Model { return d.settings.Policy.Models }

// size fills in the needs of every model.
func (d *decider) size() {
	paths := map[fleet.ModelName]forecast.Path{}
	for _, f := range d.in.Forecasts {
		paths[f.Model] = f.Path
	}
	for _, m := range d.models() {
		need := d.need(m, paths[m.Name])
		need.Target, need.Quantile = m.SLO.Target, d.settings.Policy.Quantile(m.Name)
		need.Have = capacity(d.sizer, m, d.staying(m.Name))
		need.Ready = capacity(d.sizer, m, filter(d.servers(m.Name), server.ready))
		peaks, seen := d.memory.Peaks[m.Name]
		window := d.window(m)
		if !seen { // a loop that begins takes what runs to be right
			peaks.Add(d.in.Now, need.Have, window)
		}
		peaks.Add(d.in.Now, need.Lead, window)
		d.memory.Peaks[m.Name] = peaks
		need.Keep = max(need.Keep, peaks.Max())
		d.needs = append(d.needs, need)
	}
}

// need sizes one model's demand.
func (d *decider) need(m fleet.Model, path forecast.Path) Need {
	seen := d.in.Snapshot.Model(m.Name)
	if m.Profile.Sessions() {
		return sessionNeed(m, d.settings.Policy, path, seen, d.running(m.Name), d.horizons)
	}
	return needOf(m, d.settings.Policy, path, seen, d.horizons)
}

// free is no money, in the catalog's currency.
func (d *decider) free() fleet.Rate {
	return fleet.PerHour(fleet.Micros(0, d.settings.Catalog.Currency))
}

// rate prints a rate of requests for people.
func rate(v float64) string { return fmt.Sprintf("%.3g/s", v) }

// clock prints a time of day for people.
func clock(t time.Time) string { return t.UTC().Format("Mon 15:04") }
