package prometheus_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// hostile are names that try to leave their matcher.
var hostile = []string{
	`"} or vector(0) #`, `a|b`, `.*`, "back\\slash", "two\nlines", "$window", "x\"y", "naïve-日本", `\Q.*\E`, "tab\tbed",
}

// triton is a page of Triton: a counter that grows by rate a second, and a queue.
func triton(rate, pending float64, models ...string) func(time.Duration) string {
	return func(age time.Duration) string {
		var b strings.Builder
		b.WriteString("# TYPE nv_inference_request_success counter\n# TYPE nv_inference_pending_request_count gauge\n")
		for _, m := range models {
			fmt.Fprintf(&b, "nv_inference_request_success{model=%q,version=\"1\"} %g\n", m, 5+rate*age.Seconds())
			fmt.Fprintf(&b, "nv_inference_pending_request_count{model=%q,version=\"1\"} %g\n", m, pending)
		}
		return b.String()
	}
}

// targets are all places that the lab scrapes.
func targets() []target {
	out := []target{
		{job: "triton", instance: "a", page: triton(10, 3, "busy")},
		{job: "triton", instance: "b", page: triton(10, 4, "busy")},
		{job: "idle", instance: "a", page: triton(0, 0, "idle")},
		{job: "idle", instance: "starting"}, // never answered: nobody misses it
		{job: "gone", instance: "a", page: triton(0, 0, "gone")},
		{job: "lost", instance: "a", page: triton(10, 0, "lost", "stays")},
		{job: "third", instance: "a", page: triton(0, 0, "third")},
		{job: "third", instance: "b", page: triton(0, 0, "third")},
		{job: "third", instance: "c", page: triton(0, 0, "third")},
		{job: "scaled", instance: "a", page: triton(10, 0, "scaled")},
		{job: "scaled", instance: "b", page: triton(10, 0, "scaled")},
		{job: "young", instance: "a", page: nothing},
		{job: "hostile", instance: "a", page: escaped(hostile)},
		{job: "nan", instance: "a", page: func(time.Duration) string {
			return "nv_inference_request_success{model=\"nan\"} 1\nnv_inference_pending_request_count{model=\"nan\"} NaN\n" +
				"nv_inference_request_success{model=\"inf\"} 1\nnv_inference_pending_request_count{model=\"inf\"} +Inf\n" +
				"nv_inference_request_success{model=\"negative\"} 1\nnv_inference_pending_request_count{model=\"negative\"} -1\n"
		}},
		{job: "old", instance: "a", page: func(time.Duration) string {
			at := time.Now().Add(-10 * time.Second).UnixMilli()
			return fmt.Sprintf("nv_inference_request_success{model=\"old\"} 1 %d\nnv_inference_pending_request_count{model=\"old\"} 6 %d\n", at, at)
		}},
		{job: "many", instance: "a", page: triton(4, 2, names(1000)...)},
	}
	for i := range newcomers {
		out = append(out, target{job: "scaled", instance: newcomer(int32(i)), page: nothing})
	}
	return append(out, packTargets()...)
}

// nothing is the page of a server that shows no model yet.
func nothing(time.Duration) string { return "" }

// newcomers are servers that have never shown a model; each is new only once.
const newcomers = 20

var lastNewcomer atomic.Int32

func newcomer(i int32) string { return fmt.Sprintf("new-%d", i%newcomers) }

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("model-%04d", i)
	}
	return out
}

// escaped writes names as the exposition format wants them.
func escaped(models []string) func(time.Duration) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	return func(time.Duration) string {
		var b strings.Builder
		for i, m := range models {
			fmt.Fprintf(&b, "nv_inference_request_success{model=\"%[1]s\"} 1\nnv_inference_pending_request_count{model=\"%[1]s\"} %[2]d\n", escape.Replace(m), i+1)
		}
		return b.String()
	}
}

