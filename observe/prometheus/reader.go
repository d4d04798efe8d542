package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// A Reader reads signals from one server. It may be used concurrently.
type Reader struct {
	config  Config
	client  *client
	sources []Source

	mu     sync.Mutex
	limits map[fleet.ModelName]time.Duration // SLO limits of the policy's models
	bounds map[int]boundsOf                  // bucket bounds by source
	past   past
}

// New prepares a reader; it asks nothing yet. The models carry the SLO limits that
// attainment is counted within.
func New(c Config, sources []Source, models []fleet.Model) (*Reader, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	if err := checkSources(sources); err != nil {
		return nil, err
	}
	asker, err := newClient(c)
	if err != nil {
		return nil, err
	}
	r := &Reader{config: c, client: asker, sources: slices.Clone(sources), bounds: map[int]boundsOf{}}
	r.Use(models)
	return r, nil
}

// Use takes the models of a policy that was loaded anew.
func (r *Reader) Use(models []fleet.Model) {
	limits := make(map[fleet.ModelName]time.Duration, len(models))
	for _, m := range models {
		limits[m.Name] = m.SLO.Limit
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = limits
}

// Probe tells whether the server is there and is a Prometheus.
func (r *Reader) Probe(ctx context.Context) error {
	_, err := r.client.clock(ctx)
	return err
}

// PodKey names a pod.
type PodKey struct{ Namespace, Pod string }

// Reading is what a server said at one time.
type Reading struct {
	// At is the server's own time.
	At time.Time
	// Models holds every model of the policy and of the sources.
	Models map[fleet.ModelName]fleet.ModelSignals
	// InFlight is the number of requests or streams inside each pod now. A pod that
	// is not there is unknown.
	InFlight map[PodKey]fleet.Signal
	// Counted tells of which models some source counts what is in flight. Of the
	// others it is not measured at all.
	Counted map[fleet.ModelName]bool
	// Utilisation is the share of the last window in which the pod's slices worked.
	// A pod that is not there is unknown.
	Utilisation map[PodKey]fleet.Signal
	// Doubts are sorted by subject.
	Doubts []fleet.Doubt
	// Skew is the server's time minus ours.
	Skew time.Duration
	// Queries is how many were asked.
	Queries int
}

// Read asks for all signals; now is our time. What could not be measured is unknown
// in the reading. An error means that the server could not be asked at all or is no
// Prometheus: then everything is unknown with that cause.
func (r *Reader) Read(ctx context.Context, now time.Time) (Reading, error) {
	began := time.Now()
	at, err := r.client.clock(ctx)
	if err != nil {
		return Reading{}, err
	}
	took := time.Since(began)
	lag := settling(r.config.Window)
	settled := at.Add(-lag)

	limits := r.limitsNow()
	j := judgement{
		config: r.config, sources: r.sources, limits: limits, lag: lag, tables: map[about]table{}, bounds: map[int]boundsOf{},
		doubts: map[fleet.Doubt]bool{},
	}
	questions := r.questions(now)
	if err := j.take(questions, r.askAll(ctx, questions, settled)); err != nil {
		return Reading{}, r.client.explain(err)
	}
	r.learnBounds(&j, now)
	shares := j.shares()
	_ = j.take(shares, r.askAll(ctx, shares, settled)) // the others answered: these alone are unknown

	reading := Reading{
		At: at, Skew: at.Sub(now.Add(took / 2)), Queries: 1 + len(questions) + len(shares),
		Models: map[fleet.ModelName]fleet.ModelSignals{},
	}
	for _, name := range r.names(limits) {
		reading.Models[name] = j.model(name)
	}
	reading.InFlight, reading.Utilisation = j.pods(inFlight), j.pods(podUtil)
	reading.Counted = counted(r.sources)
	reading.Doubts = slices.SortedFunc(maps.Keys(j.doubts), func(a, b fleet.Doubt) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Cause, b.Cause))
	})
	return reading, nil
}

