package simulator

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// ledger is the money of the whole world by model: since the start, in the
// current day and in the current month.
type ledger struct {
	currency          fleet.Currency
	payers            []payer // all models, sorted by group and name
	total, day, month tally
}

// payer is a model, and the group that bears its money; "" is the group of those
// without one.
type payer struct {
	group    fleet.GroupName
	model    fleet.ModelName
	language fleet.Language
}

func (p payer) compare(o payer) int {
	return cmp.Or(cmp.Compare(p.group, o.group), cmp.Compare(p.model, o.model))
}

// stake is how many memory slices of a node a payer has; payers are known by their
// place.
type stake struct {
	payer  int
	slices int64
}

// tally is money by payer. What falls to nobody (the price of nodes without a
// replica) is kept apart and shared in proportion only where it is read.
type tally struct {
	models []fleet.Money
	nobody fleet.Money
}

func newLedger(models []fleet.Model, c fleet.Currency) ledger {
	l := ledger{currency: c}
	for _, m := range models {
		l.payers = append(l.payers, payer{group: m.Group, model: m.Name, language: m.Language})
	}
	slices.SortFunc(l.payers, payer.compare)
	l.total, l.day, l.month = l.empty(), l.empty(), l.empty()
	return l
}

func (l *ledger) empty() tally {
	t := tally{models: make([]fleet.Money, len(l.payers)), nobody: fleet.Micros(0, l.currency)}
	for i := range t.models {
		t.models[i] = fleet.Micros(0, l.currency)
	}
	return t
}

func (l *ledger) clone() ledger {
	c := *l
	for _, t := range []*tally{&c.total, &c.day, &c.month} {
		t.models = slices.Clone(t.models)
	}
	return c
}

// stakes tells whose a node is, in the order of the payers: those of one group follow
// one another, so that what falls to it is rounded once.
func (l *ledger) stakes(weights []fleet.ModelWeight, group func(fleet.ModelName) fleet.GroupName) []stake {
	out := make([]stake, 0, len(weights))
	for _, w := range weights {
		i, _ := slices.BinarySearchFunc(l.payers, payer{group: group(w.Model), model: w.Model}, payer.compare)
		out = append(out, stake{i, w.Slices})
	}
	slices.SortFunc(out, func(a, b stake) int { return cmp.Compare(a.payer, b.payer) })
	return out
}

// pay divides an amount among those who share a node.
func (l *ledger) pay(amount fleet.Money, stakes []stake) {
	if len(stakes) == 0 {
		for _, t := range []*tally{&l.total, &l.day, &l.month} {
			t.nobody = t.nobody.Add(amount)
		}
		return
	}
	weights := make([]int64, len(stakes))
	for i, p := range stakes {
		weights[i] = p.slices
	}
	for i, money := range split(amount, weights) {
		at := stakes[i].payer
		for _, t := range []*tally{&l.total, &l.day, &l.month} {
			t.models[at] = t.models[at].Add(money)
		}
	}
}

// borne is what falls to the models themselves.
func (t *tally) borne() fleet.Money {
	sum := fleet.Micros(0, t.nobody.Currency())
	for _, m := range t.models {
		sum = sum.Add(m)
	}
	return sum
}

// sum is everything that was paid.
func (t *tally) sum() fleet.Money { return t.borne().Add(t.nobody) }

// shares is what each model pays: its own, and of what falls to nobody as much
// as of the rest. They add up to everything that was paid, unless no model bears
// anything; then all of it stays with the fleet.
func (t *tally) shares() []fleet.Money {
	out := slices.Clone(t.models)
	if t.borne().IsZero() {
		return out
	}
	weights := make([]int64, len(out))
	for i, m := range out {
		weights[i] = m.Micros()
	}
	for i, money := range split(t.nobody, weights) {
		out[i] = out[i].Add(money)
	}
	return out
}

// by adds up the shares of a tally by a property of the payers.
func by[K comparable](l *ledger, t *tally, of func(payer) K) map[K]fleet.Money {
	out := make(map[K]fleet.Money, len(l.payers))
	for i, share := range t.shares() {
		out[of(l.payers[i])] = out[of(l.payers[i])].Add(share)
	}
	return out
}

func groupOf(p payer) fleet.GroupName   { return p.group }
func modelOf(p payer) fleet.ModelName   { return p.model }
func languageOf(p payer) fleet.Language { return p.language }

// split divides an amount in proportion to weights of which one is positive. Each
// part is the difference of two rounded sums, so that the parts add up to the
// amount and each is right to a millionth.
func split(amount fleet.Money, weights []int64) []fleet.Money {
	var all, so int64
	for _, g := range weights {
		all += g
	}
	parts := make([]fleet.Money, len(weights))
	before := fleet.Micros(0, amount.Currency())
	for i, g := range weights {
		so += g
		upTo := amount.Share(so, all)
		parts[i] = upTo.Sub(before)
		before = upTo
	}
	return parts
}
