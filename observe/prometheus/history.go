package prometheus

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

const (
	// historyLength is how far back demand is read.
	historyLength = 14 * 24 * time.Hour
	// historyBatch is how many models are read at once, and kept until they are
	// asked for: 160 KiB each.
	historyBatch = 200
	// historyPoints is the number of points of one answer, about 6 MiB of JSON.
	historyPoints = 150_000
	// maxPoints is the number of points of one series that servers answer with.
	maxPoints = 11_000
	// historyPatience is how many timeouts a query of history may take.
	historyPatience = 6
	// historyRest is for how long a source that failed is not asked again. Models are
	// asked for one after the other: each would wait for what the first waited for.
	historyRest = 2 * time.Second
)

// past keeps what was read together with the history that was asked for.
type past struct {
	sync.Mutex
	until time.Time
	bins  map[fleet.ModelName]bins
	asked map[fleet.ModelName]bool
	// failed is why a source could not be read, and when.
	failed map[int]failure
}

type failure struct {
	at  time.Time
	err error
}

// History returns the arrivals of a model up to until in bins of one minute, oldest
// first, for 14 days or as long as the server has them; minutes without a value
// are gaps. A model that the server never saw has none.
//
// The first call reads further models of the same source along, in a few large
// queries, because they are asked for next; each history is handed out once and
// then forgotten.
func (r *Reader) History(ctx context.Context, name fleet.ModelName, until time.Time) ([]forecast.Observation, error) {
	r.past.Lock()
	defer r.past.Unlock()
	source, found := sourceOf(r.sources, name, arrivals)
	if !found {
		return nil, fmt.Errorf("history of %s: %s", name, why(r.sources, name, arrivals))
	}
	until = until.Truncate(time.Minute)
	if !r.past.until.Equal(until) {
		r.past.until, r.past.bins = until, nil
	}
	ready, read := r.past.bins[name]
	if !read {
		if f, ok := r.past.failed[source]; ok && time.Since(f.at) < historyRest {
			return nil, fmt.Errorf("history of %s: %w", name, f.err)
		}
		if r.past.asked[name] {
			r.past.asked = nil // a new loop asks for all of them once more
		}
		batch := r.batch(source, name)
		got, err := r.readHistory(ctx, source, batch, until)
		if err != nil {
			r.past.fail(source, err)
			return nil, fmt.Errorf("history of %s: %w", name, err)
		}
		r.past.keep(got)
		ready = got[name]
	}
	r.past.handOut(name)
	return ready.observations(), nil
}

// keep holds what was read until it is asked for.
func (p *past) keep(got map[fleet.ModelName]bins) {
	if p.bins == nil {
		p.bins = map[fleet.ModelName]bins{}
	}
	maps.Copy(p.bins, got)
}

// fail remembers that a source could not be read just now.
func (p *past) fail(source int, err error) {
	if p.failed == nil {
		p.failed = map[int]failure{}
	}
	p.failed[source] = failure{at: time.Now(), err: err}
}

// handOut forgets a history, and remembers that it was asked for once.
func (p *past) handOut(name fleet.ModelName) {
	delete(p.bins, name)
	if p.asked == nil {
		p.asked = map[fleet.ModelName]bool{}
	}
	p.asked[name] = true
}

// batch is the model that is asked for and others of its source that have not been
// read yet.
func (r *Reader) batch(source int, name fleet.ModelName) []fleet.ModelName {
	out := []fleet.ModelName{name}
	for _, m := range r.names(nil) {
		if len(out) == historyBatch {
			break
		}
		_, waits := r.past.bins[m]
		from, found := sourceOf(r.sources, m, arrivals)
		if found && from == source && m != name && !waits && !r.past.asked[m] {
			out = append(out, m)
		}
	}
	return out
}

// readHistory reads the arrivals of models of one source. The server's clock says
// what has ended: a minute that it has not seen yet is not asked for.
func (r *Reader) readHistory(ctx context.Context, source int, models []fleet.ModelName, until time.Time) (map[fleet.ModelName]bins, error) {
	end, err := r.client.clock(ctx)
	if err != nil {
		return nil, err
	}
	if end = end.Truncate(time.Minute); end.After(until) {
		end = until
	}
	s := r.sources[source]
	keys := make([]Key, len(models))
	for i, m := range models {
		keys[i] = s.Models[m]
	}
	query := s.match(keys).window(max(r.config.Window, time.Minute)).any(s.Pack.Arrivals.Queries)

	const minutes = int(historyLength / time.Minute)
	start := end.Add(-historyLength)
	out := newRates(s, models, start, minutes)
	chunk := min(maxPoints, max(1, historyPoints/len(models)))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var guard sync.Mutex
	var failure error
	inTurn((minutes+chunk-1)/chunk, func(i int) {
		// A rate at the end of a minute is of that minute.
		first, last := i*chunk+1, min((i+1)*chunk, minutes)
		from, to := start.Add(time.Duration(first)*time.Minute), start.Add(time.Duration(last)*time.Minute)
		matrix, warnings, err := r.client.history(ctx, query, from, to)
		guard.Lock()
		defer guard.Unlock()
		switch {
		case failure != nil:
		case err != nil:
			failure = fmt.Errorf("arrivals of pack %s from %s to %s: %w", s.Pack.Name, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), err)
			stop()
		case len(warnings) == 0: // partial data stays a gap
			out.take(matrix)
		}
	})
	return out.bins, failure
}