// counted finds the models of sources whose pack counts what is in flight by pod.
func counted(sources []Source) map[fleet.ModelName]bool {
	out := map[fleet.ModelName]bool{}
	for _, s := range sources {
		if len(s.Pack.Pods.InFlight.Queries) == 0 {
			continue
		}
		for name := range s.Models {
			out[name] = true
		}
	}
	return out
}

// settling is how far back a reading looks, so that the scrapes up to that instant
// have been stored: one that is stored between two queries would show its target up
// to the second and its load missing to the first.
func settling(window time.Duration) time.Duration { return min(time.Second, window/20) }

// about says what a question is about.
type about struct {
	source int
	kind   kind
	limit  time.Duration // of an attainment
}

type question struct {
	about
	query string
}

// questions lists what is asked of every source, but for the attainments, which
// need the bucket bounds first.
func (r *Reader) questions(now time.Time) []question {
	var out []question
	for i, s := range r.sources {
		p := s.Pack
		ask := func(k kind, query string) { out = append(out, question{about{source: i, kind: k}, query}) }
		v := s.match(slices.Collect(maps.Values(s.Models))).window(r.config.Window)
		if len(s.Models) > 0 {
			for _, k := range []kind{arrivals, backlog, utilisation} {
				if q := p.signal(k).Queries; len(q) > 0 {
					ask(k, v.any(q))
				}
			}
			ask(freshness, freshnessQuery(p, v, r.config.Window))
			ask(targets, targetsQuery(p, v))
			if len(p.Attainment.Bounds) > 0 && !r.boundsKnown(i, now) {
				ask(bounds, "count by (le) ("+v.any(p.Attainment.Bounds)+")")
			}
		}
		if len(s.Models) == 0 && len(p.Keys) > 0 {
			continue // nobody to ask about, and pods of models that nobody named
		}
		for _, k := range []kind{inFlight, podUtil} {
			if signal := p.signal(k); len(signal.Queries) > 0 {
				ask(k, podsQuery(p, signal, v))
			}
		}
	}
	return out
}

// askAll asks the questions about one instant; the answers are in their order.
func (r *Reader) askAll(ctx context.Context, questions []question, at time.Time) []answer {
	answers := make([]answer, len(questions))
	inTurn(len(questions), func(i int) { answers[i] = r.client.ask(ctx, questions[i].query, at) })
	return answers
}

// inTurn does n things, a few at a time, so that one reader is no burden.
func inTurn(n int, do func(i int)) {
	turn := make(chan struct{}, workers)
	var all sync.WaitGroup
	for i := range n {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			do(i)
		})
	}
	all.Wait()
}

func (r *Reader) limitsNow() map[fleet.ModelName]time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits
}

// names lists the models of the policy and of the sources.
func (r *Reader) names(limits map[fleet.ModelName]time.Duration) []fleet.ModelName {
	all := map[fleet.ModelName]bool{}
	for name := range limits {
		all[name] = true
	}
	for _, s := range r.sources {
		for name := range s.Models {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// sourceOf finds the source that gives a model's signal.
func sourceOf(sources []Source, name fleet.ModelName, k kind) (index int, found bool) {
	for i, s := range sources {
		if _, named := s.Models[name]; named && len(s.Pack.signal(k).Queries) > 0 {
			return i, true
		}
	}
	return 0, false
}

// why says why no source gives a model's signal.
func why(sources []Source, name fleet.ModelName, k kind) string {
	var reasons []error
	for _, s := range sources {
		if _, named := s.Models[name]; named {
			reasons = append(reasons, errors.New(cmp.Or(s.Pack.signal(k).Absent, fmt.Sprintf("pack %s has no %s", s.Pack.Name, k))))
		}
	}
	if len(reasons) == 0 {
		return "no source of Prometheus names the model"
	}
	return brief(errors.Join(reasons...).Error())
}
