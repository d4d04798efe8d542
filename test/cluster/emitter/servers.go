package emitter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// vllmBounds are vLLM's own buckets of the time of a request, in seconds.
var vllmBounds = []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}

// server says what a pod's server would.
func (p *page) server(t *traffic, s *server) {
	if t.Pack == VLLM {
		p.vllm(t, s)
	} else {
		p.triton(t, s)
	}
}

// triton says it in Triton's words. Its counters of time include the time that
// requests waited while the server was there. Triton has no gauge of open sessions,
// so those count as pending too.
func (p *page) triton(t *traffic, s *server) {
	labels := prometheus.Labels{"model": t.Name, "version": "1"}
	begun := float64(s.served + len(s.running))
	pending := t.share(s)
	if t.Stream > 0 {
		pending += len(s.running)
	}
	us := func(d time.Duration) float64 { return float64(d.Microseconds()) }
	p.counter(t.Name, "nv_inference_request_success", "Number of successful inference requests, all batch sizes", float64(s.served), labels)
	p.counter(t.Name, "nv_inference_request_failure", "Number of failed inference requests, all batch sizes", 0, labels)
	p.counter(t.Name, "nv_inference_count", "Number of inferences performed", begun, labels)
	p.counter(t.Name, "nv_inference_exec_count", "Number of model executions performed", float64(s.executions), labels)
	p.counter(t.Name, "nv_inference_request_duration_us", "Cumulative inference request duration in microseconds", us(s.total), labels)
	p.counter(t.Name, "nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds", us(s.queued), labels)
	p.gauge(t.Name, "nv_inference_pending_request_count", "Instantaneous number of pending requests awaiting execution", float64(pending), labels)
}

// vllm says it in vLLM's words.
func (p *page) vllm(t *traffic, s *server) {
	labels := prometheus.Labels{"model_name": t.Name, "engine": "0"}
	p.counter(t.Name, "vllm:request_success_total", "Count of successfully processed requests", float64(s.served),
		prometheus.Labels{"model_name": t.Name, "engine": "0", "finished_reason": "stop"})
	p.gauge(t.Name, "vllm:num_requests_running", "Number of requests in model execution batches", float64(len(s.running)), labels)
	p.gauge(t.Name, "vllm:num_requests_waiting", "Number of requests waiting to be processed", float64(t.share(s)), labels)
	p.gauge(t.Name, "vllm:kv_cache_usage_perc", "KV-cache usage, 1 means 100 percent", s.busy(), labels)
	p.histogram(t.Name, "vllm:e2e_request_latency_seconds", "Histogram of end to end request latency in seconds", s.latency, labels)
}

// dcgm says how much a pod's slice works, in DCGM's words, if the pod has one.
func (p *page) dcgm(t *traffic, s *server) {
	if s.device.UUID == "" {
		return
	}
	p.gauge(t.Name, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "Ratio of time the graphics engine is active", s.busy(), prometheus.Labels{
		"UUID": s.device.UUID, "gpu": s.device.GPU, "GPU_I_ID": s.device.ID, "GPU_I_PROFILE": s.device.Profile,
		"hostname": s.node, "namespace": s.namespace, "pod": s.name, "container": t.Name,
	})
}
