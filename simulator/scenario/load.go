package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// Scenario is a scenario with everything it names.
type Scenario struct {
	Name     string
	Start    time.Time
	Duration time.Duration
	History  time.Duration
	Settings control.Settings
	Patience float64
	Faults   []simulator.Fault
	Signals  simulator.Scraping
	Reserved []simulator.Reservation
	Scales   map[string]float64 // of the traces that are multiplied, by file
	Ignored  map[string]int     // rows of trace models that nothing maps
	Notes    []string           // what a reader of the results must know besides

	feeds []source
}

// source is one entry of traffic, ready to be opened with a seed.
type source struct {
	models  []fleet.ModelName
	open    func(model fleet.ModelName, lap int, seed uint64) (traffic.Source, error) // laps are a duration apart, the first is 0
	past    func(model fleet.ModelName, seed uint64) []traffic.Bin
	expects float64 // requests in the scenario's duration
}

// Loader says how a scenario finds its files.
type Loader struct {
	Open   func(path string) (io.ReadCloser, error)
	Data   string // root of recorded traffic; empty means the scenario's folder
	Policy string // a policy file in place of the scenario's; empty means none
}

// apiVersion is that of every file of ours.
const apiVersion = "tessera/v1alpha1"

// defaultPatience is how many times its latency limit a streaming caller waits.
const defaultPatience = 20

// maxFile bounds the files that people write.
const maxFile = strictyaml.MaxBytes + 1

// Load reads the scenario at a path. Its error holds every complaint about the
// first file that has any, with line and column.
func (l Loader) Load(at string) (*Scenario, error) {
	doc, err := l.parse(at)
	if err != nil {
		return nil, err
	}
	f := file{Spec: spec{Patience: defaultPatience}}
	if _, ok := doc.Expect(apiVersion, "Scenario"); ok {
		doc.Decode(&f)
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	s := &Scenario{
		Name: f.Metadata.Name, Start: f.Spec.Start.UTC(), Duration: f.Spec.Duration, History: f.Spec.History,
		Patience: f.Spec.Patience, Scales: map[string]float64{}, Ignored: map[string]int{},
	}
	if s.Name == "" {
		s.Name = path.Base(filepath.ToSlash(at))
	}
	r := reader{Loader: l, doc: doc, dir: filepath.Dir(at), scenario: s}
	if err := r.settings(f.Spec); err != nil {
		return nil, err
	}
	r.signals(f.Spec.Signals)
	r.reserved(f.Spec.Reserved)
	r.faults(f.Spec.Faults)
	if err := r.traffic(f.Spec.Traffic); err != nil {
		return nil, err
	}
	return s, doc.Err()
}

// parse reads and parses one file.
func (l Loader) parse(at string) (*strictyaml.Document, error) {
	f, err := l.Open(at)
	if err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return strictyaml.Parse(at, data), nil
}

// reader reads the parts of one scenario.
type reader struct {
	Loader
	doc      *strictyaml.Document
	dir      string
	scenario *Scenario
}

// part is the document of a part that is a path or stands inline. A nil document
// means that doc has the complaint.
func (r *reader) part(n strictyaml.Node) (*strictyaml.Document, error) {
	switch n.Kind() {
	case strictyaml.Mapping:
		return r.doc.Within(n), nil
	case strictyaml.Scalar:
		name, _ := n.Text()
		doc, err := r.parse(r.relative(name))
		if errors.Is(err, fs.ErrNotExist) {
			r.doc.Complain(n.Path(), "there is no file %s", r.relative(name)).Hint("paths are relative to the scenario's folder")
			return nil, r.doc.Err()
		}
		return doc, err
	}
	r.doc.Complain(n.Path(), "%v, where a path or the file's content is expected", n.Kind())
	return nil, r.doc.Err()
}

func (r *reader) relative(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

// settings reads catalog, profiles and policy, in the order in which each needs
// the one before.
func (r *reader) settings(s spec) error {
	doc, err := r.part(s.Catalog)
	if err != nil {
		return err
	}
	catalog := policy.DecodeCatalog(doc)
	if err := doc.Err(); err != nil {
		return err
	}
	if doc, err = r.part(s.Profiles); err != nil {
		return err
	}
	profiles := policy.DecodeProfiles(doc)
	if err := doc.Err(); err != nil {
		return err
	}
	if doc, err = r.policy(s.Policy); err != nil {
		return err
	}
	p := policy.DecodePolicy(doc, catalog, profiles)
	if err := doc.Err(); err != nil {
		return err
	}
	r.scenario.Settings = control.Settings{Policy: p, Catalog: catalog}
	return nil
}

func (r *reader) policy(n strictyaml.Node) (*strictyaml.Document, error) {
	if r.Policy != "" {
		return r.parse(r.Policy)
	}
	return r.part(n)
}

// World builds the world of a seed.
func (s *Scenario) World(seed uint64) (*simulator.World, error) {
	return s.world(seed, func(f source, m fleet.ModelName) (traffic.Source, error) { return f.open(m, 0, seed) })
}

// world builds a world from sources as they are opened.
func (s *Scenario) world(seed uint64, open func(source, fleet.ModelName) (traffic.Source, error)) (*simulator.World, error) {
	sources := map[fleet.ModelName][]traffic.Source{}
	past := map[fleet.ModelName]map[time.Duration]float64{}
	for _, f := range s.feeds {
		for _, m := range f.models {
			source, err := open(f, m)
			if err != nil {
				return nil, err
			}
			sources[m] = append(sources[m], source)
			if past[m] == nil {
				past[m] = map[time.Duration]float64{}
			}
			for _, bin := range f.past(m, seed) {
				past[m][bin.At] += bin.Requests
			}
		}
	}
	cfg := simulator.Config{
		Start: s.Start, Catalog: s.Settings.Catalog, Models: s.Settings.Policy.Models, Seed: seed, Patience: s.Patience,
		Faults: s.Faults, Signals: s.Signals, Reserved: s.Reserved,
		Sources: map[fleet.ModelName]traffic.Source{}, Past: map[fleet.ModelName]simulator.Past{},
	}
	for m, list := range sources {
		cfg.Sources[m] = list[0]
		if len(list) > 1 {
			cfg.Sources[m] = traffic.Merge(list...)
		}
		cfg.Past[m] = inOrder(past[m])
	}
	w, err := simulator.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("build the world of %s: %w", s.Name, err)
	}
	return w, nil
}

func inOrder(bins map[time.Duration]float64) simulator.Past {
	var out simulator.Past
	for at, n := range bins {
		out = append(out, traffic.Bin{At: at, Requests: n})
	}
	slices.SortFunc(out, func(a, b traffic.Bin) int { return int(min(max(a.At-b.At, -1), 1)) })
	return out
}
