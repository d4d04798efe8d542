package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// CapCost is an estimate of what a cap cost a model in attainment: what was late or
// lost in the time in which the cap left the model short, beyond the model's share of
// that in all other time. Where several caps left it short at once, each counts all of
// it. Of sessions, seconds of media are counted in the place of requests.
type CapCost struct {
	Cap          string            `json:"cap"` // such as "$62.00 per hour"
	Group        fleet.GroupName   `json:"group,omitempty"`
	OnExceeded   policy.OnExceeded `json:"on_exceeded"`
	Model        string            `json:"model"`
	ShortSeconds float64           `json:"short_seconds"` // for which the model was short
	Judged       float64           `json:"judged"`        // requests that ended, or were lost, in it
	Missed       float64           `json:"missed"`        // of these, late or lost
	// MissedOtherwise is the share of them that is missed in all other time, zero where
	// there is none to compare with.
	MissedOtherwise float64 `json:"missed_share_otherwise"`
	// Points are percentage points of attainment lost while the model was short, and
	// PointsOfRun of the whole run; absent where nothing was judged.
	Points      *float64 `json:"points,omitempty"`
	PointsOfRun *float64 `json:"points_of_run,omitempty"`
	// Rise is the largest of the least rises of the cap, each of which would have
	// admitted a node that was refused; empty where none was.
	Rise   string     `json:"rise,omitempty"`
	Spells []CapSpell `json:"spells"`
}

// CapSpell is a time in which a cap left a model short.
type CapSpell struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Judged float64   `json:"judged"`
	Missed float64   `json:"missed"`
}

// spellGap is the longest pause within a spell.
const spellGap = 15 * time.Minute

// String tells the cost in a sentence, such as "the cap of $62.00 per hour cost
// transcribe-fr 0.80 points of attainment on Mon 14 Sep 10:00-11:20; $3.10 per hour
// more would have admitted each node that it refused".
func (c CapCost) String() string {
	whose := ""
	if c.Group != "" {
		whose = " for " + string(c.Group)
	}
	points := "nothing"
	if c.Points != nil && *c.Points >= 0.005 {
		points = fmt.Sprintf("%.2f points of attainment", *c.Points)
	}
	text := fmt.Sprintf("the cap of %s%s cost %s %s %s", c.Cap, whose, c.Model, points, c.when())
	if c.Rise != "" {
		text += fmt.Sprintf("; %s more would have admitted each node that it refused", c.Rise)
	}
	return text
}

// when tells the spells: the one there is, or how many and the worst.
func (c CapCost) when() string {
	if len(c.Spells) == 0 {
		return ""
	}
	worst := slices.MaxFunc(c.Spells, func(a, b CapSpell) int { return cmp.Compare(a.Missed, b.Missed) })
	text := worst.From.UTC().Format("Mon 2 Jan 15:04") + "-" + worst.To.UTC().Format("15:04")
	if worst.To.Sub(worst.From) >= 24*time.Hour {
		text = worst.From.UTC().Format("Mon 2 Jan 15:04") + " to " + worst.To.UTC().Format("Mon 2 Jan 15:04")
	}
	if len(c.Spells) == 1 {
		return "on " + text
	}
	return fmt.Sprintf("in %d spells of %.0f minutes in all, the worst on %s", len(c.Spells), c.ShortSeconds/60, text)
}

// capWatch counts, tick by tick, what becomes of models that caps leave short.
type capWatch struct {
	world  *World
	every  time.Duration // between two planning ticks
	at     time.Time     // of the newest tick
	counts []outcome     // by model, since the start, at the newest tick
	free   []outcome     // by model, while no cap left it short
	cases  []*capCase    // in order of their first appearance
}

// capCase is a cap and a model.
type capCase struct {
	budget policy.Budget
	model  int
	until  time.Time // for so long what ends is still due to the shortness
	rise   fleet.Money
	spells []spell
	judged outcome
	lasted time.Duration
}

// spell is a CapSpell in the making.
type spell struct {
	from, to time.Time
	outcome  outcome
}

func newCapWatch(w *World, p policy.Policy) *capWatch {
	return &capWatch{world: w, every: p.Ticks.Plan, counts: make([]outcome, len(w.models)), free: make([]outcome, len(w.models))}
}

