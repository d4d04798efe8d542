package policy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// class is a service class with what it says of its models.
type class struct {
	layer
	kind fleet.ClassKind
	slo  fleet.SLO
}

// models resolves defaults, classes and models into one list.
func (r *resolver) models(p *Policy) {
	classes := r.classes()
	seen := map[string]string{}
	for i, spec := range r.spec.Models {
		path := strictyaml.Index("spec.models", i)
		checkName(r.doc, strictyaml.Key(path, "name"), spec.Name, seen)
		m, quantile, ok := r.model(path, spec, classes, p.Currency)
		if !ok {
			continue
		}
		p.Models = append(p.Models, m)
		p.Forecast.Models = append(p.Forecast.Models, quantile)
		if r.doc.Sound(path) && m.SLO.Limit > 0 && m.SLO.Target > 0 {
			r.checkFeasible(path, m, *p)
		}
	}
	slices.SortFunc(p.Models, func(a, b fleet.Model) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Forecast.Models, func(a, b ModelQuantile) int { return cmp.Compare(a.Model, b.Model) })
}

// classes reads the classes of the file beside those that always exist.
func (r *resolver) classes() map[string]class {
	out := map[string]class{
		liveClass:  {kind: fleet.Streaming, slo: fleet.SLO{Limit: time.Second, Target: 0.99}},
		batchClass: {kind: fleet.Async, slo: fleet.SLO{Limit: 15 * time.Minute, Target: 0.99}},
	}
	for _, key := range r.doc.Keys("spec.classes") {
		spec, path := r.spec.Classes[key], strictyaml.Key("spec.classes", key)
		out[key] = class{layer: spec.layer, kind: fleet.ClassKind(spec.Kind), slo: r.slo(strictyaml.Key(path, "slo"), spec)}
	}
	return out
}

// slo reads a promise: a streaming class has a latency and an asynchronous one a
// deadline, and the other would have no effect.
func (r *resolver) slo(path string, spec classSpec) fleet.SLO {
	out := fleet.SLO{Target: spec.SLO.Target}
	want, given, inert, extra := "latency", spec.SLO.Latency, "deadline", spec.SLO.Deadline
	if fleet.ClassKind(spec.Kind) == fleet.Async {
		want, given, inert, extra = inert, extra, want, given
	}
	if spec.Kind == "" || !r.doc.Sound(path) {
		return out
	}
	if extra != nil {
		r.doc.Complain(strictyaml.Key(path, inert), "%s has no effect: the class is %s", inert, spec.Kind).OnKey().
			Hint("classes that are %s have a %s", spec.Kind, want)
	}
	if given == nil {
		if extra == nil {
			r.doc.Complain(path, "the class is %s and needs a %s", spec.Kind, want).OnKey()
		}
		return out
	}
	out.Limit = *given
	return out
}

// model resolves one model and what its demand is sized for. It is not ok where its class or profile is not known.
func (r *resolver) model(path string, spec modelSpec, classes map[string]class, c fleet.Currency) (m fleet.Model, q ModelQuantile, ok bool) {
	m = fleet.Model{
		Name: fleet.ModelName(spec.Name), Language: fleet.Language(spec.Language), Group: fleet.GroupName(spec.Group),
		Class: fleet.ClassName(cmp.Or(spec.Class, liveClass)),
	}
	if m.Language != "" && !wellFormed(spec.Language) {
		r.doc.Complain(strictyaml.Key(path, "language"), "%q is not a language tag", spec.Language).Hint(`use a BCP-47 tag such as "fr" or "pt-BR"`)
	}
	if n := otherwise(spec.GPUsPerReplica, 1); n > 1 {
		r.doc.Complain(strictyaml.Key(path, "gpusPerReplica"), "a replica that needs %d GPUs at once cannot be placed", n).
			Hint("each replica runs on one slice of one GPU; serve the model elsewhere, or give a variant that fits one GPU")
	}
	known, found := classes[string(m.Class)]
	if !found {
		r.doc.Complain(strictyaml.Key(path, "class"), "there is no class %q", m.Class).
			Suggest(string(m.Class), slices.Sorted(maps.Keys(classes)))
	}
	profile, measured := r.profile(path, spec.Profile)
	if !found || !measured {
		return m, q, false
	}
	m.Kind, m.SLO, m.Profile = known.kind, known.slo, profile
	r.checkSessions(path, m)
	settings := spec.layer.over(known.layer).over(r.spec.Defaults)
	m.MinReplicas = otherwise(settings.MinReplicas, 0)
	m.MaxReplicas = otherwise(settings.MaxReplicas, defaultMaxReplicas)
	m.AccuracyFloor = float64(otherwise(settings.AccuracyFloor, 0))
	if m.MinReplicas > m.MaxReplicas {
		r.doc.Complain(path, "%s has at least %d replicas and at most %d", m.Name, m.MinReplicas, m.MaxReplicas).
			Hint("minReplicas must not be above maxReplicas")
	}
	m.Value = r.value(path, spec, settings, c)
	usual := defaultQuantile
	if m.Kind == fleet.Async {
		usual = defaultAsyncQuantile
	}
	return m, ModelQuantile{Model: m.Name, Quantile: otherwise(settings.Quantile, usual), Keep: settings.ErrorBudget == "keep"}, true
}

// profile finds a model's performance profile.
func (r *resolver) profile(path, wanted string) (fleet.PerformanceProfile, bool) {
	var names []string
	for _, p := range r.profiles {
		if string(p.Name) == wanted {
			return p, true
		}
		names = append(names, string(p.Name))
	}
	r.doc.Complain(strictyaml.Key(path, "profile"), "there is no profile %q", wanted).Suggest(wanted, names)
	return fleet.PerformanceProfile{}, false
}

// value converts the value of a thousand units of work to that of one, exactly.
func (r *resolver) value(path string, spec modelSpec, settings layer, c fleet.Currency) fleet.Money {
	if settings.ValuePerThousand == nil {
		return fleet.Micros(0, c)
	}
	key := strictyaml.Key("spec.defaults", "valuePerThousand")
	switch class := strictyaml.Key("spec.classes", cmp.Or(spec.Class, liveClass)); {
	case spec.ValuePerThousand != nil:
		key = strictyaml.Key(path, "valuePerThousand")
	case r.doc.Has(strictyaml.Key(class, "valuePerThousand")):
		key = strictyaml.Key(class, "valuePerThousand")
	}
	thousand := money(r.doc, key, *settings.ValuePerThousand, c)
	switch {
	case thousand.Micros() < 0:
		r.doc.Complain(key, "a value is not negative")
	case thousand.Micros()%1000 != 0:
		r.doc.Complain(key, "%s has more than three decimals: one unit would be worth less than a millionth", thousand.Decimal())
	}
	return thousand.Share(1, 1000)
}
