package emitter

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gatewayBounds are the gateway's buckets in seconds, with the model's SLO among them.
func gatewayBounds(slo time.Duration) []float64 {
	bounds := []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, slo.Seconds()}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

// gateway says what the front door sees of a model: what arrived, what waits, at
// servers or because there is none, and how long the answered requests took.
func (p *page) gateway(t *traffic) {
	labels := prometheus.Labels{"model": t.Name}
	p.counter(t.Name, "gateway_requests_total", "Requests that arrived.", float64(t.arrived), labels)
	p.gauge(t.Name, "gateway_requests_waiting", "Requests that no server has begun.", float64(len(t.waiting)), labels)
	p.histogram(t.Name, "gateway_request_duration_seconds", "Time from arrival to the end of the answer.", t.latency, labels)
}

// kafka says what kafka_exporter sees of an asynchronous model: offsets of its topic,
// and what its consumers have committed, which is what they have served.
func (p *page) kafka(t *traffic) {
	for i := range t.Partitions {
		produced, committed := dealt(t.arrived, i, t.Partitions), dealt(len(t.delays), i, t.Partitions)
		partition := strconv.Itoa(i)
		topic := prometheus.Labels{"topic": t.Topic, "partition": partition}
		group := prometheus.Labels{"topic": t.Topic, "partition": partition, "consumergroup": t.Group}
		p.gauge(t.Name, "kafka_topic_partition_current_offset", "Current Offset of a Broker at Topic/Partition", float64(produced), topic)
		p.gauge(t.Name, "kafka_consumergroup_current_offset", "Current Offset of a ConsumerGroup at Topic/Partition", float64(committed), group)
		p.gauge(t.Name, "kafka_consumergroup_lag", "Current Approximate Lag of a ConsumerGroup at Topic/Partition", float64(produced-committed), group)
	}
}

// dealt is how many of n messages a partition has: they are dealt in turn.
func dealt(n, partition, partitions int) int {
	return (n + partitions - 1 - partition) / partitions
}
