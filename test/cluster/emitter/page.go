package emitter

import (
	"bytes"
	"maps"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// page is what one target says. It is a collector that describes nothing beforehand.
type page struct {
	faults  faults
	job     string
	metrics []prometheus.Metric
}

// Describe implements prometheus.Collector.
func (*page) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (p *page) Collect(out chan<- prometheus.Metric) {
	for _, m := range p.metrics {
		out <- m
	}
}

// counter adds a counter about a model.
func (p *page) counter(model, name, help string, value float64, labels prometheus.Labels) {
	p.number(prometheus.CounterValue, model, name, help, value, labels)
}

// gauge adds a gauge about a model.
func (p *page) gauge(model, name, help string, value float64, labels prometheus.Labels) {
	p.number(prometheus.GaugeValue, model, name, help, value, labels)
}

func (p *page) number(kind prometheus.ValueType, model, name, help string, value float64, labels prometheus.Labels) {
	if lied, ok := p.faults.lies[lie{model, p.job}]; ok {
		value = lied
	}
	p.add(model, labels, func(labels prometheus.Labels) prometheus.Metric {
		return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, labels), kind, value)
	})
}

// histogram adds a histogram about a model.
func (p *page) histogram(model, name, help string, h histogram, labels prometheus.Labels) {
	if _, ok := p.faults.lies[lie{model, p.job}]; ok {
		h = newHistogram(h.bounds)
	}
	buckets, count := h.cumulative()
	p.add(model, labels, func(labels prometheus.Labels) prometheus.Metric {
		return prometheus.MustNewConstHistogram(prometheus.NewDesc(name, help, nil, labels), count, h.sum, buckets)
	})
}

// add adds a metric, twice where that is the fault.
func (p *page) add(model string, labels prometheus.Labels, metric func(prometheus.Labels) prometheus.Metric) {
	p.metrics = append(p.metrics, metric(labels))
	if p.faults.duplicates[model] {
		labels = maps.Clone(labels)
		labels["replica"] = "b"
		p.metrics = append(p.metrics, metric(labels))
	}
}

// text is the page in Prometheus' text format.
func (p *page) text() ([]byte, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(p); err != nil {
		return nil, err
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
