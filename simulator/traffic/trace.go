package traffic

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Trace is a recording, cut to the window and the history of a scenario. Where a
// recording is sparse, minutes without rows are minutes without requests, from the
// first row of the file to the last; elsewhere they are gaps. A Trace does not
// change once it is read and may be shared.
type Trace struct {
	scale             float64
	part              int
	step              time.Duration
	burst             burst
	spread            WorkSpread
	duration, history time.Duration
	first, end        time.Duration // what the recording covers, since the scenario's start
	series            map[fleet.ModelName]*series
	ignored           map[string]int
}

// Models lists the models that the trace feeds, by name.
func (t *Trace) Models() []fleet.ModelName { return slices.Sorted(maps.Keys(t.series)) }

// Ignored counts the rows of the whole file by the names that are mapped to no
// model.
func (t *Trace) Ignored() map[string]int { return maps.Clone(t.ignored) }

// Requests returns a model's requests in the window: as recorded, rounded, and as
// the source yields them, multiplied by the scale and rounded for each client.
func (t *Trace) Requests(model fleet.ModelName) (recorded, yielded int64) {
	s := t.series[model]
	if s == nil {
		return 0, 0
	}
	for _, stream := range s.streams {
		yielded += scaled(stream.window, t.scale)
	}
	return int64(math.Round(s.window)), yielded
}

// MeanWork is the work of a model's average request, in the unit of the column
// of work: as it was given, or over the whole recording. It is zero where the
// trace has no work.
func (t *Trace) MeanWork(model fleet.ModelName) float64 {
	if s := t.series[model]; s != nil && s.sized {
		return s.mean
	}
	return 0
}

// Uncovered tells how much of the window lies before the first row of the file
// and after its last: time of which the recording says nothing, replayed without
// requests.
func (t *Trace) Uncovered() (before, after time.Duration) {
	return max(0, t.first), max(0, t.duration-t.end)
}

// Gaps tells how many stretches of the window within what the recording covers it
// says nothing of, and how long they are together: all that stay, replayed without
// requests, and those that Fill has closed.
func (t *Trace) Gaps(model fleet.ModelName) (open, filled Gaps) {
	if s := t.series[model]; s != nil {
		return s.open, s.filled
	}
	return Gaps{}, Gaps{}
}

// Source replays a model's requests in the window; for a model that the trace
// does not feed there are none. Rows that are bins spread their requests over the
// bin like a Poisson process, or a renewal process of gamma gaps, of which the
// count is known, each with an equal share of the work unless it is spread. Rows
// that are requests come at their own time; what a scale above one adds to them
// follows before the next row of the model, and within a minute. Clients that the
// recording tells apart draw from streams of their own.
func (t *Trace) Source(model fleet.ModelName, seed uint64) Source {
	s := t.series[model]
	if s == nil {
		return Merge()
	}
	sources := make([]Source, 0, len(s.streams))
	for _, stream := range s.streams {
		sources = append(sources, t.replay(model, s, stream, seed))
	}
	if len(sources) == 1 {
		return sources[0]
	}
	return mergeMany(sources)
}

// replay is the source of one client.
func (t *Trace) replay(model fleet.ModelName, s *series, from *stream, seed uint64) Source {
	key := streamKey{seed: seed, model: model, purpose: "trace", part: t.part}
	sizes := streamKey{seed: seed, model: model, purpose: "work of a trace", part: t.part}
	if from.client != "" {
		key.purpose += " of client " + from.client
		sizes.purpose += " of client " + from.client
	}
	c := cursor{
		rows: from.rows, series: s, scale: t.scale, end: t.duration, random: key.random(), size: newSampler(t.spread, sizes.random()),
	}
	if t.step > 0 {
		return &binReplay{cursor: c, step: t.step, burst: t.burst}
	}
	return &rowReplay{cursor: c}
}

// History returns a model's scaled counts per bin before the start: as many
// whole bins as the history holds and the recording covers, the last one ending
// at the start. Rows longer than the step are spread evenly.
func (t *Trace) History(model fleet.ModelName, step time.Duration) []Bin {
	if step <= 0 {
		return nil
	}
	covered := min(t.history, max(0, -t.first))
	return t.bins(model, covered%step-covered, 0, step)
}

// Expected returns a model's scaled counts per bin of the window, for charts.
func (t *Trace) Expected(model fleet.ModelName, step time.Duration) []Bin {
	if step <= 0 {
		return nil
	}
	return t.bins(model, 0, t.duration, step)
}

// bins sums the rows between two times over bins.
func (t *Trace) bins(model fleet.ModelName, from, to, step time.Duration) []Bin {
	bins := make([]Bin, 0, (to-from+step-1)/step)
	for at := from; at < to; at += step {
		bins = append(bins, Bin{At: at})
	}
	s := t.series[model]
	if s == nil {
		return bins
	}
	for _, stream := range s.streams {
		rows := stream.rows
		if from < 0 {
			rows = stream.past
		}
		seen, sent := 0.0, int64(0)
		for _, r := range rows {
			seen += r.requests
			n := scaled(seen, t.scale) - sent
			sent += n
			spread(bins, from, to, step, r.at, min(r.at+max(t.step, 1), to), float64(n))
		}
	}
	return bins
}

// spread divides n requests that arrive between begin and end over the bins in
// proportion to the overlap.
func spread(bins []Bin, from, to, step, begin, end time.Duration, n float64) {
	width := end - begin
	for begin = max(begin, from); begin < min(end, to); {
		into := (begin - from) % step
		stop := min(begin-into+step, end)
		bins[(begin-from)/step].Requests += n * (float64(stop-begin) / float64(width)) // exact where the row lies in one bin
		begin = stop
	}
}
