package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
	"github.com/tessera-autoscaler/tessera/policy"
)

// signals is the reader of metrics in force. A reader is bound to its models and
// their names, so another takes its place when the policy's change; and one that
// cannot be made yet, for want of a file, is tried again at each use.
type signals struct {
	config *clusterConfig

	mu     sync.Mutex
	policy policy.Policy
	reader *prometheus.Reader // nil: none could be made yet
}

func newSignals(c *clusterConfig) *signals {
	return &signals{config: c, policy: c.settings.Policy}
}

// use takes a policy into force.
func (s *signals) use(p policy.Policy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := slices.EqualFunc(s.policy.Models, p.Models, func(a, b fleet.Model) bool { return a.Name == b.Name })
	s.policy = p
	switch {
	case !same:
		s.reader = nil
	case s.reader != nil:
		s.reader.Use(p.Models)
	}
}

// now is the reader in force.
func (s *signals) now() (*prometheus.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader != nil {
		return s.reader, nil
	}
	from := s.config.Prometheus
	reader, err := prometheus.New(prometheus.Config{
		URL: from.URL, BearerTokenFile: from.BearerTokenFile, CAFile: from.CAFile,
		Timeout: from.Timeout, Window: from.Window, MinCoverage: from.Coverage,
	}, s.config.sources(s.policy), s.policy.Models)
	if err != nil {
		return nil, err
	}
	s.reader = reader
	return reader, nil
}

// Use is called for the models of settings that were loaded anew. They came here
// before, with the names by which their series are found.
func (s *signals) Use([]fleet.Model) {}

// Probe tells why the metrics cannot be read, nil when they can.
func (s *signals) Probe(ctx context.Context) error {
	reader, err := s.now()
	if err != nil {
		return err
	}
	return reader.Probe(ctx)
}

// Read asks for all signals.
func (s *signals) Read(ctx context.Context, now time.Time) (prometheus.Reading, error) {
	reader, err := s.now()
	if err != nil {
		return prometheus.Reading{}, err
	}
	return reader.Read(ctx, now)
}

// History reads the demand of a model before a time.
func (s *signals) History(ctx context.Context, model fleet.ModelName, until time.Time) ([]forecast.Observation, error) {
	reader, err := s.now()
	if err != nil {
		return nil, err
	}
	if !s.counts(model) {
		return nil, nil // nobody ever counted its arrivals, which is no reason to wait
	}
	return reader.History(ctx, model, until)
}

// counts tells whether some pack has the arrivals of a model.
func (s *signals) counts(model fleet.ModelName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.config.sources(s.policy), func(x prometheus.Source) bool {
		_, named := x.Models[model]
		return named && len(x.Pack.Arrivals.Queries) > 0
	})
}
