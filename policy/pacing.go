package policy

import (
	"cmp"
	"math"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Claim is what a model asks of the money that is left for the day.
type Claim struct {
	Model fleet.ModelName
	Async bool
	Worth float64     // of its work, for each unit of money that serving it costs
	Cost  fleet.Money // until the end of the day, if it is served
	Floor fleet.Money // the same, if it keeps its fewest replicas only
}

// paceMargin is the share by which what is worth more may come to cost more than
// expected: capacity that is given up is paid for until its node is free.
const paceMargin = 0.03

// GiveWay tells which models give way so that the day's money lasts for what is worth
// more, in the order of ShedOrder: asynchronous work first, then the least value for the
// money. A model gives way once the work that is worth more would not fit any more, and
// serves again as soon as it fits as well until the end of the day; between the two it
// goes on as before. So the least valuable work is served while nothing is at stake, and
// is the first to go. What is worth most never gives way: there is nothing to save for.
func GiveWay(claims []Claim, spent, allowed fleet.Money, before []fleet.ModelName) []fleet.ModelName {
	var models []fleet.ModelName
	claims = slices.Clone(claims)
	slices.SortFunc(claims, func(a, b Claim) int {
		return cmp.Or(first(a.Async, b.Async), cmp.Compare(a.Worth, b.Worth), cmp.Compare(a.Model, b.Model))
	})
	ahead := fleet.Money{} // if the models so far gave way
	for _, c := range claims {
		ahead = ahead.Add(c.Cost)
	}
	fits := func() bool {
		margin := fleet.Micros(int64(paceMargin*float64(ahead.Micros())), ahead.Currency())
		return !allowed.Less(spent.Add(ahead).Add(margin))
	}
	for i, c := range claims {
		served := fits()
		ahead = ahead.Sub(c.Cost).Add(c.Floor)
		if i == len(claims)-1 || !c.Floor.Less(c.Cost) {
			continue // nothing is worth more, or nothing would be saved
		}
		if !fits() || !served && slices.Contains(before, c.Model) {
			models = append(models, c.Model)
		}
	}
	return models
}

// ShadowPrice is the largest worth among the models that give way: the value that a unit
// of money brings elsewhere. It is zero where nothing gives way.
func ShadowPrice(claims []Claim, models []fleet.ModelName) float64 {
	price := 0.0
	for _, c := range claims {
		if slices.Contains(models, c.Model) {
			price = math.Max(price, c.Worth)
		}
	}
	return price
}

// Allowance is what today may cost under a day's or a month's cap, with what was spent
// before today in its period and what is wanted today and later. A month that would not
// bear what is wanted until its end gives every day the same share of that, so that each
// serves some of what is least valuable, and not the first twenty all of it.
func Allowance(b Budget, earlier, today, later fleet.Money) fleet.Money {
	left := fleet.Micros(max(0, b.Amount.Sub(earlier).Micros()), b.Amount.Currency())
	all := today.Add(later)
	if !left.Less(all) || all.Micros() <= 0 {
		return left
	}
	return left.Share(today.Micros(), all.Micros())
}

// pooled is the number of replicas from which on a larger pool carries hardly more each.
const pooled = 32

// Price tells what serving a model costs: per request, in millionths of the currency, in
// a pool that carries the rate of its busiest hour on the slices that carry it for least,
// and of its fewest replicas an hour. It is false where no slice that may be bought
// serves the model, or no rate is expected.
func (p Policy) Price(z *Sizer, c fleet.Catalog, m fleet.Model, peak float64) (each float64, floor fleet.Rate, ok bool) {
	least, slice := math.Inf(1), math.Inf(1)
	for _, v := range m.Candidates() {
		for _, perf := range v.Slices {
			alone := z.Capacity(m, perf, 1)
			if alone <= 0 {
				continue
			}
			n := 0.0 // replicas for the busiest hour
			if most := z.Capacity(m, perf, pooled); peak > most {
				n = peak / most * pooled
			} else if peak > 0 {
				n = float64(z.Replicas(m, perf, peak))
			}
			for _, o := range c.Offerings {
				if p.Buys(o.Name) && offers(o, perf) {
					hourly := float64(slicePrice(o, perf.Kind).Hourly().Micros())
					least, slice = math.Min(least, n*hourly), math.Min(slice, hourly)
				}
			}
		}
	}
	if math.IsInf(least, 1) || peak <= 0 {
		return 0, fleet.PerHour(fleet.Micros(0, p.Currency)), false
	}
	return least / (peak * 3600), fleet.PerHour(fleet.Micros(int64(slice), p.Currency)).Times(m.MinReplicas), true
}

// Worth is what a request of a model is worth, in millionths of the currency: its value,
// or what the cheapest slice that may be bought asks for it.
func (p Policy) Worth(z *Sizer, c fleet.Catalog, m fleet.Model) float64 {
	if m.Value.IsZero() {
		return p.cheapest(z, c, m)
	}
	return float64(m.Value.Micros()) * m.Profile.MeanWork
}
