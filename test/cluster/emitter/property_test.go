package emitter

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// TestNothingIsLostOrMadeUp: whatever befalls the pods, each request that arrived was
// served, waits, runs or was cut, and the exporters say so.
func TestNothingIsLostOrMadeUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := []Model{requests, sessions, queued}
		e := world(t, models...)
		names := []string{"requests", "sessions", "queued"}
		draw := func() *corev1.Pod {
			model := rapid.SampledFrom(names).Draw(t, "model")
			p := pod(model, model+rapid.SampledFrom([]string{"-a", "-b", "-c"}).Draw(t, "pod"))
			p.UID = types.UID(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "uid"))
			return p
		}
		served := map[string]int{}
		t.Repeat(map[string]func(*rapid.T){
			"step":    func(t *rapid.T) { e.Step(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond) },
			"ready":   func(*rapid.T) { e.Apply(draw()) },
			"mark":    func(*rapid.T) { e.Apply(marked(draw(), "false")) },
			"vanish":  func(*rapid.T) { e.Remove(draw()) },
			"unready": func(*rapid.T) { p := draw(); p.Status.Conditions = nil; e.Apply(p) },
			"fail":    func(*rapid.T) { p := draw(); p.Status.Phase = corev1.PodFailed; e.Apply(p) },
			"delete":  func(t *rapid.T) { e.Apply(deleted(draw(), rapid.Int64Range(0, 90).Draw(t, "grace"))) },
			"arrive": func(t *rapid.T) {
				e.Arrive(rapid.SampledFrom(names).Draw(t, "model"), rapid.IntRange(1, 5).Draw(t, "n"))
			},
			"rate": func(t *rapid.T) {
				e.SetRate(rapid.SampledFrom(names).Draw(t, "model"), rapid.Float64Range(0, 10).Draw(t, "rate"))
			},
			"": func(t *rapid.T) {
				for _, name := range names {
					got := e.Totals(name)
					if got.Arrived != got.Served+got.Waiting+got.Running+got.Cut {
						t.Fatalf("%s does not add up: %+v", name, got)
					}
					if got.Served < served[name] || got.Late > got.Served {
						t.Fatalf("%s: %+v after %d were served", name, got, served[name])
					}
					served[name] = got.Served
				}
				if cut := e.Cut("queued"); cut != 0 {
					t.Fatalf("%d asynchronous requests were cut", cut)
				}
				for _, s := range e.byName["sessions"].servers {
					if len(s.running) > 3 {
						t.Fatalf("%s holds %d sessions of 3", s.key, len(s.running))
					}
				}
				agree(t, e)
			},
		})
	})
}

// agree holds the pages of the front doors against the oracle.
func agree(t *rapid.T, e *Emitter) {
	gateway, kafka := read(t, e, "/metrics/gateway"), read(t, e, "/metrics/kafka")
	for _, model := range []string{"requests", "sessions"} {
		truth := e.Totals(model)
		if got := gateway.sum("gateway_requests_total", "model", model); got != float64(truth.Arrived) {
			t.Fatalf("the gateway counts %v of %+v", got, truth)
		}
		if got := gateway.sum("gateway_requests_waiting", "model", model); got != float64(truth.Waiting) {
			t.Fatalf("at the gateway wait %v of %+v", got, truth)
		}
		if got := gateway.sum("gateway_request_duration_seconds", "model", model); got != float64(truth.Served) {
			t.Fatalf("the gateway timed %v of %+v", got, truth)
		}
	}
	truth := e.Totals("queued")
	if got := kafka.sum("kafka_topic_partition_current_offset", "topic", "jobs"); got != float64(truth.Arrived) {
		t.Fatalf("the topic has %v of %+v", got, truth)
	}
	if got := kafka.sum("kafka_consumergroup_lag", "topic", "jobs"); got != float64(truth.Waiting+truth.Running) {
		t.Fatalf("the lag is %v of %+v", got, truth)
	}
}

// TestDelaysAreThoseOfOneQueue holds the steps against a twin that knows all arrivals
// beforehand: whatever the length of a step, each request begins when it has arrived
// and the first server is free.
func TestDelaysAreThoseOfOneQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		servers := rapid.IntRange(1, 4).Draw(t, "servers")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 400), 1, 40).Draw(t, "gaps")
		tick := time.Duration(rapid.IntRange(1, 700).Draw(t, "tick")) * time.Millisecond
		stream := rapid.Bool().Draw(t, "stream")
		m := requests
		spacing, lasts := 250*time.Millisecond, 500*time.Millisecond
		if stream {
			m = Model{Name: "requests", Speeds: map[string]Speed{AnyKind: {Streams: 1}}, SLO: 1, Stream: time.Second}
			spacing, lasts = time.Second, time.Second
		}
		e, err := New(Options{Models: []Model{m}, Manual: true, Tick: tick})
		if err != nil {
			t.Fatal(err)
		}
		for i := range servers {
			e.Apply(pod("requests", fmt.Sprint(i)))
		}
		free := make([]time.Duration, servers)
		var at time.Duration
		var want []time.Duration
		for _, gap := range gaps {
			at += time.Duration(gap) * time.Millisecond
			e.Step(time.Duration(gap) * time.Millisecond)
			e.Arrive("requests", 1)
			first := slices.Index(free, slices.Min(free))
			start := max(at, free[first])
			free[first] = start + spacing
			want = append(want, start+lasts-at-m.Stream)
		}
		e.Step(time.Minute)
		got := slices.Clone(e.byName["requests"].delays)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("delays\n got %v\nwant %v", got, want)
		}
	})
}

// TestPoisson: mean and variance of the draws are the mean asked for.
func TestPoisson(t *testing.T) {
	random := newRandom(7, "m")
	for _, mean := range []float64{0, 0.01, 1, 15.9, 16, 40, 500} {
		const n = 20000
		sum, squares := 0.0, 0.0
		for range n {
			x := float64(poisson(mean, random))
			sum += x
			squares += (x - mean) * (x - mean)
		}
		// Five standard errors; the variance of the squares is at most mean + 2 mean^2.
		if got, slack := sum/n, 5*math.Sqrt(mean/n); math.Abs(got-mean) > slack {
			t.Errorf("mean of Poisson(%v) is %v", mean, got)
		}
		if got, slack := squares/n, 5*math.Sqrt((mean+2*mean*mean)/n); math.Abs(got-mean) > slack {
			t.Errorf("variance of Poisson(%v) is %v", mean, got)
		}
	}
}
