package policy

import (
	"fmt"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	// unitWindow is the trailing time over which the cost of work is counted, in whole
	// hours of the clock: a day, so that the idle hours of the night count in it.
	unitWindow = 24 * time.Hour
	// unitKnown is how much of it must be known before it says anything. What a fleet
	// costs while it starts is no price of its work.
	unitKnown = time.Hour
	// unitGap is the longest time between two looks for which the second speaks.
	unitGap = 5 * time.Minute
)

// UnitMeter counts what the work of a group, or of the fleet, cost over the trailing
// day. Time in which the work is unknown counts with neither its money nor its work,
// so that not knowing makes nothing look dear. Its state is plain data and can be
// recorded and restored. The zero meter has seen nothing.
type UnitMeter struct {
	At    time.Time  `json:"at,omitzero"` // of the newest look
	Hours []UnitHour `json:"hours,omitempty"`
	Cause string     `json:"cause,omitempty"` // why the newest look did not count
}

// UnitHour is what is known of an hour of the clock.
type UnitHour struct {
	Begin time.Time     `json:"begin"`
	Known time.Duration `json:"known"`
	Money fleet.Money   `json:"money"`
	Units float64       `json:"units"`
}

// Look counts the time since the look before it, at a rate of spending and of units a
// second that were served within their SLO. It returns a meter of its own.
func (m UnitMeter) Look(now time.Time, rate fleet.Rate, units fleet.Signal) UnitMeter {
	span := now.Sub(m.At)
	first := m.At.IsZero()
	m.At, m.Cause = now, ""
	hours := m.Hours
	m.Hours = nil
	for _, h := range hours {
		if h.Begin.After(now.Add(-unitWindow)) && !h.Begin.After(now) {
			m.Hours = append(m.Hours, h)
		}
	}
	served, known := units.Read()
	switch {
	case !known:
		m.Cause = units.Cause()
		return m
	case first || span <= 0 || span > unitGap:
		return m
	}
	begin := now.Truncate(time.Hour)
	if n := len(m.Hours); n == 0 || !m.Hours[n-1].Begin.Equal(begin) {
		m.Hours = append(m.Hours, UnitHour{Begin: begin, Money: fleet.Micros(0, rate.Hourly().Currency())})
	}
	h := &m.Hours[len(m.Hours)-1]
	h.Known += span
	h.Money = h.Money.Add(rate.For(span))
	h.Units += served * span.Seconds()
	return m
}

// Cost is what a thousand units cost over the trailing day. It is unknown while less
// than an hour of it is known, and where no unit was served: the cost of nothing is
// neither zero nor without bound.
func (m UnitMeter) Cost(group fleet.GroupName) fleet.UnitCost {
	var known time.Duration
	var money fleet.Money
	units := 0.0
	for _, h := range m.Hours {
		known, money, units = known+h.Known, money.Add(h.Money), units+h.Units
	}
	out := fleet.UnitCost{Group: group}
	switch {
	case known < unitKnown:
		out.Unknown = fmt.Sprintf("%s of the trailing day are known, and it takes %s", text(known.Truncate(time.Second)), text(unitKnown))
		if m.Cause != "" {
			out.Unknown += "; now " + m.Cause
		}
	case units <= 0:
		out.Unknown = "no unit was served within the SLO in the trailing day"
	default:
		out.Cost = fleet.Micros(int64(math.Round(math.Min(float64(money.Micros())/units*1000, 1e15))), money.Currency())
	}
	return out
}
