package control

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

const (
	// longMemory and shortMemory are the half-lives of what was missed: the long one is
	// what a service level is about, the short one sees that something is wrong now.
	longMemory  = 48 * time.Hour
	shortMemory = time.Hour
	// relaxEvery, tightenEvery and rescueEvery are the least times between two changes:
	// giving is slow, taking back is faster, and fastest while misses pile up.
	relaxEvery   = 2 * time.Hour
	tightenEvery = time.Hour
	rescueEvery  = 10 * time.Minute
	// leastCounted is how many misses the target must have allowed before the absence of
	// misses says anything.
	leastCounted = 5.0
	// leastLate is how many misses of the last hour are more than chance.
	leastLate = 3.0
	// seenAgain is the share of what is remembered that must come after a change before
	// more is given: quiet hours forgive everything.
	seenAgain = 0.15
	// settling is the time after the first look that says nothing: capacity is still
	// starting.
	settling = time.Hour
	// Shares of the error budget: below relaxed it is spent, above tightened it is
	// saved, if as it is sized now a model uses more than kept, or if all of it is spent;
	// above rescued in the last hour, or half of what can be, it is saved at once.
	relaxed, tightened, kept, rescued = 0.3, 0.7, 0.8, 5
	// tightest and loosest bound the notches: each doubles the share of requests that
	// sizing lets miss in the busiest minute.
	tightest, loosest = -4, 5
	// leastTarget is the lowest share within the SLO that a pool is sized for.
	leastTarget = 0.6
	// leastQuantile is the lowest quantile of demand that a pool is sized for.
	leastQuantile = 0.6
)

// ErrorBudget is how a model stands with the misses that its target allows. Sizing
// lets a share of requests miss in the busiest minute that is foreseen; most minutes are
// quieter, and the sizing of a batching server is an approximation. What was really
// missed says how far both are from the target, over days.
type ErrorBudget struct {
	Long    Missed    `json:"long"`
	Short   Missed    `json:"short"`
	Notch   int       `json:"notch"`            // by how many doublings sizing lets more miss than the target
	Since   Missed    `json:"since"`            // the newest change
	First   time.Time `json:"first,omitzero"`   // look
	At      time.Time `json:"at,omitzero"`      // of the newest look
	Changed time.Time `json:"changed,omitzero"` // when the notch last did
}

// Missed counts requests and those that were late or lost, recent ones counting more.
type Missed struct {
	Requests float64 `json:"requests"`
	Late     float64 `json:"late"`
}

func (m Missed) add(after, halfLife time.Duration, requests, late float64) Missed {
	fade := math.Exp2(-float64(after) / float64(halfLife))
	return Missed{Requests: m.Requests*fade + requests, Late: m.Late*fade + late}
}

// burnt is the share of the budget that was used; more than 1 is over it.
func (m Missed) burnt(target float64) float64 {
	if m.Requests == 0 {
		return 0
	}
	return m.Late / m.Requests / (1 - target)
}

// look takes what was seen since the last look, and changes the notch. What is not
// known changes nothing.
func (b ErrorBudget) look(now time.Time, target float64, arrivals, attainment fleet.Signal) ErrorBudget {
	after := now.Sub(b.At)
	if b.First.IsZero() {
		b.First = now
	}
	if b.At.IsZero() || after <= 0 || after > time.Hour || now.Sub(b.First) < settling {
		b.At = now
		return b
	}
	b.At = now
	rate, counted := arrivals.Read()
	share, judged := attainment.Read()
	if !counted || !judged || rate <= 0 {
		return b
	}
	requests := rate * after.Seconds()
	late := requests * (1 - min(max(share, 0), 1))
	b.Long = b.Long.add(after, longMemory, requests, late)
	b.Short = b.Short.add(after, shortMemory, requests, late)
	b.Since = Missed{b.Since.Requests + requests, b.Since.Late + late}
	return b.judge(now, target)
}

// judge changes the notch if what was missed asks for it.
func (b ErrorBudget) judge(now time.Time, target float64) ErrorBudget {
	long, short := b.Long.burnt(target), b.Short.burnt(target)
	held := now.Sub(b.Changed)
	wasteful := long > tightened && short > relaxed && b.Since.burnt(target) > kept
	switch {
	case short > min(rescued, 0.5/(1-target)) && b.Short.Late >= leastLate && held >= rescueEvery, (wasteful || long > 1) && held >= tightenEvery:
		b.change(max(b.Notch-1, tightest), now)
	case (long < relaxed || b.Notch < 0 && long < tightened) && short < tightened && b.Since.Requests >= max(leastCounted/(1-target), seenAgain*b.Long.Requests) && held >= relaxEvery:
		b.change(min(b.Notch+1, loosest), now)
	}
	return b
}

func (b *ErrorBudget) change(notch int, now time.Time) {
	b.Notch, b.Changed, b.Since, b.Short = notch, now, Missed{}, Missed{}
}

// target is the share within the SLO that a pool is sized for in the busiest minute.
func (b ErrorBudget) target(of float64) float64 {
	return max(1-(1-of)*math.Exp2(float64(b.Notch)), min(of, leastTarget))
}

// quantile is that of demand for which a pool is sized. Below zero it follows the notch
// slowly at first: a few misses are mended by sizing more closely, and only what that does not
// mend is a demand that jumps above its forecast.
func (b ErrorBudget) quantile(of float64) float64 {
	notches := float64(b.Notch) / 2
	if notches < 0 {
		notches *= -notches / 2
	}
	return max(1-(1-of)*math.Exp2(notches), min(of, leastQuantile))
}

// errorBudgets looks at what was missed of each streaming model and returns the
// settings with the targets that pools are sized for.
func (m *Memory) errorBudgets(s Settings, in Inputs) Settings {
	s.Policy.Models = slices.Clone(s.Policy.Models)
	s.Policy.Forecast.Models = slices.Clone(s.Policy.Forecast.Models)
	known := m.ErrorBudgets
	m.ErrorBudgets = make(map[fleet.ModelName]ErrorBudget, len(s.Policy.Models))
	for i := range s.Policy.Models {
		model := &s.Policy.Models[i]
		if model.Kind != fleet.Streaming || s.Policy.KeepsErrorBudget(model.Name) {
			continue
		}
		b := known[model.Name]
		if _, gives := m.pacedBy(model.Name); in.Pace == Planning && gives {
			b.At = in.Now // what is missed for a cap's sake says nothing about sizes
		} else if in.Pace == Planning {
			seen := in.Snapshot.Model(model.Name)
			b = b.look(in.Now, model.SLO.Target, fresh(s.Policy, seen.Arrivals), fresh(s.Policy, seen.Attainment))
		}
		m.ErrorBudgets[model.Name] = b
		model.SLO.Target = b.target(model.SLO.Target)
		if j, ok := s.Policy.Forecast.Find(model.Name); ok {
			q := &s.Policy.Forecast.Models[j].Quantile
			*q = b.quantile(*q)
		}
	}
	return s
}

func fresh(p policy.Policy, s fleet.Signal) fleet.Signal { return p.Signals.Fresh(s) }
