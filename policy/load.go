package policy

import (
	"regexp"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// apiVersion is that of every file of ours.
const apiVersion = "tessera/v1alpha1"

// Source is a file that the caller read: its name, for complaints, and its bytes.
type Source struct {
	Name string
	Data []byte
}

// Load reads a FleetPolicy against a catalog and profiles. The error holds every
// complaint with its place in the file, as strictyaml.Complaints.
func Load(src Source, catalog fleet.Catalog, profiles []fleet.PerformanceProfile) (Policy, error) {
	doc := strictyaml.Parse(src.Name, src.Data)
	p := DecodePolicy(doc, catalog, profiles)
	if err := doc.Err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// LoadCatalog reads a Catalog. Its offerings are sorted.
func LoadCatalog(src Source) (fleet.Catalog, error) {
	doc := strictyaml.Parse(src.Name, src.Data)
	c := DecodeCatalog(doc)
	if err := doc.Err(); err != nil {
		return fleet.Catalog{}, err
	}
	return c, nil
}

// LoadProfiles reads Profiles, sorted by name.
func LoadProfiles(src Source) ([]fleet.PerformanceProfile, error) {
	doc := strictyaml.Parse(src.Name, src.Data)
	profiles := DecodeProfiles(doc)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return profiles, nil
}

// name is what names of models and offerings look like: they become names and
// labels of Kubernetes objects.
var name = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// checkName complains about a name that cannot name an object, and about one that
// was given before.
func checkName(doc *strictyaml.Document, path, text string, seen map[string]string) {
	switch before, twice := seen[text]; {
	case !name.MatchString(text):
		doc.Complain(path, "%q is not a name", text).
			Hint("use up to 63 lower-case letters, digits, dashes and dots, first and last a letter or digit")
	case twice:
		doc.Complain(path, "%q is there already", text).Hint("line %d has it", doc.At(before).Line)
	default:
		seen[text] = path
	}
}

// delaySpec is a delay in a file.
type delaySpec struct {
	P50 time.Duration  `yaml:"p50,required"`
	P95 *time.Duration `yaml:"p95"`
}

// delay reads a delay, or returns the default where the file has none.
func delay(doc *strictyaml.Document, path string, spec *delaySpec, otherwise fleet.Delay) fleet.Delay {
	if spec == nil {
		return otherwise
	}
	d := fleet.Fixed(spec.P50)
	if spec.P95 != nil {
		d.P95 = *spec.P95
	}
	if err := d.Validate(); err != nil {
		doc.Complain(path, "%v", err)
	}
	return d
}

// money reads an amount in a currency.
func money(doc *strictyaml.Document, path string, text strictyaml.Decimal, c fleet.Currency) fleet.Money {
	m, err := fleet.ParseMoney(string(text), c)
	if err != nil {
		doc.Complain(path, "%v", err)
	}
	return m
}

// currency reads the currency that all money of a file is in.
func currency(doc *strictyaml.Document, path, text string) fleet.Currency {
	c, err := fleet.ParseCurrency(text)
	if err != nil {
		doc.Complain(path, "%v", err)
	}
	return c
}

// otherwise is the value a pointer leads to, or the default where there is none.
func otherwise[T any](given *T, standard T) T {
	if given == nil {
		return standard
	}
	return *given
}