// tick counts the time since the tick before, and takes in what this one says.
func (c *capWatch) tick(at time.Time, record control.Record) {
	c.count(at)
	for _, short := range record.Capped {
		m := c.world.byModel[short.Model]
		if m == nil {
			continue
		}
		k := c.find(short.Budget, int(m.index))
		// What comes while the model is short misses within its limit, if it does.
		k.until = at.Add(c.every + m.SLO.Limit)
		if k.rise.Currency() == "" || k.rise.Less(short.Rise) {
			k.rise = short.Rise
		}
	}
}

// count divides what ended since the newest tick among the cases that were open.
func (c *capWatch) count(now time.Time) {
	if now.Equal(c.at) {
		return
	}
	for i, m := range c.world.models {
		m.minutes.roll(c.world.now)
		sum := m.minutes.soFar(c.world.now)
		since := outcome{all: sum.all - c.counts[i].all, inSLO: sum.inSLO - c.counts[i].inSLO}
		c.counts[i] = sum
		capped := false
		for _, k := range c.cases {
			if k.model == i && k.until.After(c.at) {
				k.add(c.at, now, since)
				capped = true
			}
		}
		if !capped {
			c.free[i].all, c.free[i].inSLO = c.free[i].all+since.all, c.free[i].inSLO+since.inSLO
		}
	}
	c.at = now
}

// find is the case of a cap and a model.
func (c *capWatch) find(b policy.Budget, model int) *capCase {
	for _, k := range c.cases {
		if k.budget == b && k.model == model {
			return k
		}
	}
	c.cases = append(c.cases, &capCase{budget: b, model: model})
	return c.cases[len(c.cases)-1]
}

// add counts a time in which the model was short.
func (k *capCase) add(from, to time.Time, o outcome) {
	if n := len(k.spells); n == 0 || from.Sub(k.spells[n-1].to) > spellGap {
		k.spells = append(k.spells, spell{from: from})
	}
	s := &k.spells[len(k.spells)-1]
	s.to = to
	s.outcome = outcome{s.outcome.all + o.all, s.outcome.inSLO + o.inSLO}
	k.judged = outcome{k.judged.all + o.all, k.judged.inSLO + o.inSLO}
	k.lasted += to.Sub(from)
}

// costs sums up, the dearest first.
func (c *capWatch) costs(end time.Time) []CapCost {
	c.count(end)
	var out []CapCost
	for _, k := range c.cases {
		out = append(out, c.cost(k))
	}
	slices.SortStableFunc(out, func(a, b CapCost) int {
		return cmp.Compare(b.Missed-b.Judged*b.MissedOtherwise, a.Missed-a.Judged*a.MissedOtherwise)
	})
	return out
}

// cost sums up one case.
func (c *capWatch) cost(k *capCase) CapCost {
	m := c.world.models[k.model]
	unit := 1.0
	if m.sessions {
		unit = 1000 // outcomes are in milliseconds
	}
	share := func(o outcome) float64 {
		if o.all == 0 {
			return 0
		}
		return float64(o.all-o.inSLO) / float64(o.all)
	}
	out := CapCost{
		Cap: k.budget.Describe(k.budget.Amount), Group: k.budget.Group, OnExceeded: k.budget.OnExceeded, Model: string(m.Name),
		ShortSeconds: k.lasted.Seconds(), Judged: float64(k.judged.all) / unit, Missed: float64(k.judged.all-k.judged.inSLO) / unit,
		MissedOtherwise: share(c.free[k.model]),
	}
	if k.judged.all > 0 {
		beyond := max(0, share(k.judged)-out.MissedOtherwise)
		out.Points = new(100 * beyond)
		out.PointsOfRun = new(100 * beyond * float64(k.judged.all) / float64(c.counts[k.model].all))
	}
	if k.rise.Micros() > 0 {
		out.Rise = k.budget.Describe(k.rise)
	}
	for _, s := range k.spells {
		out.Spells = append(out.Spells, CapSpell{
			From: s.from, To: s.to, Judged: float64(s.outcome.all) / unit, Missed: float64(s.outcome.all-s.outcome.inSLO) / unit,
		})
	}
	return out
}
