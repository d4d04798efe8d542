package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// trace reads a recording.
func (r *reader) trace(at string, part int, f feed) (source, error) {
	s := r.scenario
	opt := r.traceOptions(at, part, f)
	names := r.doc.Keys(at + ".models")
	for _, name := range names {
		r.known(strictyaml.Key(at+".models", name), f.Models[name])
	}
	file, err := r.recorded(at+".trace", f.Trace)
	if file == nil {
		return source{}, err
	}
	defer func() { _ = file.Close() }() // only read from
	if f.Tokens != "" {
		tokens, err := r.recorded(at+".tokens", f.Tokens)
		if tokens == nil {
			return source{}, err
		}
		defer func() { _ = tokens.Close() }() // only read from
		opt.Read.Tokens, opt.Read.TokensName = tokens, r.dataPath(f.Tokens)
	}
	if r.doc.Err() != nil {
		return source{}, nil // reading would be in vain, but the other entries are still to be looked at
	}
	recorded, err := traffic.ReadTrace(r.dataPath(f.Trace), file, opt)
	if err != nil {
		return source{}, err
	}
	if len(names) == 0 {
		for _, m := range recorded.Models() {
			r.known(at+".trace", m)
		}
	}
	s.tell(f.Trace, opt.Scale, recorded)
	out := source{
		models: recorded.Models(),
		open: func(m fleet.ModelName, lap int, seed uint64) (traffic.Source, error) {
			return recorded.Source(m, seed+uint64(lap)), nil
		},
		past: func(m fleet.ModelName, _ uint64) []traffic.Bin {
			return recorded.History(m, time.Minute)
		},
	}
	for _, m := range out.models {
		_, yielded := recorded.Requests(m)
		out.expects += float64(yielded)
	}
	return out, nil
}

// traceOptions are what an entry says of its recording. What the recording's own
// reader checks, with what was found in the file, is not checked here.
func (r *reader) traceOptions(at string, part int, f feed) traffic.TraceOptions {
	s := r.scenario
	opt := traffic.TraceOptions{
		Columns: traffic.Columns(f.Columns), Step: f.Step, Models: f.Models, Start: s.Start, Duration: s.Duration, History: s.History,
		MeanWork: map[fleet.ModelName]float64{}, Scale: 1, Part: part,
		Arrivals: f.Arrivals, CV: f.CV, Spread: traffic.WorkSpread{Kind: f.Work.Spread, CV: f.Work.CV}, Fill: f.Fill,
		Read: recording.Options{Format: f.Format, Unit: f.Unit, Tick: f.Tick, Opens: f.Opens, Weekdays: f.Weekdays},
	}
	if f.Begins != nil {
		opt.Read.Begins = *f.Begins
	}
	if f.Work.Input > 0 || f.Work.Output > 0 {
		opt.Read.Work = &recording.Linear{Input: f.Work.Input, Output: f.Work.Output}
	}
	if f.Tokens != "" && opt.Read.Work == nil {
		r.doc.Complain(at+".tokens", "has no effect: no work is made of tokens").OnKey().Hint("give work, such as {input: 0.1, output: 1}, or leave tokens out")
	}
	if f.Scale != nil {
		if opt.Scale = *f.Scale; opt.Scale == 0 {
			r.doc.Complain(at+".scale", "of 0 leaves no request").Hint("give a factor such as 100 or 0.5, or leave the entry out")
		}
	}
	r.among(at+".format", f.Format, recording.Formats())
	r.among(at+".unit", f.Unit, []string{recording.Counts, recording.Rates})
	r.among(at+".arrivals", f.Arrivals, []string{traffic.ArrivalsPoisson, traffic.ArrivalsGamma})
	r.among(at+".work.spread", f.Work.Spread, []string{traffic.WorkFixed, traffic.WorkExponential, traffic.WorkLognormal})
	for _, m := range s.Settings.Policy.Models {
		opt.MeanWork[m.Name] = m.Profile.MeanWork
	}
	return opt
}

// among complains about a word that is not known.
func (r *reader) among(at, word string, known []string) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	r.doc.Complain(at, "%q is not known; there are %s", word, strings.Join(known, ", ")).Suggest(word, known)
}

// recorded opens a file of recorded traffic. Without a file and an error, doc has
// the complaint.
func (r *reader) recorded(at, name string) (io.ReadCloser, error) {
	path := r.dataPath(name)
	file, err := r.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.doc.Complain(at, "the recorded traffic %s is not there", path).
			Hint("give the folder that holds %s with --data DIR or $TESSERA_DATA", name)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read recorded traffic: %w", err)
	}
	return file, nil
}

// tell keeps what a reader of the results must know of a recording.
func (s *Scenario) tell(name string, scale float64, recorded *traffic.Trace) {
	for model, rows := range recorded.Ignored() {
		s.Ignored[model] += rows
	}
	if scale != 1 {
		s.Scales[name] = scale
	}
	before, after := recorded.Uncovered()
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
	for _, m := range recorded.Models() {
		open, filled := recorded.Gaps(m)
		if open.Count > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%s says nothing of %s of %s in %d gaps: no traffic there", name, strictyaml.FormatDuration(open.Total), m, open.Count))
		}
		if filled.Count > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%s says nothing of %s of %s in %d gaps: filled by straight lines", name, strictyaml.FormatDuration(filled.Total), m, filled.Count))
		}
	}
}

// dataPath is where a recording lies.
func (r *reader) dataPath(name string) string {
	if filepath.IsAbs(name) || r.Data == "" {
		return r.relative(name)
	}
	return filepath.Join(r.Data, name)
}
