package policy

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Period is what a budget is for.
type Period string

// The periods. An hour's budget caps the rate of spending; those of a day and a
// month, in UTC, cap what was spent in it plus what is committed. A budget per
// thousand units of work caps what the work that was served within its SLO cost over
// the trailing day.
const (
	Hour          Period = "hour"
	Day           Period = "day"
	Month         Period = "month"
	ThousandUnits Period = "thousand-units"
)

// Values lists the periods.
func (Period) Values() []string {
	return []string{string(Hour), string(Day), string(Month), string(ThousandUnits)}
}

// OnExceeded is what a budget does at its cap.
type OnExceeded string

// The behaviours at a cap.
const (
	Alert OnExceeded = "alert" // spend, and say so
	Hold  OnExceeded = "hold"  // no step may raise what is committed above it
	Shed  OnExceeded = "shed"  // hold, and withdraw replicas in the order of ShedOrder
)

// Values lists the behaviours.
func (OnExceeded) Values() []string { return []string{string(Alert), string(Hold), string(Shed)} }

// Budget caps the money of the fleet or of one group.
type Budget struct {
	Per        Period          `json:"per"`
	Amount     fleet.Money     `json:"amount"`
	Group      fleet.GroupName `json:"group,omitempty"` // empty for the whole fleet
	OnExceeded OnExceeded      `json:"on_exceeded"`
	Unit       string          `json:"unit,omitempty"` // of the work, where the budget is per thousand units
}

// Hard tells whether the cap may refuse a step.
func (b Budget) Hard() bool { return b.OnExceeded != Alert }

// String prints the cap, such as "$120.00 per hour for meetings".
func (b Budget) String() string {
	text := b.Describe(b.Amount)
	if b.Group != "" {
		text += " for " + string(b.Group)
	}
	return text
}

// Describe prints an amount as the budget counts, such as "$120.00 per hour" or
// "$0.3000 per thousand tokens".
func (b Budget) Describe(m fleet.Money) string {
	if b.Per == ThousandUnits {
		return fmt.Sprintf("%s per thousand %ss", m.DescribeFine(), cmp.Or(b.Unit, "unit"))
	}
	return fmt.Sprintf("%s per %s", m.Describe(), b.Per)
}

// Paced tells whether the cap is one of a day or a month that may refuse a step, which
// the least valuable work gives way for before it is reached.
func (b Budget) Paced() bool { return b.Hard() && (b.Per == Day || b.Per == Month) }

// accrued is what was spent so far in the budget's period; an hour's budget looks
// at the rate alone.
func (b Budget) accrued(s fleet.Spend) fleet.Money {
	day, month := b.spent(s)
	switch b.Per {
	case Day:
		return day
	case Month:
		return month
	default:
		return fleet.Money{}
	}
}

// Today splits what was spent so far in the period of a day's or a month's budget into
// what was spent before today, UTC, and today.
func (b Budget) Today(s fleet.Spend) (before, today fleet.Money) {
	day, _ := b.spent(s)
	return b.accrued(s).Sub(day), day
}

// End is when the period of a day's or a month's budget ends, UTC.
func (b Budget) End(now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	if b.Per == Month {
		return time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
}

// spent is what was spent by whom the budget speaks of in the day and the month.
func (b Budget) spent(s fleet.Spend) (day, month fleet.Money) {
	day, month = s.Day, s.Month
	if b.Group != "" {
		day, month = fleet.Money{}, fleet.Money{}
		for _, g := range s.Groups {
			if g.Group == b.Group {
				day, month = g.Day, g.Month
			}
		}
	}
	return day, month
}

// committed is what a node adds to the budget when its price is paid, or reserved,
// for so long. A budget per thousand units counts the rate of spending, which may not
// rise while it is exceeded.
func (b Budget) committed(price fleet.Rate, reserved time.Duration) fleet.Money {
	if b.Per == Hour || b.Per == ThousandUnits {
		return price.Hourly()
	}
	return price.For(reserved)
}

// share is the part of a node's money that falls to the budget's group.
func (b Budget) share(m fleet.Money, groups []fleet.GroupWeight) fleet.Money {
	if b.Group == "" {
		return m
	}
	var own, all int64
	for _, g := range groups {
		all += g.Slices
		if g.Group == b.Group {
			own += g.Slices
		}
	}
	if own == 0 {
		return fleet.Micros(0, m.Currency())
	}
	return m.Share(own, all)
}
