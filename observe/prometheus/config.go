package prometheus

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/internal/door"
)

// Config says where the server is and how it is asked.
type Config struct {
	// URL of the server, with the path before /api/v1 where there is one. http or
	// https, without a user; certificates are always checked.
	URL string
	// BearerTokenFile holds the token, read anew for each request. Empty: none.
	BearerTokenFile string
	// CAFile holds the certificates, in PEM, that the server's must descend from.
	// Empty: those of the system.
	CAFile string
	// Timeout of one query; 10 s where zero.
	Timeout time.Duration
	// Window of rates; 1 m where zero. It must span at least two scrapes, four are
	// better.
	Window time.Duration
	// MinCoverage is the share of a model's targets that must be up for its signals
	// to be known; 0.8 where zero.
	MinCoverage float64
	// Transport replaces the connection, for tests. The limits on replies, redirects
	// and the token stay.
	Transport http.RoundTripper
}

// A Source joins models to a pack. Where several sources name a model, each of its
// signals comes from the first of them whose pack has it.
type Source struct {
	Pack Pack
	// Models gives each model's key in the pack.
	Models map[fleet.ModelName]Key
	// Matchers are further label = value on every selector of the pack.
	Matchers map[string]string
}

func (c Config) complete() (Config, error) {
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.Window = cmp.Or(c.Window, time.Minute)
	c.MinCoverage = cmp.Or(c.MinCoverage, 0.8)
	if err := door.CheckURL("prometheus", c.URL); err != nil {
		return c, err
	}
	switch {
	case c.Timeout < time.Millisecond:
		return c, fmt.Errorf("prometheus timeout = %v: give at least 1ms", c.Timeout)
	case c.Window < time.Second || c.Window > time.Hour:
		return c, fmt.Errorf("prometheus window = %v: give 1s to 1h, at least two scrapes", c.Window)
	case !(c.MinCoverage > 0 && c.MinCoverage <= 1):
		return c, fmt.Errorf("prometheus minimum coverage = %v: give a share above 0, up to 1", c.MinCoverage)
	}
	return c, nil
}

// Check tells what is wrong with a source, nil when New takes it.
func (s Source) Check() error {
	if len(s.Pack.Keys) == 0 && len(s.Models) > 0 {
		return fmt.Errorf("pack %s knows pods only: leave its models out", s.Pack.Name)
	}
	for _, label := range slices.Sorted(maps.Keys(s.Matchers)) {
		switch {
		case !labelName.MatchString(label):
			return fmt.Errorf("matcher %q of pack %s is not the name of a label", label, s.Pack.Name)
		case !utf8.ValidString(s.Matchers[label]):
			return fmt.Errorf("matcher %s of pack %s: %q is not UTF-8", label, s.Pack.Name, s.Matchers[label])
		case slices.Contains(s.Pack.Keys, label):
			return fmt.Errorf("matcher %s of pack %s names models: give it in their keys", label, s.Pack.Name)
		}
	}
	taken := map[string]fleet.ModelName{}
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		key := s.Models[name]
		if err := s.Pack.checkKey(key); err != nil {
			return fmt.Errorf("model %s in pack %s: %w", name, s.Pack.Name, err)
		}
		if other, twice := taken[key.text()]; twice {
			return fmt.Errorf("models %s and %s are both %s in pack %s: each would count the load of the other", other, name, key.text(), s.Pack.Name)
		}
		taken[key.text()] = name
	}
	return nil
}

func (p Pack) checkKey(key Key) error {
	if len(key) != len(p.Keys) {
		return fmt.Errorf("the key has %d labels, give exactly %q", len(key), p.Keys)
	}
	for _, label := range p.Keys {
		value := key[label]
		switch {
		case value == "":
			return fmt.Errorf("the key has no value for %q, which would match series without the label", label)
		case !utf8.ValidString(value):
			return fmt.Errorf("%s = %q is not UTF-8", label, value)
		}
	}
	return nil
}

func checkSources(sources []Source) error {
	var wrong []error
	for i, s := range sources {
		if err := s.Check(); err != nil {
			wrong = append(wrong, fmt.Errorf("prometheus source %d: %w", i+1, err))
		}
	}
	return errors.Join(wrong...)
}
