package prometheus_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// vllm is a page of vLLM: of 10 requests a second, 8 end, so that 2 a second pile
// up; 60 % end within 0.3 s and 90 % within 0.5 s.
func vllm(prefix string) func(time.Duration) string {
	return func(age time.Duration) string {
		s := age.Seconds()
		var b strings.Builder
		line := func(name, labels string, v float64) {
			fmt.Fprintf(&b, "%s%s{model_name=\"llm\",engine=\"0\"%s} %g\n", prefix, name, labels, v)
		}
		if prefix != "" {
			line("request_success_total", `,finished_reason="stop"`, 6*s)
			line("request_success_total", `,finished_reason="length"`, 2*s)
		}
		line("num_requests_running", "", 4)
		line("num_requests_waiting", "", 1+2*s)
		line("e2e_request_latency_seconds_bucket", `,le="0.3"`, 4.8*s)
		line("e2e_request_latency_seconds_bucket", `,le="0.5"`, 7.2*s)
		line("e2e_request_latency_seconds_bucket", `,le="+Inf"`, 8*s)
		line("e2e_request_latency_seconds_count", "", 8*s)
		return b.String()
	}
}

func kafka(age time.Duration) string {
	var b strings.Builder
	for partition, lag := range []float64{5, 7, -1} {
		offset := 100 + 3*age.Seconds()
		oldest := 50.0
		if lag < 0 {
			offset, oldest = 20, 20 // empty: nothing to commit
		}
		fmt.Fprintf(&b, "kafka_consumergroup_lag{consumergroup=\"g\",topic=\"calls\",partition=\"%d\"} %g\n", partition, lag)
		fmt.Fprintf(&b, "kafka_topic_partition_current_offset{topic=\"calls\",partition=\"%d\"} %g\n", partition, offset)
		fmt.Fprintf(&b, "kafka_topic_partition_oldest_offset{topic=\"calls\",partition=\"%d\"} %g\n", partition, oldest)
	}
	b.WriteString(`kafka_consumergroup_lag_sum{consumergroup="g",topic="calls"} 12
kafka_consumergroup_lag_sum{consumergroup="other",topic="calls"} 999
kafka_consumergroup_lag_sum{consumergroup="g",topic="new"} 0
kafka_consumergroup_lag{consumergroup="g",topic="new",partition="0"} -1
kafka_topic_partition_current_offset{topic="new",partition="0"} 30
kafka_topic_partition_oldest_offset{topic="new",partition="0"} 10
`)
	return b.String()
}

func dcgm(time.Duration) string {
	return `DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-1",GPU_I_PROFILE="1g.10gb",GPU_I_ID="1",namespace="speech",pod="asr-0"} 0.5
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-1",GPU_I_PROFILE="1g.10gb",GPU_I_ID="2",namespace="speech",pod="asr-1"} 0
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="1",UUID="GPU-2",namespace="",pod=""} 0
`
}

func packTargets() []target {
	pod := func(namespace, name string) map[string]string {
		return map[string]string{"namespace": namespace, "pod": name}
	}
	return []target{
		{job: "vllm", instance: "a", labels: pod("llm", "vllm-0"), page: vllm("vllm:")},
		{job: "vllm", instance: "b", labels: pod("llm", "vllm-1"), page: vllm("vllm:")},
		{job: "nim", instance: "a", labels: pod("nim", "nim-0"), page: vllm("")},
		{job: "kafka", instance: "a", page: kafka},
		{job: "kafka", instance: "b", page: kafka}, // a second exporter of the same Kafka
		{job: "dcgm", instance: "a", page: dcgm},
		{job: "dcgm-exported", instance: "a", labels: pod("gpu-operator", "dcgm-exporter-x"), page: func(age time.Duration) string {
			return strings.ReplaceAll(dcgm(age), "speech", "vision")
		}},
	}
}

func model(name string, limit time.Duration) fleet.Model {
	return fleet.Model{Name: fleet.ModelName(name), SLO: fleet.SLO{Limit: limit, Target: 0.95}}
}