// tritonSource is a source of Triton with models that are called as they are known.
func tritonSource(models ...string) []prometheus.Source {
	s := prometheus.Source{Pack: prometheus.BuiltinPacks()["triton"], Models: map[fleet.ModelName]prometheus.Key{}}
	for _, m := range models {
		s.Models[fleet.ModelName(m)] = prometheus.Key{"model": m}
	}
	return []prometheus.Source{s}
}

func wantValue(t *testing.T, what string, s fleet.Signal, want, tolerance float64) {
	t.Helper()
	if got, known := s.Read(); !known || !near(got, want, tolerance) {
		t.Errorf("%s is %v, want %v", what, s, want)
	}
}

func wantUnknown(t *testing.T, what string, s fleet.Signal, cause string) {
	t.Helper()
	if s.State() != fleet.SignalUnknown || !strings.Contains(s.Cause(), cause) {
		t.Errorf("%s is %v, want unknown because %q", what, s, cause)
	}
}

// TestValuesAndZeros: what flows is a value, what stands still is a confirmed zero,
// what is not there is unknown.
func TestValuesAndZeros(t *testing.T) {
	l := start(t)
	got := l.read(t, tritonSource("busy", "idle", "nobody", "nan", "inf", "negative"))
	busy, idle := got.Models["busy"], got.Models["idle"]
	wantValue(t, "arrivals of two servers with 10/s each", busy.Arrivals, 20, 0.1)
	wantValue(t, "backlog of two servers", busy.Backlog, 7, 0)
	if busy.Arrivals.Age() <= 0 || busy.Arrivals.Age() > 5*scrape {
		t.Errorf("the age is %v at a scrape each %v", busy.Arrivals.Age(), scrape)
	}
	for what, s := range map[string]fleet.Signal{"arrivals": idle.Arrivals, "backlog": idle.Backlog} {
		if s.State() != fleet.SignalZero {
			t.Errorf("%s of a counter that stands still are %v", what, s)
		}
	}
	wantUnknown(t, "arrivals of nobody", got.Models["nobody"].Arrivals, `no series for model="nobody"`)
	wantUnknown(t, "attainment", busy.Attainment, "no latency histogram")
	wantUnknown(t, "utilisation", busy.Utilisation, "dcgm")
	wantUnknown(t, "NaN", got.Models["nan"].Backlog, "NaN")
	wantUnknown(t, "+Inf", got.Models["inf"].Backlog, "+Inf")
	wantUnknown(t, "-1", got.Models["negative"].Backlog, "negative")
	if len(got.Doubts) > 0 {
		t.Errorf("doubts: %v", got.Doubts)
	}
	if age := time.Since(got.At); age < 0 || age > 5*time.Second || got.Skew.Abs() > time.Second {
		t.Errorf("the server's time is %v, the skew %v", got.At, got.Skew)
	}
}

// TestAgeIsThatOfTheSample: an exporter with times of its own looks fresh at the
// time of evaluation, and is not.
func TestAgeIsThatOfTheSample(t *testing.T) {
	got := start(t).read(t, tritonSource("old")).Models["old"]
	wantUnknown(t, "arrivals of a window without samples", got.Arrivals, "two scrapes in a window of 2s")
	wantValue(t, "backlog", got.Backlog, 6, 0)
	if age := got.Backlog.Age(); age < 10*time.Second || age > 12*time.Second {
		t.Errorf("the age is %v, want 10s and a scrape", age)
	}
}

