package emitter

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A request takes 500ms, and a server begins four a second.
var fast = map[string]Speed{AnyKind: {PerSecond: 4, Latency: 500 * time.Millisecond}}

var (
	requests = Model{Name: "requests", Speeds: fast, SLO: time.Second}
	sessions = Model{Name: "sessions", Pack: VLLM, Speeds: map[string]Speed{AnyKind: {Streams: 3}}, SLO: time.Second, Stream: time.Minute}
	queued   = Model{Name: "queued", Speeds: fast, SLO: time.Minute, Topic: "jobs", Partitions: 3}
)

// world is an emitter whose time moves by hand.
func world(t failing, models ...Model) *Emitter {
	t.Helper()
	e, err := New(Options{Models: models, Manual: true, Start: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return e
}

// pod is a ready pod of a model.
func pod(model, name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "speech", Name: name, UID: types.UID(name), Labels: map[string]string{ModelLabel: model}},
		Spec:       corev1.PodSpec{NodeName: "node-a"},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
}

// deleted is the pod after a request to delete it with a grace period.
func deleted(p *corev1.Pod, grace int64) *corev1.Pod {
	p = p.DeepCopy()
	p.DeletionTimestamp = &metav1.Time{Time: time.Unix(0, 0)} // the emitter counts from when it hears of it
	p.DeletionGracePeriodSeconds = &grace
	return p
}

func marked(p *corev1.Pod, serving string) *corev1.Pod {
	p = p.DeepCopy()
	p.Labels[ServingLabel] = serving
	return p
}

func expect(t *testing.T, e *Emitter, model string, want Totals) {
	t.Helper()
	if got := e.Totals(model); got != want {
		t.Errorf("totals of %s:\n got %+v\nwant %+v", model, got, want)
	}
}

func TestRequestsWaitAtTheGatewayWhileNoPodIsReady(t *testing.T) {
	e := world(t, requests)
	e.Arrive("requests", 2)
	e.Step(10 * time.Second)
	expect(t, e, "requests", Totals{Arrived: 2, Waiting: 2})

	e.Apply(pod("requests", "a"))
	e.Step(600 * time.Millisecond)
	expect(t, e, "requests", Totals{Arrived: 2, Served: 1, Late: 1, Running: 1})
	e.Step(time.Second)
	expect(t, e, "requests", Totals{Arrived: 2, Served: 2, Late: 2})
	if share, ok := e.Attainment("requests", 10*time.Second+500*time.Millisecond); !ok || share != 0.5 {
		t.Errorf("attainment at 10.5 s is %v, %v; the first took that and the second 10.75 s", share, ok)
	}
}

func TestAnOverloadedServerServesItsCapacity(t *testing.T) {
	e := world(t, requests)
	e.Apply(pod("requests", "a"))
	e.SetRate("requests", 20)
	e.Step(100 * time.Second)
	if got := e.Totals("requests"); got.Served < 396 || got.Served > 400 {
		t.Errorf("served %d in 100 s at 4 a second: %+v", got.Served, got)
	}
}

func TestTheSameSeedGivesTheSameTraffic(t *testing.T) {
	run := func(models ...Model) Totals {
		e := world(t, models...)
		e.SetRate("requests", 3)
		e.Apply(pod("requests", "a"))
		e.Step(time.Minute)
		return e.Totals("requests")
	}
	if alone, together := run(requests), run(queued, requests, sessions); alone != together {
		t.Errorf("alone %+v, beside other models %+v", alone, together)
	}
}

func TestAMarkedPodTakesNoNewWorkAndItsSessionsEnd(t *testing.T) {
	e := world(t, sessions)
	a := pod("sessions", "a")
	e.Apply(a)
	e.Arrive("sessions", 2)
	e.Step(time.Second)
	e.Apply(marked(a, "false"))
	e.Arrive("sessions", 2)
	e.Step(30 * time.Second)
	expect(t, e, "sessions", Totals{Arrived: 4, Waiting: 2, Running: 2})
	e.Step(30 * time.Second)
	expect(t, e, "sessions", Totals{Arrived: 4, Served: 2, Waiting: 2})
	e.Remove(marked(a, "false"))
	expect(t, e, "sessions", Totals{Arrived: 4, Served: 2, Waiting: 2})
}

func TestWhatRunsWhenItsPodGoes(t *testing.T) {
	a := pod("sessions", "a")
	for name, c := range map[string]struct {
		leave func(*Emitter)
		cut   int
	}{
		"vanishes":               {func(e *Emitter) { e.Remove(a) }, 2},
		"fails":                  {func(e *Emitter) { f := a.DeepCopy(); f.Status.Phase = corev1.PodFailed; e.Apply(f) }, 2},
		"is replaced":            {func(e *Emitter) { n := a.DeepCopy(); n.UID = "new"; e.Apply(n) }, 2},
		"is killed at once":      {func(e *Emitter) { e.Apply(deleted(a, 0)); e.Remove(deleted(a, 0)) }, 2},
		"has too short a grace":  {func(e *Emitter) { e.Apply(deleted(a, 30)); e.Remove(deleted(a, 0)) }, 2},
		"has grace enough":       {func(e *Emitter) { e.Apply(deleted(a, 60)); e.Remove(deleted(a, 0)) }, 0},
		"stays past its grace":   {func(e *Emitter) { e.Apply(deleted(a, 30)) }, 2},
		"update was never heard": {func(e *Emitter) { e.Remove(deleted(a, 60)) }, 0},
		"stops being ready":      {func(e *Emitter) { u := a.DeepCopy(); u.Status.Conditions = nil; e.Apply(u) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := world(t, sessions)
			e.Apply(a)
			e.Arrive("sessions", 2)
			e.Step(time.Second)
			c.leave(e)
			e.Step(time.Minute)
			expect(t, e, "sessions", Totals{Arrived: 2, Served: 2 - c.cut, Cut: c.cut})
		})
	}
}

func TestKafkaDeliversInterruptedWorkAgain(t *testing.T) {
	e := world(t, queued)
	a := pod("queued", "a")
	e.Apply(a)
	e.Arrive("queued", 1)
	e.Step(100 * time.Millisecond)
	e.Remove(a)
	expect(t, e, "queued", Totals{Arrived: 1, Waiting: 1, Redelivered: 1})
	e.Apply(pod("queued", "b"))
	e.Step(time.Second)
	expect(t, e, "queued", Totals{Arrived: 1, Served: 1, Redelivered: 1})
}

func TestWorkDeliveredAgainBeginsNoEarlierThanItsInterruption(t *testing.T) {
	e := world(t, queued)
	a, b := pod("queued", "a"), pod("queued", "b")
	e.Apply(a)
	e.Apply(b)
	e.Arrive("queued", 1)
	e.Step(400 * time.Millisecond)
	if n, _ := e.Running("speech", "a"); n == 0 {
		a = b
	}
	e.Remove(a)
	e.Step(400 * time.Millisecond)
	expect(t, e, "queued", Totals{Arrived: 1, Running: 1, Redelivered: 1})
	e.Step(100 * time.Millisecond)
	expect(t, e, "queued", Totals{Arrived: 1, Served: 1, Redelivered: 1})
}

func TestAttainmentCountsOnlyWhatIsDecided(t *testing.T) {
	e := world(t, requests, sessions)
	if _, ok := e.Attainment("requests", time.Second); ok {
		t.Error("nothing arrived, and yet there is an attainment")
	}
	e.Arrive("requests", 1)
	e.Step(time.Second)
	if _, ok := e.Attainment("requests", time.Second); ok {
		t.Error("what waits within the SLO is decided already")
	}
	e.Step(time.Millisecond)
	if share, ok := e.Attainment("requests", time.Second); !ok || share != 0 {
		t.Errorf("what waits beyond the SLO: %v, %v", share, ok)
	}
	e.Apply(pod("sessions", "a"))
	e.Arrive("sessions", 1)
	e.Step(time.Second)
	if share, ok := e.Attainment("sessions", time.Second); !ok || share != 1 {
		t.Errorf("a session that began at once: %v, %v", share, ok)
	}
}

func TestOptionsTellWhatIsWrong(t *testing.T) {
	for want, m := range map[string]Model{
		"name":    {Speeds: fast, SLO: 1},
		"pack":    {Name: "m", Pack: "riva", Speeds: fast, SLO: 1},
		"slo":     {Name: "m", Speeds: fast},
		"speeds":  {Name: "m", SLO: 1},
		"streams": {Name: "m", Speeds: fast, SLO: 1, Stream: time.Minute},
		"latency": {Name: "m", Speeds: map[string]Speed{"cpu": {PerSecond: 1}}, SLO: 1},
		"second":  {Name: "m", Speeds: map[string]Speed{"cpu": {Latency: 1}}, SLO: 1},
		"topic":   {Name: "m", Speeds: fast, SLO: 1, Stream: 1, Topic: "t"},
	} {
		if _, err := New(Options{Models: []Model{m}}); err == nil || !contains(err.Error(), want) {
			t.Errorf("want an error about %s, got %v", want, err)
		}
	}
	if _, err := New(Options{Models: []Model{requests, requests}}); err == nil || !contains(err.Error(), "twice") {
		t.Errorf("the same model twice: %v", err)
	}
}

func TestFiveLanguages(t *testing.T) {
	o := FiveLanguages()
	o.Manual = true
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	e.Step(10 * time.Minute)
	english := e.Totals("transcribe-en").Arrived
	for _, l := range []string{"de", "fr", "es", "it"} {
		if ratio := float64(english) / float64(e.Totals("transcribe-"+l).Arrived); ratio < 8.5 || ratio > 11.5 {
			t.Errorf("English has %.1f times the traffic of %s", ratio, l)
		}
	}
}

func ExampleEmitter() {
	o := FiveLanguages()
	o.Manual = true // a test with a cluster gives o.Client instead
	e, _ := New(o)
	e.SetRate("transcribe-it", 0)
	e.Arrive("transcribe-it", 3)
	e.Step(time.Second)
	fmt.Printf("%+v\n", e.Totals("transcribe-it"))
	// Output: {Arrived:3 Served:0 Late:0 Waiting:3 Running:0 Cut:0 Redelivered:0}
}
