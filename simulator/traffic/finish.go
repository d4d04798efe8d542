package traffic

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// finish checks what only the whole file can tell and closes the trace.
func (p *parser) finish() (*Trace, error) {
	whole := func(f recording.Fault, fix, format string, args ...any) error {
		return &recording.Error{Fault: f, File: p.file, What: fmt.Sprintf(format, args...), Fix: fix}
	}
	// 1. Every name that is mapped occurs.
	names := slices.Sorted(maps.Keys(p.names))
	for _, name := range slices.Sorted(maps.Keys(p.opt.Models)) {
		if p.names[name] == nil && name != AnyModel {
			return nil, whole(recording.FaultModel, "map a name that is there"+words.DidYouMean(name, names), "trace model %s never occurs; the trace has %s", words.Quote(name), words.Listing(names))
		}
	}
	// 2. The scenario meets the recording.
	t := &Trace{
		scale: p.opt.Scale, part: p.opt.Part, step: p.about.Step, duration: p.opt.Duration, history: p.opt.History,
		spread: p.opt.Spread, first: time.Duration(p.first - p.opt.Start.UnixNano()), series: p.series, ignored: map[string]int{},
	}
	if p.opt.Arrivals == ArrivalsGamma {
		t.burst = burst{gamma: true, cv: p.opt.CV}
	}
	t.end = time.Duration(p.last-p.opt.Start.UnixNano()) + max(t.step, 1)
	if t.end <= 0 || t.first >= t.duration {
		from, to := time.Unix(0, p.first), time.Unix(0, p.last).Add(t.step)
		return nil, whole(recording.FaultWindow, "choose a start inside of it", "the scenario from %s to %s lies outside of the recording, which spans %s to %s",
			stamp(p.opt.Start), stamp(p.opt.Start.Add(t.duration)), stamp(from), stamp(to))
	}
	// 3. Its requests are not too many, and their work has an average.
	if err := p.count(t); err != nil {
		return nil, err
	}
	if err := p.weigh(t); err != nil {
		return nil, err
	}
	for _, name := range names {
		if n := p.names[name]; n.to == nil {
			t.ignored[name] = n.rows
		}
	}
	return t, nil
}

// maxHistory bounds the scaled requests before the start, which are only
// counted, so that the counts stay exact.
const maxHistory = 1e15

// weigh settles the mean work of every model.
func (p *parser) weigh(t *Trace) error {
	for _, model := range t.Models() {
		s := t.series[model]
		s.mean = 1
		if !p.about.Sized || s.requests == 0 {
			continue
		}
		s.sized = true
		s.mean = s.work / s.requests
		if given, ok := p.opt.MeanWork[model]; ok {
			s.mean = given
		}
		if !(s.mean >= 1e-12) {
			return &recording.Error{
				Fault: recording.FaultNumber, File: p.file,
				What: fmt.Sprintf("work of model %s is zero in every row", words.Quote(model)),
				Fix:  "leave the column of work out, so that all requests are average",
			}
		}
	}
	return nil
}

// count refuses more requests than a scenario holds.
func (p *parser) count(t *Trace) error {
	total, before := 0.0, 0.0
	for _, model := range t.Models() {
		total += t.series[model].window * t.scale
		before += t.series[model].before * t.scale
	}
	many := &recording.Error{Fault: recording.FaultTooMany, File: p.file}
	switch {
	case total > MaxRequests:
		many.What = fmt.Sprintf("%.0f requests in the scenario at scale %s, and it holds at most %d", total, words.Number(t.scale), MaxRequests)
		many.Fix = fmt.Sprintf("a scale of %.3g would fit, or a shorter duration", 0.995*t.scale*MaxRequests/total)
	case before > maxHistory:
		many.What = fmt.Sprintf("%.3g requests in the history at scale %s", before, words.Number(t.scale))
		many.Fix = fmt.Sprintf("a scale of %.3g would fit", 0.995*t.scale*maxHistory/before)
	default:
		return nil
	}
	return many
}
