package judge

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// Tuned are the setups that searches found, by scenario and controller. Read them
// with ReadTuned; its zero value has none.
type Tuned struct{ entries []Entry }

// Entry is a setup and where it comes from.
type Entry struct {
	Scenario   string
	Controller string
	Setup      peer.Setup
	Date       string // of the search, such as 2026-11-22
	Seed       uint64 // of the world that it was found in
	Target     float64
	Attainment float64 // of all requests there
	Cost       string  // there, exact
	Meets      bool    // every model had its attainment
}

const (
	apiVersion = "tessera/v1alpha1"
	tunedKind  = "TunedSetups"
)

// tunedFile is the file as it is written.
type tunedFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                struct {
		Tuned []tunedEntry `yaml:"tuned"`
	} `yaml:"spec,required"`
}

type tunedEntry struct {
	Scenario    string                               `yaml:"scenario,required,nonempty"`
	Controller  string                               `yaml:"controller,required,nonempty"`
	Found       tunedFound                           `yaml:"found"`
	Parameters  map[string]float64                   `yaml:"parameters,min=0"`
	Pools       []tunedPool                          `yaml:"pools"`
	Deployments map[fleet.ModelName]tunedDeployments `yaml:"deployments"`
}

type tunedFound struct {
	Date       string  `yaml:"date"`
	Seed       int     `yaml:"seed,min=0"`
	Target     float64 `yaml:"target,min=0,max=1"`
	Attainment float64 `yaml:"attainment,min=0,max=1"`
	Cost       string  `yaml:"cost"`
	Meets      bool    `yaml:"meets"`
}

type tunedPool struct {
	Name     string             `yaml:"name,required,nonempty"`
	Offering fleet.OfferingName `yaml:"offering,required,nonempty"`
	Geometry []tunedPlacement   `yaml:"geometry,required,nonempty"`
}

type tunedPlacement struct {
	Profile fleet.ProfileName `yaml:"profile,required,nonempty"`
	Start   int               `yaml:"start,min=0"`
}

type tunedDeployments struct {
	Pool    string            `yaml:"pool,required,nonempty"`
	Variant fleet.VariantName `yaml:"variant,required,nonempty"`
	Profile fleet.ProfileName `yaml:"profile,required,nonempty"`
	Min     int               `yaml:"min,min=0"`
	Max     int               `yaml:"max,min=0"`
}

// ReadTuned decodes a file of tuned setups. Whether a setup fits the scenario is
// seen when it is used. What a file has of the clairvoyant, which fits itself to each
// world, is passed over.
func ReadTuned(doc *strictyaml.Document) Tuned {
	var file tunedFile
	if _, ok := doc.Expect(apiVersion, tunedKind); !ok {
		return Tuned{}
	}
	doc.Decode(&file)
	var t Tuned
	for i, e := range file.Spec.Tuned {
		path := strictyaml.Index("spec.tuned", i)
		if e.Controller == Clairvoyant {
			continue
		}
		if !slices.Contains(peer.Names(), e.Controller) {
			doc.Complain(path+".controller", "there is nothing to set up of %q", e.Controller).Suggest(e.Controller, peer.Names())
		}
		if _, twice := t.Find(e.Scenario, e.Controller); twice {
			doc.Complain(path, "%s of %s is there twice", e.Controller, e.Scenario).Hint("remove one of them")
		}
		t.entries = append(t.entries, e.entry())
	}
	return t
}

func (e tunedEntry) entry() Entry {
	out := Entry{
		Scenario: e.Scenario, Controller: e.Controller, Date: e.Found.Date, Seed: uint64(e.Found.Seed), Target: e.Found.Target,
		Attainment: e.Found.Attainment, Cost: e.Found.Cost, Meets: e.Found.Meets, Setup: peer.Setup{Parameters: e.Parameters},
	}
	for _, p := range e.Pools {
		pool := peer.Pool{Name: p.Name, Offering: p.Offering}
		for _, at := range p.Geometry {
			pool.Geometry = append(pool.Geometry, fleet.Placement(at))
		}
		out.Setup.Pools = append(out.Setup.Pools, pool)
	}
	if len(e.Deployments) > 0 {
		out.Setup.Deployments = map[fleet.ModelName]peer.Deployment{}
		for name, d := range e.Deployments {
			out.Setup.Deployments[name] = peer.Deployment(d)
		}
	}
	return out
}

// Find finds the setup of a controller for a scenario.
func (t Tuned) Find(scenario, controller string) (Entry, bool) {
	i := slices.IndexFunc(t.entries, func(e Entry) bool { return e.Scenario == scenario && e.Controller == controller })
	if i < 0 {
		return Entry{}, false
	}
	return t.entries[i], true
}

// Setup is the setup for a Job, nil where none was found.
func (t Tuned) Setup(scenario, controller string) *peer.Setup {
	if e, ok := t.Find(scenario, controller); ok {
		return &e.Setup
	}
	return nil
}

// With adds a setup, in the place of one that was there.
func (t Tuned) With(e Entry) Tuned {
	out := slices.DeleteFunc(slices.Clone(t.entries), func(o Entry) bool { return o.Scenario == e.Scenario && o.Controller == e.Controller })
	out = append(out, e)
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Controller, b.Controller))
	})
	return Tuned{out}
}

// Write writes the file that ReadTuned reads.
func (t Tuned) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# The setups with which controllers are compared, as "autoscaler tune" found them:
# the cheapest of those tried that met the attainment of every model ("meets"), or
# else the one that came closest. The command replaces what it finds anew.
apiVersion: ` + apiVersion + `
kind: ` + tunedKind + `
metadata: {name: tuned}
spec:
  tuned:
`)
	if len(t.entries) == 0 {
		b.Reset()
		b.WriteString("apiVersion: " + apiVersion + "\nkind: " + tunedKind + "\nmetadata: {name: tuned}\nspec: {tuned: []}\n")
	}
	for _, e := range t.entries {
		e.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (e Entry) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - scenario: %q\n    controller: %q\n", e.Scenario, e.Controller)
	fmt.Fprintf(b, "    found: {date: %q, seed: %d, ", e.Date, e.Seed)
	if e.Target > 0 {
		fmt.Fprintf(b, "target: %s, ", decimal(e.Target))
	}
	fmt.Fprintf(b, "attainment: %s, cost: %q, meets: %t}\n", decimal(e.Attainment), e.Cost, e.Meets)
	if len(e.Setup.Parameters) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(e.Setup.Parameters)) {
			parts = append(parts, fmt.Sprintf("%q: %s", name, decimal(e.Setup.Parameters[name])))
		}
		fmt.Fprintf(b, "    parameters: {%s}\n", strings.Join(parts, ", "))
	}
	if len(e.Setup.Pools) > 0 {
		b.WriteString("    pools:\n")
	}
	for _, p := range e.Setup.Pools {
		var slots []string
		for _, at := range p.Geometry {
			slots = append(slots, fmt.Sprintf("{profile: %q, start: %d}", at.Profile, at.Start))
		}
		fmt.Fprintf(b, "    - {name: %q, offering: %q, geometry: [%s]}\n", p.Name, p.Offering, strings.Join(slots, ", "))
	}
	if len(e.Setup.Deployments) > 0 {
		b.WriteString("    deployments:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Setup.Deployments)) {
		d := e.Setup.Deployments[name]
		fmt.Fprintf(b, "      %q: {pool: %q, variant: %q, profile: %q, min: %d, max: %d}\n", name, d.Pool, d.Variant, d.Profile, d.Min, d.Max)
	}
}

// decimal writes a number without an exponent.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
