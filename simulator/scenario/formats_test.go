package scenario

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recordedAt is a disk with a scenario whose only entry of traffic is a recording.
func recordedAt(entry string, files map[string]string) Loader {
	d := at(head + "  traffic:\n  - " + entry + "\n")
	for name, text := range files {
		d.files["conf/scenarios/"+name] = text
	}
	return d.loader()
}

// Entries that a person would write for recordings of other formats bring the
// requests that are in them, and what was not recorded is told.
func TestRecordingsOfOtherFormats(t *testing.T) {
	rates := "category,model,client,window_start_s,rate_rps,cv,pattern\n" +
		"language,m-mid,0,0,0.5,3,Gamma\nlanguage,m-mid,0,600,1,2,Weibull\n" +
		"language,m-mid,1,0,0.1,,\nlanguage,m-mid,1,600,0,0,\n" +
		"language,m-large,0,0,1,1,Gamma\nlanguage,m-large,0,600,1,1,Gamma\n"
	tokens := "model,client,window_s,mean_input_tokens,mean_output_tokens\nm-mid,0,0,100,10\nm-mid,1,0,300,30\n"
	for name, tt := range map[string]struct {
		entry    string
		file     string
		requests int64
		notes    []string
	}{
		"ServeGen": {
			`{trace: f, tokens: t, begins: 2026-09-14T08:00:00Z, models: {m-mid: transcribe-fr}, work: {input: 0.01, output: 0.1, spread: lognormal, cv: 0.8}, arrivals: gamma, scale: 0.5}`,
			rates, 480,
			[]string{"the last 1h40m"},
		},
		"call centre": {
			`{trace: f, begins: 2026-09-14T01:00:00Z, models: {"*": transcribe-fr}, work: {spread: exponential}}`,
			"day,slot_of_169,calls\n0,0,30\n0,1,20\n0,3,10\n", 60,
			[]string{"says nothing of 5m of transcribe-fr in 1 gaps", "the last 1h40m"},
		},
		"series of values": {
			`{trace: f, models: {"*": transcribe-fr}, scale: 2}`,
			"timestamp,value\n2026-09-14 08:00:00,5\n2026-09-14 08:05:00,6\n", 22,
			[]string{"the last 1h50m"},
		},
		"moved": {
			`{trace: f, begins: 2026-09-14T08:00:00Z, models: {"*": transcribe-fr}, arrivals: gamma, cv: 4}`,
			"timestamp,value\n2015-02-26 21:42:53,5\n2015-02-26 21:47:53,6\n", 11,
			[]string{"the last 1h50m"},
		},
		"gaps filled": {
			`{trace: f, begins: 2026-09-14T08:00:00Z, models: {A: transcribe-fr}, fill: 10m}`,
			"minute,A,B\n0,10,1\n1,,1\n2,20,\n3,30,1\n", 75,
			[]string{"says nothing of 1m of transcribe-fr in 1 gaps: filled by straight lines", "the last 1h56m"},
		},
		"Azure": {
			`{trace: f, models: {"*": transcribe-fr}, work: {input: 0.001, output: 0.01}}`,
			"TIMESTAMP,ContextTokens,GeneratedTokens\n2026-09-14 08:00:01.1234567,374,44\n2026-09-14 08:00:02.0,396,109\n", 2,
			[]string{"the first 1s", "the last 1h59m"},
		},
		"a panel of Grafana": {
			`{trace: f, unit: rate, models: {fr: transcribe-fr, en: transcribe-en}}`,
			"\"Time\",\"fr\",\"en\"\n1789372800000,1.5,2\n1789372860000,0.5,\n", 120,
			[]string{"the last 1h58m"},
		},
		"one value a line, from the history on": {
			`{trace: f, step: 15m, models: {"*": transcribe-fr}}`,
			"100\n200\n300\n400\n", 700,
			[]string{"the last 1h30m"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustLoad(t, recordedAt(tt.entry, map[string]string{"f": tt.file, "t": tokens}))
			if n := int64(len(s.play(t, 0, "transcribe-fr", 1))); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
			for _, text := range tt.notes {
				if !strings.Contains(strings.Join(s.Notes, "\n"), text) {
					t.Errorf("notes %q do not say %q", s.Notes, text)
				}
			}
		})
	}
}

