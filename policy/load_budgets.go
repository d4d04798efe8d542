package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// budgets checks the caps. A group that no model belongs to would cap nothing.
func (r *resolver) budgets(p Policy) []Budget {
	var groups []string
	for _, m := range r.spec.Models {
		if m.Group != "" {
			groups = append(groups, m.Group)
		}
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	var out []Budget
	for i, spec := range r.spec.Budgets {
		path := strictyaml.Index("spec.budgets", i)
		b := Budget{
			Per: spec.Per, Group: fleet.GroupName(spec.Group), OnExceeded: cmp.Or(spec.OnExceeded, Hold),
			Amount: money(r.doc, strictyaml.Key(path, "amount"), spec.Amount, p.Currency),
		}
		// Money without a currency is what an amount that cannot be read left behind.
		if b.Amount.Micros() <= 0 && b.Amount.Currency() != "" {
			r.doc.Complain(strictyaml.Key(path, "amount"), "a budget of %s buys nothing", b.Amount.Decimal()).Hint("give a positive amount")
		}
		if b.Group != "" && r.doc.Sound("spec.models") && !slices.Contains(groups, spec.Group) {
			r.doc.Complain(strictyaml.Key(path, "group"), "the budget has no effect: no model is of group %q", spec.Group).
				Suggest(spec.Group, groups)
		}
		if b.Per == ThousandUnits {
			b.Unit = r.unitOf(path, b, p.Models)
		}
		out = append(out, b)
	}
	return out
}

// unitOf is the unit that a budget per thousand units counts in. Its models must share
// one, because a price for a thousand of two kinds says nothing; and it cannot shed,
// because what the work of a day cost does not fall when capacity is taken away.
func (r *resolver) unitOf(path string, b Budget, models []fleet.Model) string {
	if b.OnExceeded == Shed {
		r.doc.Complain(strictyaml.Key(path, "onExceeded"), "a budget per thousand units cannot shed: what the work of a day cost does not fall when capacity is taken away").
			Hint("use hold or alert here, and shed at a cap per hour, day or month")
	}
	var units []string
	for _, m := range models {
		if b.Group == "" || m.Group == b.Group {
			units = append(units, m.Profile.Unit)
		}
	}
	slices.Sort(units)
	if units = slices.Compact(units); len(units) > 1 && r.doc.Sound("spec.models") {
		whose := "the models"
		if b.Group != "" {
			whose = fmt.Sprintf("the models of group %q", b.Group)
		}
		r.doc.Complain(strictyaml.Key(path, "per"), "%s count their work in %s: a thousand of these have no price in common", whose, strings.Join(units, " and ")).
			Hint("give each kind of work a group of its own, and each group a budget")
	}
	if len(units) == 0 {
		return ""
	}
	return units[0]
}

// offerings resolves what may be bought: what the file lists, or else every
// on-demand offering of the catalog.
func (r *resolver) offerings() []fleet.OfferingName {
	var out []fleet.OfferingName
	if !r.doc.Has("spec.offerings") {
		for _, o := range r.catalog.Offerings {
			if o.Purchase == fleet.OnDemand {
				out = append(out, o.Name)
			}
		}
		if len(out) == 0 {
			r.doc.Complain("spec", "the catalog has no on-demand offering, and the policy names no other").OnKey().
				Hint("list what may be bought in spec.offerings")
		}
		return out
	}
	var known []string
	for _, o := range r.catalog.Offerings {
		known = append(known, string(o.Name))
	}
	for i, text := range r.spec.Offerings {
		path := strictyaml.Index("spec.offerings", i)
		switch {
		case !slices.Contains(known, text):
			r.doc.Complain(path, "the catalog has no offering %q", text).Suggest(text, known)
		case slices.Contains(out, fleet.OfferingName(text)):
			r.doc.Complain(path, "%q is there already", text)
		default:
			out = append(out, fleet.OfferingName(text))
		}
	}
	slices.Sort(out)
	return out
}