// TestTargetsGoAway: what stood at zero is unknown, never zero, once too few of
// its targets answer, and zero again when they do.
func TestTargetsGoAway(t *testing.T) {
	l := start(t)
	r := l.reader(t, tritonSource("gone", "third", "lost", "stays"))
	read := func() map[fleet.ModelName]fleet.ModelSignals {
		got, err := r.Read(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return got.Models
	}
	eventually(t, func() string {
		before := read()
		if before["gone"].Arrivals.State() != fleet.SignalZero || before["third"].Backlog.State() != fleet.SignalZero {
			return fmt.Sprintf("before: %v, %v", before["gone"].Arrivals, before["third"].Backlog)
		}
		return ""
	})
	l.set(t, "gone", "a", nil)
	l.set(t, "third", "b", nil)
	l.set(t, "third", "c", nil)
	l.set(t, "lost", "a", triton(10, 0, "stays"))
	unknown := func(name fleet.ModelName, cause string) func() string {
		return func() string {
			got := read()[name]
			for _, s := range []fleet.Signal{got.Arrivals, got.Backlog} {
				if s.State() != fleet.SignalUnknown || !strings.Contains(s.Cause(), cause) {
					return fmt.Sprintf("%s is %v, want unknown because %q", name, s, cause)
				}
			}
			return ""
		}
	}
	eventually(t, unknown("third", "only 1 of 3 targets are up"))
	eventually(t, unknown("gone", ""))
	eventually(t, unknown("gone", "no series"))
	eventually(t, unknown("lost", "no series"))
	eventually(t, func() string {
		if rate, _ := read()["stays"].Arrivals.Read(); !near(rate, 10, 0.2) {
			return fmt.Sprintf("the model that stayed has arrivals %v", read()["stays"].Arrivals)
		}
		return ""
	})

	l.set(t, "third", "b", triton(0, 0, "third"))
	l.set(t, "third", "c", triton(0, 0, "third"))
	eventually(t, func() string {
		if s := read()["third"].Arrivals; s.State() != fleet.SignalZero {
			return "arrivals are " + s.String()
		}
		return ""
	})
}

// TestWindowIsCovered: a rate over a window that has only begun to fill is unknown
// and says how far it is; a gauge needs no window.
func TestWindowIsCovered(t *testing.T) {
	l := start(t)
	r := l.reader(t, tritonSource("young"))
	fills := func(when string) {
		t.Helper()
		l.set(t, "young", "a", triton(10, 2, "young"))
		partly := false
		eventually(t, func() string {
			got, err := r.Read(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			young := got.Models["young"]
			partly = partly || strings.Contains(young.Arrivals.Cause(), "% covered") && young.Backlog.State() == fleet.SignalValue
			rate, known := young.Arrivals.Read()
			if known && rate < 7.5 {
				t.Errorf("%s: a rate of 10/s was read as %v from a window that is not covered", when, rate)
			}
			if !partly || !known || rate < 9 {
				return fmt.Sprintf("%s: partly %v: %v, %v", when, partly, young.Arrivals, young.Backlog)
			}
			return ""
		})
	}
	fills("at the start")
	l.set(t, "young", "a", nil)
	time.Sleep(window + 2*scrape)
	fills("after an outage")
}

// TestOneServerOfSeveral: a server that starts hides nothing; one that comes back
// leaves its load out for a while, and the sum is unknown until little is missing.
func TestOneServerOfSeveral(t *testing.T) {
	l := start(t)
	r := l.reader(t, tritonSource("scaled"))
	arrivals := func() fleet.Signal {
		got, err := r.Read(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return got.Models["scaled"].Arrivals
	}
	eventually(t, func() string {
		if rate, _ := arrivals().Read(); !near(rate, 20, 0.1) {
			return fmt.Sprint(rate)
		}
		return ""
	})
	var third string
	starts := func() (unknown string) {
		third = newcomer(lastNewcomer.Add(1))
		l.set(t, "scaled", third, triton(10, 0, "scaled"))
		eventually(t, func() string {
			s := arrivals()
			rate, known := s.Read()
			if !known {
				unknown = s.String()
			}
			if !known || rate < 28 {
				return s.String()
			}
			return ""
		})
		return unknown
	}
	for try := 1; ; try++ { // on a busy machine any scrape may be missed
		unknown := starts()
		if unknown == "" {
			break
		}
		if try == 3 {
			t.Errorf("while a third server starts, arrivals are %s", unknown)
			break
		}
		l.set(t, "scaled", third, nothing)
		time.Sleep(2 * window)
	}
	l.set(t, "scaled", "b", nil)
	eventually(t, func() string {
		if s := arrivals(); s.State() != fleet.SignalUnknown {
			return s.String()
		}
		return ""
	})
	time.Sleep(window + scrape)
	l.set(t, "scaled", "b", triton(10, 0, "scaled"))
	eventually(t, func() string {
		rate, known := arrivals().Read()
		if known && rate < 21 {
			t.Errorf("30/s were read as %v while a server came back", rate)
		}
		if rate < 28 || !known {
			return fmt.Sprint(rate)
		}
		return ""
	})
}

// TestHostileNames: a name is only ever a name.
func TestHostileNames(t *testing.T) {
	l := start(t)
	got := l.read(t, tritonSource(hostile...))
	for i, name := range hostile {
		wantValue(t, fmt.Sprintf("backlog of %q", name), got.Models[fleet.ModelName(name)].Backlog, float64(i+1), 0)
	}
	if len(got.Doubts) > 0 {
		t.Errorf("doubts: %v", got.Doubts)
	}
	s := tritonSource("busy")
	s[0].Matchers = map[string]string{"job": `triton"} or vector(0) #`}
	wantUnknown(t, "busy behind a hostile matcher", l.read(t, s).Models["busy"].Backlog, "no series")
}

// TestTwoSeriesForOneModel: a pack that does not aggregate is told so.
func TestTwoSeriesForOneModel(t *testing.T) {
	pack, err := prometheus.ParsePack("mine.yaml", []byte(`
apiVersion: tessera/v1alpha1
kind: SignalPack
metadata: {name: mine}
spec:
  keys: [model]
  samples: ["nv_inference_request_success{$match}"]
  signals:
    backlog: {queries: ["nv_inference_pending_request_count{$match}"]}
    arrivals: {queries: ["renamed_total{$match}", "sum by ($keys) (rate(nv_inference_request_success{$match}[$window]))"]}
    utilisation: {queries: ["sum by ($keys) (nv_inference_pending_request_count{$match}"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	source := tritonSource("busy", "idle")
	source[0].Pack = pack
	got := start(t).read(t, source)
	wantUnknown(t, "backlog with two series", got.Models["busy"].Backlog, `instance="a"`)
	wantUnknown(t, "backlog with two series", got.Models["busy"].Backlog, `instance="b"`)
	wantValue(t, "arrivals by the second name", got.Models["busy"].Arrivals, 20, 0.1)
	if s := got.Models["idle"].Backlog; s.State() != fleet.SignalZero {
		t.Errorf("the model beside it is %v", s)
	}
	wantUnknown(t, "utilisation by PromQL that is none", got.Models["busy"].Utilisation, "bad_data")
	subjects := map[string]string{}
	for _, d := range got.Doubts {
		subjects[d.Subject] += d.Cause
	}
	if !strings.Contains(subjects["prometheus pack mine, backlog"], "aggregate") || !strings.Contains(subjects["prometheus pack mine, utilisation"], "parse error") {
		t.Errorf("doubts: %v", got.Doubts)
	}
}

// TestAThousandModels: in a handful of requests.
func TestAThousandModels(t *testing.T) {
	l := start(t)
	count := &counting{}
	sources := tritonSource(names(1000)...)
	sources[0].Pack.Attainment = prometheus.Signal{
		Queries: []string{"sum by ($keys) (nv_inference_pending_request_count{$match}) / ($slo * 8)"}, Unit: time.Second,
	}
	var models []fleet.Model
	for _, name := range slices.Sorted(maps.Keys(sources[0].Models)) {
		models = append(models, fleet.Model{Name: name, SLO: fleet.SLO{Limit: 500 * time.Millisecond}})
	}
	r, err := prometheus.New(prometheus.Config{URL: l.url, Window: window, Transport: count}, sources, models)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got, err := r.Read(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a thousand models: %d requests, %v", count.n, time.Since(began))
	if count.n > 8 || got.Queries != count.n {
		t.Errorf("%d requests, %d told of", count.n, got.Queries)
	}
	for _, m := range models {
		wantValue(t, "arrivals", got.Models[m.Name].Arrivals, 4, 0.15)
		wantValue(t, "backlog", got.Models[m.Name].Backlog, 2, 0)
		wantValue(t, "attainment", got.Models[m.Name].Attainment, 0.5, 1e-9)
	}
}