// What an entry says wrongly is told with what was perhaps meant.
func TestEntriesOfRecordingsThatMakeNoSense(t *testing.T) {
	const series = "timestamp,value\n2026-09-14 08:00:00,5\n2026-09-14 08:05:00,6\n"
	for entry, says := range map[string][]string{
		`{trace: f, formt: series, models: {"*": transcribe-fr}}`:                     {`did you mean "format"?`},
		`{trace: f, format: serie, models: {"*": transcribe-fr}}`:                     {"test.yaml:12:", `did you mean "series"?`},
		`{trace: f, unit: rates, models: {"*": transcribe-fr}}`:                       {`did you mean "rate"?`},
		`{trace: f, arrivals: gama, models: {"*": transcribe-fr}}`:                    {`did you mean "gamma"?`},
		`{trace: f, arrivals: gamma, models: {"*": transcribe-fr}}`:                   {"no coefficient of variation", "give cv"},
		`{trace: f, cv: 3, models: {"*": transcribe-fr}}`:                             {"only gamma arrivals"},
		`{trace: f, work: {spread: lognormal}, models: {"*": transcribe-fr}}`:         {"cv 0"},
		`{trace: f, work: {spread: lognormla, cv: 1}, models: {"*": transcribe-fr}}`:  {`did you mean "lognormal"?`},
		`{trace: f, tokens: t, models: {"*": transcribe-fr}}`:                         {"no work is made of tokens"},
		`{trace: f, tokens: nowhere, work: {input: 1}, models: {"*": transcribe-fr}}`: {"nowhere is not there"},
		`{trace: f}`: {"names no model", `models: {"*": NAME}`},
		`{generate: {model: transcribe-fr, shape: poisson, peak: 2}, arrivals: gamma}`: {"has no effect on generated traffic"},
		`{trace: f, format: grafana, models: {"*": transcribe-fr}}`:                    {"say that the unit is rate"},
	} {
		refused(t, recordedAt(entry, map[string]string{"f": series, "t": "x"}), says...)
	}
}

// A day of a recorded fleet, thinned: the clients' own burstiness, and every
// client's requests right to half of one.
func TestRecordedFleetIsThinned(t *testing.T) {
	root := recordings(t)
	d := at(strings.Replace(head, "duration: 2h", "duration: 1d", 1) + `  traffic:
  - trace: servegen/client_rates_10min.csv.gz
    tokens: servegen/client_token_means.csv.gz
    begins: 2026-09-14T00:00:00Z
    models: {m-mid: transcribe-fr}
    work: {input: 0.0002, output: 0.01, spread: lognormal, cv: 0.8}
    arrivals: gamma
    scale: 0.003
`)
	l := Loader{Data: root, Open: func(path string) (io.ReadCloser, error) {
		if strings.HasPrefix(path, root) {
			return os.Open(filepath.FromSlash(path))
		}
		return d.open(path)
	}}
	s := mustLoad(t, l)
	got := s.play(t, 0, "transcribe-fr", 1)
	if n := int(s.feeds[0].expects); n != len(got) || n < 300_000 || n > 800_000 {
		t.Errorf("%d requests, %d promised", len(got), n)
	}
	last := time.Duration(0)
	for _, r := range got {
		if r.At < last || r.At >= s.Duration {
			t.Fatalf("a request at %v after %v", r.At, last)
		}
		last = r.At
	}
	if s.Ignored["m-large"] == 0 || s.Scales["servegen/client_rates_10min.csv.gz"] != 0.003 {
		t.Errorf("ignored %v, scales %v", s.Ignored, s.Scales)
	}
}
