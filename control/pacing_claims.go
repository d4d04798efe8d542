package control

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// price is a model with what its demand costs, in units of the currency an hour.
type price struct {
	model fleet.Model
	each  float64   // a request
	floor float64   // an hour of its fewest replicas
	hours []float64 // requests a second in the hours of today that are left
	day   []float64 // in a whole day
	later float64   // in those of the days after
	waits float64   // requests whose turn has not come
	worth float64   // of what a unit of money serves
	fixed bool      // somebody holds it, so that it cannot give way
}

// at is what an hour with a rate costs, or one in which the model gives way.
func (p price) at(rate float64, yields bool) float64 {
	if yields && !p.fixed {
		return p.floor
	}
	return max(p.floor, p.each*3600*rate)
}

// priced prices the demand of the models that a cap speaks of.
func (d *decider) priced(b policy.Budget) []price {
	var out []price
	left := int(math.Ceil(tomorrow(d.in.Now).Sub(d.in.Now).Hours()))
	for i, m := range d.asked.Policy.Models {
		if !concerns(b, m) {
			continue
		}
		e, gone, foreseen := d.memory.Outlook.of(m.Name, d.in.Now)
		if !foreseen {
			e, gone = constant(m.Name, d.needs[i].Lead), 0
		}
		each, floor, ok := d.asked.Policy.Price(d.sizer, d.asked.Catalog, m, e.Peak)
		if !ok {
			continue
		}
		_, held := d.in.Snapshot.Held(m.Name)
		out = append(out, price{
			model: m, each: each / 1e6, floor: floor.Hourly().Float(), day: e.Day, hours: e.Day[gone:min(gone+left, len(e.Day))], later: e.Mean,
			waits: known(d.asked.Policy.Signals.Fresh(d.in.Snapshot.Model(m.Name).Backlog)), fixed: held,
			worth: rounded(d.asked.Policy.Worth(d.sizer, d.asked.Catalog, m) / max(each, 1e-6)),
		})
	}
	return out
}

// claims are what the models ask of the rest of today, with what a fleet costs over the
// price of demand, and what all of them ask of the days after it until the end of the period.
func (d *decider) claims(models []price, p Pacing) (claims []policy.Claim, later fleet.Money) {
	now := d.in.Now
	midnight := tomorrow(now)
	sum, days := 0.0, p.Budget.End(now).Sub(midnight).Hours()
	mean := 0.0 // an hour of the day
	for _, m := range models {
		for _, demand := range m.day {
			mean += m.at(demand, false) / float64(len(m.day))
		}
	}
	over := p.overhead(mean)
	for _, m := range models {
		cost, floor := m.each*m.waits, 0.0
		for i, demand := range m.hours {
			part := 1.0 // of the hour is left
			if i == 0 {
				part = 1 - now.Sub(now.Truncate(time.Hour)).Hours()
			}
			cost += part * m.at(demand, false)
			floor += part * m.at(demand, true)
		}
		sum += m.at(m.later, false) * days
		claims = append(claims, policy.Claim{
			Model: m.model.Name, Async: m.model.Kind == fleet.Async, Worth: m.worth,
			Cost: d.money(over * cost), Floor: d.money(over * floor),
		})
	}
	return claims, d.money(over * sum)
}

// money is an amount of units of the currency, bounded so that sums of thousands fit.
func (d *decider) money(units float64) fleet.Money {
	return fleet.Micros(int64(math.Min(units*1e6, 1e15)), d.settings.Policy.Currency)
}