// TestBuiltinPacksOnARealServer: each query of each pack is PromQL and answers.
func TestBuiltinPacksOnARealServer(t *testing.T) {
	l := start(t)
	packs := prometheus.BuiltinPacks()
	if got := fmt.Sprint(len(packs), packs["triton"].Name, packs["vllm"].Name, packs["nim"].Name, packs["kafka"].Name, packs["dcgm"].Name); got != "5tritonvllmnimkafkadcgm" {
		t.Fatalf("packs: %s", got)
	}
	llm := prometheus.Key{"model_name": "llm"}
	got := l.read(t, []prometheus.Source{
		{Pack: packs["vllm"], Models: map[fleet.ModelName]prometheus.Key{"vllm": llm}},
		{Pack: packs["nim"], Models: map[fleet.ModelName]prometheus.Key{"nim": llm}, Matchers: map[string]string{"job": "nim"}},
		{Pack: packs["kafka"], Models: map[fleet.ModelName]prometheus.Key{
			"calls": {"topic": "calls", "consumergroup": "g"}, "new": {"topic": "new", "consumergroup": "g"},
		}},
		{Pack: packs["dcgm"]},
	}, model("vllm", 500*time.Millisecond), model("nim", 400*time.Millisecond), model("calls", time.Minute))

	servers := 2.0
	for name, n := range map[fleet.ModelName]float64{"vllm": servers, "nim": 1} {
		wantValue(t, "arrivals of "+string(name)+": ended and piled up", got.Models[name].Arrivals, 10*n, 0.15)
		if v, known := got.Models[name].Backlog.Read(); !known || v < 2*n {
			t.Errorf("backlog of %s is %v", name, got.Models[name].Backlog)
		}
	}
	wantValue(t, "attainment at a bound", got.Models["vllm"].Attainment, 0.9, 0.02)
	wantValue(t, "attainment between bounds", got.Models["nim"].Attainment, 0.6, 0.02)
	if i := slices.IndexFunc(got.Doubts, func(d fleet.Doubt) bool {
		return strings.Contains(d.Subject, "nim") && strings.Contains(d.Cause, `an SLO of 400ms is no bucket bound: attainment is counted within le="0.3"`)
	}); i < 0 || len(got.Doubts) != 1 {
		t.Errorf("doubts: %v", got.Doubts)
	}
	wantValue(t, "arrivals of the topic", got.Models["calls"].Arrivals, 6, 0.15)
	wantValue(t, "backlog of the group", got.Models["calls"].Backlog, 12, 0)
	wantUnknown(t, "backlog where the group never committed", got.Models["new"].Backlog, "never have committed")
	wantUnknown(t, "attainment of Kafka", got.Models["calls"].Attainment, "Kafka does not know")

	for _, pod := range []string{"vllm-0", "vllm-1"} {
		if v, known := got.InFlight[prometheus.PodKey{Namespace: "llm", Pod: pod}].Read(); !known || v < 5 {
			t.Errorf("in flight of %s: %v", pod, v)
		}
	}
	for _, namespace := range []string{"speech", "vision"} {
		wantValue(t, "utilisation", got.Utilisation[prometheus.PodKey{Namespace: namespace, Pod: "asr-0"}], 0.5, 1e-9)
		if s := got.Utilisation[prometheus.PodKey{Namespace: namespace, Pod: "asr-1"}]; s.State() != fleet.SignalZero {
			t.Errorf("an idle slice is %v", s)
		}
	}
}

// TestSLOBelowTheSmallestBound can not be read, and a policy that was loaded anew
// is asked about from then on.
func TestSLOBelowTheSmallestBound(t *testing.T) {
	l := start(t)
	source := prometheus.Source{Pack: prometheus.BuiltinPacks()["vllm"], Models: map[fleet.ModelName]prometheus.Key{"llm": {"model_name": "llm"}}}
	r := l.reader(t, []prometheus.Source{source}, model("llm", 200*time.Millisecond), model("other", time.Second))
	read := func() prometheus.Reading {
		got, err := r.Read(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := read()
	wantUnknown(t, "attainment", got.Models["llm"].Attainment, `smallest bucket bound is le="0.3", above an SLO of 200ms`)
	wantUnknown(t, "a model without a source", got.Models["other"].Arrivals, "no source")
	r.Use([]fleet.Model{model("llm", 300*time.Millisecond)})
	wantValue(t, "attainment", read().Models["llm"].Attainment, 0.6, 0.02)
	r.Use(nil)
	wantUnknown(t, "attainment of a model that left the policy", read().Models["llm"].Attainment, "no SLO")
}

// TestPackFiles: what is wrong with a pack is said where it stands.
func TestPackFiles(t *testing.T) {
	const head = "apiVersion: tessera/v1alpha1\nkind: SignalPack\nmetadata: {name: mine}\nspec:\n"
	for text, want := range map[string]string{
		head + "  keys: [model]\n  samples: [\"a{$match}\"]\n  signals: {arrivals: {queries: [\"sum(a{$macth})\"]}}":       `did you mean "match"`,
		head + "  keys: [model]\n  samples: [\"a{$match}\"]\n  signals: {arrivals: {queries: [\"sum(a)\"]}}":               "series of everybody",
		head + "  signals: {arrivals: {queries: [\"sum(a{$match})\"]}}":                                                    "needs spec.keys",
		head + "  keys: [model]\n  signals: {arrivals: {queries: [\"sum(a{$match})\"]}}":                                   "samples is missing",
		head + "  keys: [\"mo del\"]\n  samples: [\"a{$match}\"]":                                                          "not the name of a label",
		head + "  keys: [a, a]\n  samples: [\"a{$match}\"]":                                                                "there already",
		head + "  pods: {inflight: {queries: [\"a{$match}\"]}}":                                                            "newest is missing",
		head + "  pods: {inflite: {}}":                                                                                     "known keys: newest, inflight",
		head + "  keys: [model]\n  samples: [\"a{$match}\"]\n  signals: {backlog: {absent: no, queries: [\"a{$match}\"]}}": "backlog.absent",
		strings.Replace(head, "mine", `""`, 1) + "  keys: []":                                                              "a pack needs a name",
		"kind: FleetPolicy": "SignalPack",
	} {
		_, err := prometheus.ParsePack("mine.yaml", []byte(text))
		var complaints strictyaml.Complaints
		if !errors.As(err, &complaints) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nsays %v\nwant %q", text, err, want)
		}
	}
}
