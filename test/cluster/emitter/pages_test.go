package emitter

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func contains(text, part string) bool { return strings.Contains(strings.ToLower(text), part) }

// failing is what a helper needs of a test or of a property.
type failing interface {
	Helper()
	Fatalf(string, ...any)
}

// families is a parsed page.
type families map[string]*dto.MetricFamily

// get asks for a path and answers with status and body.
func get(e *Emitter, path string) (int, string) {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// read parses the page at a path.
func read(t failing, e *Emitter, path string) families {
	t.Helper()
	status, body := get(e, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("GET %s: %v in\n%s", path, err, body)
	}
	return parsed
}

// sum adds the values, or the counts of histograms, of the series with a label. NaN
// means that there is none.
func (f families) sum(name, label, value string) float64 {
	sum := math.NaN()
	for _, m := range f[name].GetMetric() {
		for _, l := range m.Label {
			if l.GetName() == label && l.GetValue() == value {
				if math.IsNaN(sum) {
					sum = 0
				}
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// check holds sums of a page against what they should be.
func (f families) check(t *testing.T, label, value string, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if got := f.sum(name, label, value); got != v {
			t.Errorf("%s{%s=%q} = %v, want %v", name, label, value, got, v)
		}
	}
}

func TestTritonOfAPod(t *testing.T) {
	e := world(t, requests)
	e.Apply(pod("requests", "a"))
	e.Arrive("requests", 4) // begun at 0, 250, 500 and 750 ms
	e.Step(700 * time.Millisecond)
	read(t, e, "/metrics/speech/a").check(t, "model", "requests", map[string]float64{
		"nv_inference_request_success":       1,
		"nv_inference_request_failure":       0,
		"nv_inference_count":                 3,
		"nv_inference_exec_count":            3,
		"nv_inference_request_duration_us":   500_000,
		"nv_inference_queue_duration_us":     750_000,
		"nv_inference_pending_request_count": 1,
	})
	if status, body := get(e, "/metrics/speech/b"); status != http.StatusNotFound {
		t.Errorf("a pod that is not there answers %d %s", status, body)
	}
}

func TestAServerKnowsNothingOfTheTimeBeforeItsPod(t *testing.T) {
	e := world(t, requests)
	e.Arrive("requests", 1)
	e.Step(time.Hour)
	e.Apply(pod("requests", "a"))
	e.Step(time.Second)
	read(t, e, "/metrics/speech/a").check(t, "model", "requests", map[string]float64{
		"nv_inference_request_duration_us": 500_000, "nv_inference_queue_duration_us": 0,
	})
}

func TestVLLMOfAPod(t *testing.T) {
	e := world(t, sessions)
	e.Apply(pod("sessions", "a"))
	e.Apply(pod("sessions", "b"))
	e.Arrive("sessions", 9) // six begin
	e.Step(30 * time.Second)
	waiting := 0.0
	for _, path := range []string{"/metrics/speech/a", "/metrics/speech/b"} {
		page := read(t, e, path)
		page.check(t, "model_name", "sessions", map[string]float64{
			"vllm:num_requests_running": 3, "vllm:request_success_total": 0, "vllm:e2e_request_latency_seconds": 0,
		})
		waiting += page.sum("vllm:num_requests_waiting", "model_name", "sessions")
	}
	if waiting != 3 {
		t.Errorf("at both servers wait %v of 3", waiting)
	}
	e.Step(31 * time.Second)
	read(t, e, "/metrics/speech/a").check(t, "model_name", "sessions", map[string]float64{
		"vllm:request_success_total": 3, "vllm:e2e_request_latency_seconds": 3,
	})
	if n, ok := e.Running("speech", "a"); !ok || n == 0 {
		t.Errorf("running on a: %d, %v", n, ok)
	}
}

func TestDCGMSaysWhichSliceWorks(t *testing.T) {
	e := world(t, sessions)
	for _, name := range []string{"a", "b"} {
		p := pod("sessions", name)
		p.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{
			Limits: corev1.ResourceList{"nvidia.com/mig-3g.40gb": resource.MustParse("1")},
		}}}
		e.Apply(p)
	}
	e.Apply(pod("sessions", "on-cpus"))
	e.Apply(marked(pod("sessions", "on-cpus"), "false"))
	e.Arrive("sessions", 3)
	e.Step(time.Second)
	page := read(t, e, "/metrics/dcgm")
	if n := len(page["DCGM_FI_PROF_GR_ENGINE_ACTIVE"].GetMetric()); n != 2 {
		t.Errorf("%d slices, want 2", n)
	}
	const name = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
	first, second := page.sum(name, "GPU_I_ID", "0"), page.sum(name, "GPU_I_ID", "1")
	if total := 3 * (first + second); math.Abs(total-3) > 1e-9 || first == second {
		t.Errorf("slices work %v and %v; three sessions run on six places", first, second)
	}
	if got := page.sum(name, "GPU_I_PROFILE", "3g.40gb"); got != first+second {
		t.Errorf("profile 3g.40gb works %v", got)
	}
}

func TestFaults(t *testing.T) {
	e := world(t, requests)
	e.Apply(pod("requests", "a"))
	e.SetRate("requests", 2)
	e.Step(time.Minute)
	arrived := func() float64 {
		return read(t, e, "/metrics/gateway").sum("gateway_requests_total", "model", "requests")
	}

	before := arrived()
	e.Freeze(true)
	e.Step(time.Minute)
	e.Apply(pod("requests", "b"))
	if got := arrived(); got != before {
		t.Errorf("frozen at %v, and yet %v", before, got)
	}
	if truth := e.Totals("requests").Arrived; float64(truth) == before {
		t.Error("the traffic stood still with the metrics")
	}
	if status, _ := get(e, "/metrics/speech/b"); status != http.StatusOK {
		t.Errorf("a new pod answers %d while all is frozen", status)
	}
	e.Freeze(false)
	if got := arrived(); got != float64(e.Totals("requests").Arrived) {
		t.Errorf("after the frost %v", got)
	}

	e.Down(true, JobGateway)
	if status, _ := get(e, "/metrics/gateway"); status != http.StatusServiceUnavailable {
		t.Errorf("a gateway that is down answers %d", status)
	}
	if status, _ := get(e, "/metrics/speech/a"); status != http.StatusOK {
		t.Errorf("a pod answers %d while the gateway is down", status)
	}
	e.Down(false)

	e.Lie("requests", 0, JobTriton)
	read(t, e, "/metrics/speech/a").check(t, "model", "requests", map[string]float64{"nv_inference_request_success": 0, "nv_inference_count": 0})
	if arrived() == 0 {
		t.Error("the lie of the servers reached the gateway")
	}
	e.Lie("requests", math.NaN())
	if !math.IsNaN(arrived()) {
		t.Error("NaN was not said")
	}
	e.Truth("requests")

	once := arrived()
	e.Duplicate("requests", true)
	if got := arrived(); got != 2*once {
		t.Errorf("two series add up to %v, one is %v", got, once)
	}
}
