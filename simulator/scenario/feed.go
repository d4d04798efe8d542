package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// traffic reads every entry and checks the sum of what they bring.
func (r *reader) traffic(feeds []feed) error {
	total := 0.0
	for i, f := range feeds {
		at := strictyaml.Index("spec.traffic", i)
		var s source
		var err error
		switch {
		case (f.Trace == "") == (f.Generate == nil):
			r.doc.Complain(at, "has neither or both of trace and generate").Hint("give one of them")
			continue
		case f.Generate != nil:
			s = r.generated(at, i, f)
		default:
			s, err = r.trace(at, i, f)
		}
		if err != nil {
			return err
		}
		total += s.expects
		r.scenario.feeds = append(r.scenario.feeds, s)
	}
	if total > traffic.MaxRequests {
		r.doc.Complain("spec.traffic", "brings about %.0f requests, and a scenario holds at most %d", total, traffic.MaxRequests).
			Hint("multiply peaks and scales by %.3g, or shorten the scenario", 0.995*traffic.MaxRequests/total)
	}
	return r.doc.Err()
}

// generated checks a generator by opening it once.
func (r *reader) generated(at string, part int, f feed) source {
	for _, inert := range []string{"step", "columns", "models", "scale"} {
		if path := at + "." + inert; r.doc.Has(path) {
			r.doc.Complain(path, "has no effect on generated traffic").OnKey().Hint("leave it out")
		}
	}
	g := *f.Generate
	r.known(at+".generate.model", g.Model)
	spec := traffic.Generated{
		Model: g.Model, Shape: g.Shape, Zone: g.Zone, Peak: g.Peak, Steady: g.Steady, Part: part,
		Work: traffic.WorkSpread{Kind: g.Work.Spread, CV: g.Work.CV},
	}
	for _, z := range g.Zones {
		spec.Zones = append(spec.Zones, traffic.ZoneWeight{Zone: z.Zone, Weight: z.Weight})
	}
	s := r.scenario
	out := source{
		models: []fleet.ModelName{g.Model},
		open: func(_ fleet.ModelName, lap int, seed uint64) (traffic.Source, error) {
			again := spec
			again.Lap = lap
			return traffic.NewGenerated(again, s.Start.Add(time.Duration(lap)*s.Duration), s.Duration, seed)
		},
		past: func(_ fleet.ModelName, seed uint64) []traffic.Bin {
			if s.History < time.Minute {
				return nil
			}
			return spec.History(s.Start, s.History, time.Minute, seed)
		},
	}
	var wrong *traffic.SpecError
	if _, err := out.open(g.Model, 0, 1); errors.As(err, &wrong) {
		path := at + ".generate." + wrong.Field
		r.doc.Complain(path, "%s", wrong.What).Hint("%s", wrong.Fix)
		return out
	}
	for _, bin := range spec.Expected(s.Start, s.Duration, time.Hour, 1) {
		out.expects += bin.Requests
	}
	return out
}

// trace reads a recording.
func (r *reader) trace(at string, part int, f feed) (source, error) {
	s := r.scenario
	opt := traffic.TraceOptions{
		Columns: traffic.Columns(f.Columns), Step: f.Step, Models: f.Models, Start: s.Start, Duration: s.Duration, History: s.History,
		MeanWork: map[fleet.ModelName]float64{}, Scale: 1, Part: part,
	}
	if f.Scale != nil {
		if opt.Scale = *f.Scale; opt.Scale == 0 {
			r.doc.Complain(at+".scale", "of 0 leaves no request").Hint("give a factor such as 100 or 0.5, or leave the entry out")
		}
	}
	names := r.doc.Keys(at + ".models")
	for _, name := range names {
		r.known(strictyaml.Key(at+".models", name), f.Models[name])
	}
	for _, m := range s.Settings.Policy.Models {
		opt.MeanWork[m.Name] = m.Profile.MeanWork
	}
	path := r.dataPath(f.Trace)
	file, err := r.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.doc.Complain(at+".trace", "the recorded traffic %s is not there", path).
			Hint("give the folder that holds %s with --data DIR or $TESSERA_DATA", f.Trace)
		return source{}, nil
	}
	if err != nil {
		return source{}, fmt.Errorf("read recorded traffic: %w", err)
	}
	defer func() { _ = file.Close() }() // only read from
	if r.doc.Err() != nil {
		return source{}, nil // reading would be in vain, but the other entries are still to be looked at
	}
	recording, err := traffic.ReadTrace(path, file, opt)
	if err != nil {
		return source{}, err
	}
	if len(names) == 0 {
		for _, m := range recording.Models() {
			r.known(at+".trace", m)
		}
	}
	s.tell(f.Trace, opt.Scale, recording)
	out := source{
		models: recording.Models(),
		open: func(m fleet.ModelName, lap int, seed uint64) (traffic.Source, error) {
			return recording.Source(m, seed+uint64(lap)), nil
		},
		past: func(m fleet.ModelName, _ uint64) []traffic.Bin {
			return recording.History(m, time.Minute)
		},
	}
	for _, m := range out.models {
		_, yielded := recording.Requests(m)
		out.expects += float64(yielded)
	}
	return out, nil
}

// tell keeps what a reader of the results must know of a recording.
func (s *Scenario) tell(name string, scale float64, recording *traffic.Trace) {
	for model, rows := range recording.Ignored() {
		s.Ignored[model] += rows
	}
	if scale != 1 {
		s.Scales[name] = scale
	}
	before, after := recording.Uncovered()
	var parts []string
	if before > 0 {
		parts = append(parts, "the first "+strictyaml.FormatDuration(before))
	}
	if after > 0 {
		parts = append(parts, "the last "+strictyaml.FormatDuration(after))
	}
	if len(parts) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s says nothing of %s: no traffic there", name, strings.Join(parts, " and ")))
	}
}

// known complains about a model that the policy does not have.
func (r *reader) known(at string, name fleet.ModelName) {
	p := r.scenario.Settings.Policy
	if _, ok := p.Model(name); ok {
		return
	}
	var names []string
	for _, m := range p.Models {
		names = append(names, string(m.Name))
	}
	r.doc.Complain(at, "the policy has no model %q", name).Suggest(string(name), names)
}

// dataPath is where a recording lies.
func (r *reader) dataPath(name string) string {
	if filepath.IsAbs(name) || r.Data == "" {
		return r.relative(name)
	}
	return filepath.Join(r.Data, name)
}
