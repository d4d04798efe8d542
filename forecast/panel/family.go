package panel

import (
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// A Family forecasts its members together. Its forecasters are used by one goroutine
// at a time.
type Family struct {
	step    time.Duration
	sums    *sums
	total   forecast.Forecaster
	members []*member

	at    time.Time // of the newest round of forecasts
	leads []time.Duration
	round int
}

// NewFamily makes a family without members. The forecaster of its total is taught what
// all of them saw together, in bins of a step.
func NewFamily(step time.Duration, total forecast.Forecaster) *Family {
	return &Family{step: step, sums: newSums(step), total: total}
}

// member is one series of the family, and is a Forecaster.
type member struct {
	family *Family
	own    forecast.Forecaster
	share  share
	trust  trust
	newest int64 // bin that was observed
	seen   bool  // there is one

	path  forecast.Path
	fresh bool // the path was not given away yet
	round int  // in which it was asked last
}

// Join adds a member with a forecaster of its own, and returns the one that forecasts
// it within the family. A member that is no longer asked for forecasts leaves.
func (f *Family) Join(own forecast.Forecaster) forecast.Forecaster {
	m := &member{family: f, own: own, round: f.round, share: newShare(f.step)}
	f.members = append(f.members, m)
	return m
}

// Observe teaches the member's own forecaster and the total.
func (m *member) Observe(o forecast.Observation) error {
	if err := m.own.Observe(o); err != nil {
		return err
	}
	bin := m.family.sums.bin(o.At)
	if m.seen && bin <= m.newest {
		return nil // the own forecaster took a clock that went back; the sums do not
	}
	m.newest, m.seen = bin, true
	m.trust.mature(bin, o.Value, o.Known)
	if o.Known {
		m.share.learn(bin, o.Value)
		m.family.sums.add(bin, o.Value, m.share.level)
	}
	return nil
}

// Forecast answers with the member's part of what the family forecasts together.
func (m *member) Forecast(now time.Time, leads []time.Duration) forecast.Path {
	f := m.family
	if !m.fresh || !f.at.Equal(now) || !slices.Equal(f.leads, leads) {
		f.forecast(now, leads)
	}
	m.round, m.fresh = f.round, false // its slices are the caller's from now on
	return m.path
}

// forecast makes the paths of all members.
func (f *Family) forecast(now time.Time, leads []time.Duration) {
	if f.round == 0 || !f.at.Equal(now) {
		f.members = slices.DeleteFunc(f.members, func(m *member) bool { return m.round < f.round })
		f.round++
	}
	f.at, f.leads = now, slices.Clone(leads)
	if len(f.members) < 2 {
		for _, m := range f.members {
			m.path, m.fresh = m.own.Forecast(now, leads), true
		}
		return
	}
	f.teachTotal()
	total := f.total.Forecast(now, leads)
	for _, m := range f.members {
		own, lent := m.own.Forecast(now, leads), m.share.of(total, f)
		m.trust.issue(f.sums, now, own, lent)
		m.path, m.fresh = m.trust.mix(own, lent), true
	}
	if total.Basis == forecast.BasisSeasonal {
		reconcile(f.members, total)
	}
}

// level is what all members together see on average.
func (f *Family) level() float64 {
	sum := 0.0
	for _, m := range f.members {
		sum += m.share.level
	}
	return sum
}

// teachTotal gives the total's forecaster the bins that came in since the last round.
func (f *Family) teachTotal() {
	newest, seen := int64(0), false
	for _, m := range f.members {
		if m.seen && (!seen || m.newest > newest) {
			newest, seen = m.newest, true
		}
	}
	if !seen {
		return
	}
	f.sums.since(newest, len(f.members), f.level(), func(o forecast.Observation) {
		// What the total's forecaster sets aside, such as a leap, it takes with the next bin.
		_ = f.total.Observe(o)
	})
}
