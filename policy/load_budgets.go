package policy

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// budgets checks the caps. A group that no model belongs to would cap nothing.
func (r *resolver) budgets(c fleet.Currency) []Budget {
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
			Amount: money(r.doc, strictyaml.Key(path, "amount"), spec.Amount, c),
		}
		// Money without a currency is what an amount that cannot be read left behind.
		if b.Amount.Micros() <= 0 && b.Amount.Currency() != "" {
			r.doc.Complain(strictyaml.Key(path, "amount"), "a budget of %s buys nothing", b.Amount.Decimal()).Hint("give a positive amount")
		}
		if b.Group != "" && r.doc.Sound("spec.models") && !slices.Contains(groups, spec.Group) {
			r.doc.Complain(strictyaml.Key(path, "group"), "the budget has no effect: no model is of group %q", spec.Group).
				Suggest(spec.Group, groups)
		}
		out = append(out, b)
	}
	return out
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
