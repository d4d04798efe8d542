package scenario

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// faults checks what is to go wrong, and notes it for readers of the results.
func (r *reader) faults(list []fault) {
	for i, f := range list {
		at := strictyaml.Index("spec.faults", i)
		r.fields(at, simulator.FaultKind(f.Kind))
		catalog, models := r.scenario.Settings.Catalog, r.scenario.Settings.Policy
		if _, known := catalog.Offering(f.Offering); f.Offering != "" && !known {
			r.doc.Complain(at+".offering", "the catalog has no offering %q", f.Offering).Suggest(string(f.Offering), offerings(catalog))
		}
		if _, known := models.Model(f.Model); f.Model != "" && !known {
			r.doc.Complain(at+".model", "the policy has no model %q", f.Model).Suggest(string(f.Model), modelNames(models.Models))
		}
		if f.Kind == string(simulator.SlowStart) && f.Factor < 1 && r.doc.Has(at+".factor") {
			r.doc.Complain(at+".factor", "%g makes starts no slower", f.Factor).Hint("give by how many times they take longer, such as 3")
		}
		if f.At >= r.scenario.Duration {
			r.doc.Complain(at+".at", "lies after the end of the scenario")
		}
		fault := simulator.Fault{
			At: f.At, For: f.For, Kind: simulator.FaultKind(f.Kind), Offering: f.Offering,
			Model: f.Model, Count: f.Count, By: f.By, Factor: f.Factor,
		}
		r.scenario.Faults = append(r.scenario.Faults, fault)
		r.note("fault: %v", fault)
	}
}

// fields checks that a fault has what its kind needs, and nothing that has no effect.
func (r *reader) fields(at string, kind simulator.FaultKind) {
	if !slices.Contains(simulator.FaultKinds(), kind) {
		return // it was complained about
	}
	fields := kind.Fields()
	for _, name := range []string{"for", "offering", "model", "count", "by", "factor"} {
		given := r.doc.Has(at + "." + name)
		switch {
		case slices.Contains(fields.Needs, name):
			if !given {
				r.doc.Complain(at+"."+name, "required key is missing").Hint("%s needs it", kind)
			}
		case given && !slices.Contains(fields.Takes, name):
			r.doc.Complain(at+"."+name, "has no effect on %s", kind).Hint("leave it out")
		}
	}
}

func offerings(c fleet.Catalog) []string {
	var names []string
	for _, o := range c.Offerings {
		names = append(names, string(o.Name))
	}
	return names
}

func modelNames(models []fleet.Model) []string {
	var names []string
	for _, m := range models {
		names = append(names, string(m.Name))
	}
	return names
}
