package console

import (
	"runtime"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// namespace begins the names of all metrics.
const namespace = "tessera"

// actionHold is the action of a decision to leave something as it is.
const actionHold = "hold"

// counts are the metrics that grow with every tick. The others are read from the
// newest state when somebody asks; see gauges.
type counts struct {
	decisions *prometheus.CounterVec
	durations prometheus.Histogram
	failures  prometheus.Counter
	leads     *prometheus.HistogramVec
}

func newCounts() *counts {
	return &counts{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "decisions_total",
			Help: "Steps decided and things held back, by action, reason and mode.",
		}, []string{"action", "reason", "mode"}),
		durations: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "decision_duration_seconds",
			Help:    "How long a tick took from observing to recording, in wall-clock time.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16), // 1 ms to 33 s
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "tick_failures_total",
			Help: "Ticks that gave no decision.",
		}),
		leads: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "lead_time_seconds",
			Help:    "How long a stage of a start took: of a node (node, driver, geometry) and of a replica on it (schedule, image, load).",
			Buckets: []float64{1, 2, 5, 10, 20, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600},
		}, []string{"offering", "stage"}),
	}
}

// tick counts what a state decided.
func (c *counts) tick(s State) {
	if s.Took > 0 {
		c.durations.Observe(s.Took.Seconds())
	}
	mode := boundedMode(s.Mode)
	for _, step := range s.Record.Plan.Steps {
		c.decisions.WithLabelValues(string(step.Kind()), boundedReason(step.Because().Code), mode).Inc()
	}
	for _, held := range s.Record.Plan.Held {
		c.decisions.WithLabelValues(actionHold, boundedReason(held.Code), mode).Inc()
	}
}

// boundedReason keeps the label closed: a code without a sentence is "other".
func boundedReason(code fleet.ReasonCode) string {
	if slices.Contains(fleet.ReasonCodes(), code) {
		return string(code)
	}
	return "other"
}

// boundedMode keeps the label closed.
func boundedMode(mode string) string {
	if mode == ModeActive {
		return ModeActive
	}
	return ModeShadow
}

// buildInfo is a metric that is always one and says which build runs.
func buildInfo(b Build) prometheus.Collector {
	goVersion := b.GoVersion
	if goVersion == "" {
		goVersion = runtime.Version()
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info",
		Help: "Always 1; the labels say which build runs.",
		ConstLabels: prometheus.Labels{
			"version": strings.ToValidUTF8(b.Version, "?"), "revision": strings.ToValidUTF8(b.Revision, "?"), "goversion": goVersion,
		},
	})
	info.Set(1)
	return info
}

// meter turns the spend of the month, which begins anew with each month and may
// be corrected, into an amount that only grows. It begins at zero, as counters
// do, so that a restart is not taken for spending.
type meter struct {
	begun bool
	month [2]int      // year and month of top, UTC
	top   fleet.Money // highest spend seen in that month
	total fleet.Money
}

// read takes in the spend of a snapshot.
func (m *meter) read(s fleet.Snapshot) {
	at := s.At.UTC()
	month := [2]int{at.Year(), int(at.Month())}
	spent := s.Spend.Month
	switch {
	case !m.begun || spent.Currency() != m.top.Currency() && spent.Currency() != "":
		*m = meter{begun: true, month: month, top: spent}
	case month != m.month:
		m.month, m.top = month, spent
		m.total = m.total.Add(spent)
	case m.top.Less(spent):
		m.total = m.total.Add(spent.Sub(m.top))
		m.top = spent
	}
}
