package prometheus_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// serverTime is the clock of the fakes, an hour ahead of ours.
var serverTime = time.Now().Add(time.Hour).Unix()

// fake answers as a Prometheus in good health would, but for the queries that spoil
// knows an answer to.
func fake(t *testing.T, spoil func(w http.ResponseWriter, r *http.Request, query string) bool) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		if own := fmt.Sprint(serverTime - 1); query == "time()" && r.Form.Has("time") || query != "time()" && r.FormValue("time") != own {
			t.Errorf("the time %q was sent with %s, want the server's own", r.FormValue("time"), query)
		}
		w.Header().Set("Content-Type", "application/json")
		if spoil(w, r, query) {
			return
		}
		_, _ = io.WriteString(w, healthy(query))
	}))
	t.Cleanup(s.Close)
	return s
}

// healthy is what a server with one model says: everything is 1, one of one
// targets is up, samples are 0.1 s old and cover the window.
func healthy(query string) string {
	switch {
	case query == "time()":
		return fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[%[1]d,"%[1]d"]}}`, serverTime)
	case strings.Contains(query, "count_values"):
		return vector(`{"model":"m","tessera_part":"1"}`, "1")
	case strings.Contains(query, "sum_over_time"):
		return vector(`{"model":"m","tessera_part":"age"}`, "0.1", `{"model":"m","tessera_part":"window"}`, "1")
	}
	return vector(`{"model":"m"}`, "1")
}

// vector is a reply with pairs of labels and values.
func vector(pairs ...string) string {
	var rows []string
	for i := 0; i < len(pairs); i += 2 {
		rows = append(rows, fmt.Sprintf(`{"metric":%s,"value":[1,%q]}`, pairs[i], pairs[i+1]))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(rows, ",") + `]}}`
}

func isBacklog(query string) bool { return strings.Contains(query, "pending") }

func fakeReader(t *testing.T, c prometheus.Config) *prometheus.Reader {
	t.Helper()
	r, err := prometheus.New(c, tritonSource("m"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFaultsAndStates is the table of what may go wrong with one query, and what the
// backlog of the model then is. The arrivals beside it stay what they are.
func TestFaultsAndStates(t *testing.T) {
	reply := func(code int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	warn := func(warning string) func(http.ResponseWriter, *http.Request) {
		return reply(200, strings.Replace(vector(`{"model":"m"}`, "1"), `"data"`, fmt.Sprintf(`"warnings":[%q],"data"`, warning), 1))
	}
	failed := func(kind, text string) string {
		return fmt.Sprintf(`{"status":"error","errorType":%q,"error":%q}`, kind, text)
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		known  bool
		cause  string
		doubt  bool
	}{
		"good":              {answer: reply(200, vector(`{"model":"m"}`, "1")), known: true},
		"a confirmed zero":  {answer: reply(200, vector(`{"model":"m"}`, "0")), known: true},
		"empty":             {answer: reply(200, vector()), cause: "no series"},
		"another model":     {answer: reply(200, vector(`{"model":"x"}`, "1")), cause: "no series"},
		"two series":        {answer: reply(200, vector(`{"model":"m","a":"1"}`, "1", `{"model":"m","a":"2"}`, "2")), cause: "two series", doubt: true},
		"NaN":               {answer: reply(200, vector(`{"model":"m"}`, "NaN")), cause: "NaN"},
		"infinite":          {answer: reply(200, vector(`{"model":"m"}`, "-Inf")), cause: "Inf"},
		"negative":          {answer: reply(200, vector(`{"model":"m"}`, "-1")), cause: "negative"},
		"too large a float": {answer: reply(200, vector(`{"model":"m"}`, "1e400")), cause: "range", doubt: true},
		"no number":         {answer: reply(200, vector(`{"model":"m"}`, "lots")), cause: "bad_response", doubt: true},
		"a bare number":     {answer: reply(200, strings.Replace(vector(`{"model":"m"}`, "1"), `"1"]`, `1]`, 1)), cause: "bad_response", doubt: true},
		"a native histogram": {
			answer: reply(200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"model":"m"},"histogram":[1,{"count":"1","sum":"1","buckets":[]}]}]}}`),
			cause:  "histogram", doubt: true,
		},
		"a matrix":             {answer: reply(200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`), cause: "matrix", doubt: true},
		"nothing at all":       {answer: reply(200, `{"status":"success"}`), cause: "empty", doubt: true},
		"null":                 {answer: reply(200, `null`), cause: "empty", doubt: true},
		"info":                 {answer: warn("PromQL info: metric might not be a counter"), known: true},
		"warning of PromQL":    {answer: warn("PromQL warning: bucket label is missing"), cause: "bucket label is missing", doubt: true},
		"partial data":         {answer: warn("No StoreAPIs matched for this query"), cause: "No StoreAPIs", doubt: true},
		"truncated":            {answer: warn("results truncated due to limit"), cause: "truncated", doubt: true},
		"HTML":                 {answer: reply(200, "<html>log in</html>"), cause: "invalid character", doubt: true},
		"bad query":            {answer: reply(400, failed("bad_data", "parse error")), cause: "bad_data: parse error", doubt: true},
		"can not be evaluated": {answer: reply(422, failed("execution", "too many samples")), cause: "too many samples", doubt: true},
		"overloaded":           {answer: reply(503, failed("timeout", "query timed out")), cause: "503", doubt: true},
		"unauthorised":         {answer: reply(401, "who are you"), cause: "401", doubt: true},
		"success that is none": {answer: reply(200, failed("execution", "odd")), cause: "odd", doubt: true},
		"deeply nested":        {answer: reply(200, `{"data":`+strings.Repeat("[", 100_000)), cause: "depth", doubt: true},
		"too many series": {
			answer: reply(200, vector(strings.Split(strings.Repeat(`{},1,`, 50_001), ",")[:100_002]...)),
			cause:  "50001 series", doubt: true,
		},
		"endless": {answer: endless, cause: "larger than 8 MiB", doubt: true},
		"a bomb":  {answer: bomb, cause: "larger than 8 MiB", doubt: true},
		"cut off": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, vector()[:20])
		}, cause: "EOF", doubt: true},
		"hangs": {answer: func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
			}
		}, cause: "not answered within 500ms", doubt: true},
		"redirects": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		}, cause: "302", doubt: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fake(t, func(w http.ResponseWriter, r *http.Request, query string) bool {
				if isBacklog(query) {
					c.answer(w, r)
				}
				return isBacklog(query)
			})
			timeout := 20 * time.Second
			if name == "hangs" {
				timeout = 500 * time.Millisecond
			}
			got, err := fakeReader(t, prometheus.Config{URL: s.URL, Timeout: timeout}).Read(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			signals := got.Models["m"]
			if _, known := signals.Backlog.Read(); known != c.known || !strings.Contains(signals.Backlog.Cause(), c.cause) {
				t.Errorf("the backlog is %v, want known %v, cause %q", signals.Backlog, c.known, c.cause)
			}
			wantValue(t, "arrivals", signals.Arrivals, 1, 0)
			if doubted := len(got.Doubts) > 0; doubted != c.doubt {
				t.Errorf("doubts: %v", got.Doubts)
			}
		})
	}
}

// endless sends a gigabyte.
func endless(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 1 << 10 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// bombing is 64 MiB in a few kilobytes.
var bombing = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<20))
	_ = z.Close()
	return b.Bytes()
})

// bomb sends much in little.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(bombing())
}

// TestWhatTheSignalsAreWorth: the same table for the questions that say whether a
// number may be believed.
func TestWhatTheSignalsAreWorth(t *testing.T) {
	fresh := func(age, covered string) string {
		return vector(`{"model":"m","tessera_part":"age"}`, age, `{"model":"m","tessera_part":"window"}`, covered)
	}
	up := func(good, bad string) string {
		return vector(`{"model":"m","tessera_part":"1"}`, good, `{"model":"m","tessera_part":"0"}`, bad)
	}
	for name, c := range map[string]struct {
		freshness, targets string
		arrivals, backlog  string // cause; empty: known
	}{
		"all is well":          {fresh("1", "1"), up("4", "1"), "", ""},
		"too few targets":      {fresh("1", "1"), up("1", "2"), "only 1 of 3 targets are up", "only 1 of 3 targets are up"},
		"no target":            {fresh("1", "1"), up("0", "3"), "only 0 of 3", "only 0 of 3"},
		"targets unheard of":   {fresh("1", "1"), vector(), "has an up", "has an up"},
		"targets are NaN":      {fresh("1", "1"), up("NaN", "0"), "has an up", "has an up"},
		"half a window":        {fresh("1", "0.4"), up("1", "0"), "40 % covered", ""},
		"window is NaN":        {fresh("1", "NaN"), up("1", "0"), "% covered", ""},
		"no window":            {vector(`{"model":"m","tessera_part":"age"}`, "1"), up("1", "0"), "% covered", ""},
		"no sample now":        {vector(`{"model":"m","tessera_part":"window"}`, "1"), up("1", "0"), "no sample", "no sample"},
		"age is NaN":           {fresh("NaN", "1"), up("1", "0"), "an age of NaN", "an age of NaN"},
		"age is negative":      {fresh("-5", "1"), up("1", "0"), "an age of -5", "an age of -5"},
		"freshness is no JSON": {"<html>", up("1", "0"), "age of the samples is not known", "age of the samples is not known"},
		"targets are no JSON":  {fresh("1", "1"), "<html>", "whether the targets are up", "whether the targets are up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fake(t, func(w http.ResponseWriter, _ *http.Request, query string) bool {
				switch {
				case strings.Contains(query, "count_values"):
					_, _ = io.WriteString(w, c.targets)
				case strings.Contains(query, "sum_over_time"):
					_, _ = io.WriteString(w, c.freshness)
				default:
					return false
				}
				return true
			})
			got, err := fakeReader(t, prometheus.Config{URL: s.URL}).Read(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for cause, s := range map[string]fleet.Signal{"arrivals " + c.arrivals: got.Models["m"].Arrivals, "backlog " + c.backlog: got.Models["m"].Backlog} {
				what, cause, _ := strings.Cut(cause, " ")
				if _, known := s.Read(); known != (cause == "") || !strings.Contains(s.Cause(), cause) {
					t.Errorf("%s are %v, want cause %q", what, s, cause)
				}
			}
		})
	}
}

// TestServerThatCanNotBeAsked is an error, which says what is wrong with it.
func TestServerThatCanNotBeAsked(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	all := func(body string, code int) string {
		return fake(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
			return true
		}).URL
	}
	hangs := fake(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		<-r.Context().Done()
		return true
	}).URL
	clockOnly := fake(t, func(w http.ResponseWriter, _ *http.Request, query string) bool {
		if query != "time()" {
			_, _ = io.WriteString(w, "<html>")
		}
		return query != "time()"
	}).URL
	for name, c := range map[string]struct{ url, want string }{
		"nobody there":    {closed.URL, "can not be asked"},
		"a web page":      {all("<html>", 200), "answers, but not as a Prometheus API"},
		"not found":       {all("404 page not found", 404), "answers, but not as a Prometheus API: client_error: client error: 404"},
		"a vector":        {all(vector(), 200), "time() is a vector"},
		"a broken clock":  {all(`{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`, 200), "time() is NaN"},
		"overloaded":      {all("busy", 503), "refuses: server_error: server error: 503: busy"},
		"hangs":           {hangs, "did not answer within 300ms"},
		"link-local":      {"http://169.254.169.254", "link-local"},
		"link-local IPv6": {"http://[fe80::1%25lo]:9090", "link-local"},
		"mapped":          {"http://[::ffff:169.254.169.254]", "link-local"},
	} {
		r := fakeReader(t, prometheus.Config{URL: c.url, Timeout: 300 * time.Millisecond})
		if _, err := r.Read(t.Context(), time.Now()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Read says %v, want %q", name, err, c.want)
		}
		if err := r.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Probe says %v, want %q", name, err, c.want)
		}
		if _, err := r.History(t.Context(), "m", time.Now()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: History says %v, want %q", name, err, c.want)
		}
	}
	if _, err := fakeReader(t, prometheus.Config{URL: clockOnly}).Read(t.Context(), time.Now()); err == nil {
		t.Error("a server that answers nothing but its time can be read")
	}
	if err := fakeReader(t, prometheus.Config{URL: clockOnly}).Probe(t.Context()); err != nil {
		t.Errorf("a server that tells its time does not pass: %v", err)
	}
}

// TestDeadlineHolds: however many queries hang, Read ends with its context.
func TestDeadlineHolds(t *testing.T) {
	s := fake(t, func(_ http.ResponseWriter, r *http.Request, query string) bool {
		if query != "time()" {
			<-r.Context().Done()
		}
		return query != "time()"
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := fakeReader(t, prometheus.Config{URL: s.URL, Timeout: time.Hour}).Read(ctx, time.Now())
	if err == nil || ctx.Err() == nil {
		t.Errorf("Read ended before its context with %v", err)
	}
}

// TestOneModelWaitsForAll: a server that lets the first model wait is not asked for
// the past of the others at once, or a start would wait for all of them in turn.
func TestOneModelWaitsForAll(t *testing.T) {
	s := fake(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		<-r.Context().Done()
		return true
	})
	models, count := map[fleet.ModelName]prometheus.Key{}, &counting{}
	for i := range 50 {
		name := fmt.Sprintf("m%d", i)
		models[fleet.ModelName(name)] = prometheus.Key{"model": name}
	}
	r, err := prometheus.New(prometheus.Config{URL: s.URL, Timeout: 50 * time.Millisecond, Transport: count},
		[]prometheus.Source{{Pack: prometheus.BuiltinPacks()["triton"], Models: models}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name := range models {
		if _, err := r.History(t.Context(), name, time.Now()); err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if count.n > 2 {
		t.Errorf("it was asked %d times", count.n)
	}
}

// TestSkewIsReported and changes nothing else: ages are the server's own.
func TestSkewIsReported(t *testing.T) {
	s := fake(t, func(http.ResponseWriter, *http.Request, string) bool { return false })
	got, err := fakeReader(t, prometheus.Config{URL: s.URL}).Read(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if (got.Skew-time.Until(time.Unix(serverTime, 0))).Abs() > 5*time.Second || got.At.Unix() != serverTime {
		t.Errorf("the skew is %v, the time %v", got.Skew, got.At)
	}
	if age := got.Models["m"].Arrivals.Age(); age != 1100*time.Millisecond {
		t.Errorf("the age is %v", age)
	}
}

// TestCredentials: the token is read anew for each request and goes nowhere else.
func TestCredentials(t *testing.T) {
	var leaked atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	t.Cleanup(elsewhere.Close)
	file := filepath.Join(t.TempDir(), "token")
	var seen atomic.Value
	redirect := atomic.Bool{}
	s := fake(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		seen.Store(r.Header.Get("Authorization"))
		if redirect.Load() {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}
		return redirect.Load()
	})
	r := fakeReader(t, prometheus.Config{URL: s.URL, BearerTokenFile: file})
	if err := r.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "bearer token") {
		t.Errorf("without a token file: %v", err)
	}
	for _, token := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.Probe(t.Context()); err != nil || seen.Load() != "Bearer "+token {
			t.Errorf("the token %s was sent as %v, %v", token, seen.Load(), err)
		}
	}
	redirect.Store(true)
	if err := r.Probe(t.Context()); err == nil || leaked.Load() {
		t.Errorf("a redirect was followed: %v", err)
	}
}

// TestMemoryIsBounded: a gigabyte is not kept.
func TestMemoryIsBounded(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, r *http.Request, query string) bool {
		if query != "time()" {
			endless(w, r)
		}
		return query != "time()"
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := fakeReader(t, prometheus.Config{URL: s.URL}).Read(t.Context(), time.Now())
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "8 MiB") {
		t.Errorf("a gigabyte for everything: %v", err)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 512 {
		t.Errorf("%d MiB were allocated", used)
	}
}

// TestConfigurations that can not work are refused at once.
func TestConfigurations(t *testing.T) {
	triton := prometheus.BuiltinPacks()["triton"]
	good := prometheus.Config{URL: "http://prometheus:9090"}
	key := func(v string) prometheus.Key { return prometheus.Key{"model": v} }
	for want, c := range map[string]struct {
		config prometheus.Config
		source prometheus.Source
	}{
		"http://host:9090":      {config: prometheus.Config{URL: "prometheus:9090"}},
		"bearer token file":     {config: prometheus.Config{URL: "http://user:secret@prometheus"}},
		"behind ?":              {config: prometheus.Config{URL: "http://prometheus?tenant=a"}},
		"window = 1ms":          {config: prometheus.Config{URL: good.URL, Window: time.Millisecond}},
		"minimum coverage = -1": {config: prometheus.Config{URL: good.URL, MinCoverage: -1}},
		"timeout = -1s":         {config: prometheus.Config{URL: good.URL, Timeout: -time.Second}},
		"no such file":          {config: prometheus.Config{URL: good.URL, CAFile: "/none"}},
		"the key has 0 labels":  {good, prometheus.Source{Pack: triton, Models: map[fleet.ModelName]prometheus.Key{"a": {}}}},
		`no value for "model"`:  {good, prometheus.Source{Pack: triton, Models: map[fleet.ModelName]prometheus.Key{"a": {"mode": "x"}}}},
		"not UTF-8":             {good, prometheus.Source{Pack: triton, Models: map[fleet.ModelName]prometheus.Key{"a": key("\xff")}}},
		"models a and b are both": {good, prometheus.Source{Pack: triton, Models: map[fleet.ModelName]prometheus.Key{
			"a": key("x"), "b": key("x"),
		}}},
		"knows pods only":       {good, prometheus.Source{Pack: prometheus.BuiltinPacks()["dcgm"], Models: map[fleet.ModelName]prometheus.Key{"a": {}}}},
		"not the name of":       {good, prometheus.Source{Pack: triton, Matchers: map[string]string{`a"`: ""}}},
		"give it in their keys": {good, prometheus.Source{Pack: triton, Matchers: map[string]string{"model": "x"}}},
	} {
		_, err := prometheus.New(c.config, []prometheus.Source{c.source}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}
