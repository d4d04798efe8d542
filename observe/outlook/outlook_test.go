package outlook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// server is a forecaster outside. What it answers can be changed while it runs.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []Request
	answer func(http.ResponseWriter, Request)
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{answer: tenTimes}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked Request
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Method != http.MethodPost {
			http.Error(w, "not a request", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.asked = append(s.asked, asked)
		answer := s.answer
		s.mu.Unlock()
		answer(w, asked)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) say(answer func(http.ResponseWriter, Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.asked...)
}

// tenTimes forecasts ten times the newest known value at each level and lead.
func tenTimes(w http.ResponseWriter, r Request) {
	var reply Reply
	for _, series := range r.Series {
		f := Forecast{Model: series.Model}
		newest := 0.0
		for _, v := range series.Values {
			if v != nil {
				newest = *v
			}
		}
		for range r.Leads {
			q := make([]float64, len(r.Levels))
			for i, level := range r.Levels {
				q[i] = newest * 10 * level
			}
			f.Quantiles = append(f.Quantiles, q)
		}
		reply.Forecasts = append(reply.Forecasts, f)
	}
	_ = json.NewEncoder(w).Encode(reply)
}

// panelOf makes two forecasters that observed half an hour at one and two a second.
func panelOf(t *testing.T, c Config) (en, fr forecast.Forecaster, make control.Forecasters) {
	t.Helper()
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	forecasters := client.Forecasters(func(fleet.Model) forecast.Forecaster { return forecast.NewSeasonal(time.Minute) })
	en, fr = forecasters(fleet.Model{Name: "en"}), forecasters(fleet.Model{Name: "fr"})
	for i := range 30 {
		at := noon.Add(time.Duration(i-30) * time.Minute)
		for f, rate := range map[forecast.Forecaster]float64{en: 1, fr: 2} {
			o := forecast.Observation{At: at, Value: rate, Known: i != 7}
			if err := f.Observe(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	return en, fr, forecasters
}

var leads = forecast.Leads(time.Hour)

// TestTheServersForecastStands: one request a round for all models, with what was seen
// of them, and the answers in the place of the own forecasts.
func TestTheServersForecastStands(t *testing.T) {
	s := newServer(t)
	en, fr, _ := panelOf(t, Config{URL: s.URL, History: 20 * time.Minute})
	for f, rate := range map[forecast.Forecaster]float64{en: 1, fr: 2} {
		p := f.Forecast(noon, leads)
		if p.Basis != BasisExternal || len(p.Points) != len(leads) || !p.At.Equal(noon) {
			t.Fatalf("basis %q with %d points, want %q with %d", p.Basis, len(p.Points), BasisExternal, len(leads))
		}
		if got, want := p.Quantile(0.9, 10*time.Minute), rate*9; got != want {
			t.Errorf("0.9 quantile %v, the server said %v", got, want)
		}
	}
	asked := s.requests()
	if len(asked) != 1 {
		t.Fatalf("%d requests in one round, want 1", len(asked))
	}
	r := asked[0]
	if r.Version != Version || !r.Now.Equal(noon) || r.StepSeconds != 60 || len(r.Leads) != len(leads) || r.Leads[5] != 300 || len(r.Series) != 2 {
		t.Errorf("request %+v", r)
	}
	one := r.Series[0]
	if one.Model != "en" || !one.From.Equal(noon.Add(-20*time.Minute)) || len(one.Values) != 20 {
		t.Errorf("series %s from %s with %d values, want en from 11:40 with 20", one.Model, one.From, len(one.Values))
	}
	en.Forecast(noon.Add(time.Minute), leads)
	if got := len(s.requests()); got != 2 {
		t.Errorf("%d requests after two rounds", got)
	}
}

// TestGapsAreNull, and never zero.
func TestGapsAreNull(t *testing.T) {
	s := newServer(t)
	en, _, _ := panelOf(t, Config{URL: s.URL})
	if err := en.Observe(forecast.Observation{At: noon.Add(3 * time.Minute), Value: 5, Known: true}); err != nil {
		t.Fatal(err)
	}
	en.Forecast(noon.Add(5*time.Minute), leads)
	values := s.requests()[0].Series[0].Values
	var nulls []int
	for i, v := range values {
		if v == nil {
			nulls = append(nulls, i)
		}
	}
	if len(values) != 34 || fmt.Sprint(nulls) != "[7 30 31 32]" {
		t.Errorf("%d values with nulls at %v, want 34 with nulls at the gap and at what never came", len(values), nulls)
	}
}

// TestWhatIsNoForecastIsSetAside: the own forecast stands for the model it is about,
// and for no other.
func TestWhatIsNoForecastIsSetAside(t *testing.T) {
	for name, spoil := range map[string]func(*Forecast){
		"crossing quantiles": func(f *Forecast) { f.Quantiles[3][2] = f.Quantiles[3][4] + 1 },
		"a negative rate":    func(f *Forecast) { f.Quantiles[0][0] = -1 },
		"an absurd rate":     func(f *Forecast) { f.Quantiles[0][10] = 1e300 },
		"a lead missing":     func(f *Forecast) { f.Quantiles = f.Quantiles[1:] },
		"a level missing":    func(f *Forecast) { f.Quantiles[7] = f.Quantiles[7][1:] },
		"a mean too many":    func(f *Forecast) { f.Mean = []float64{1} },
		"the model missing":  func(f *Forecast) { f.Model = "it" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.say(func(w http.ResponseWriter, r Request) {
				recorder := httptest.NewRecorder()
				tenTimes(recorder, r)
				var reply Reply
				if err := json.Unmarshal(recorder.Body.Bytes(), &reply); err != nil {
					t.Error(err)
				}
				spoil(&reply.Forecasts[0])
				_ = json.NewEncoder(w).Encode(reply)
			})
			en, fr, _ := panelOf(t, Config{URL: s.URL})
			if p := en.Forecast(noon, leads); p.Basis == BasisExternal {
				t.Error("it was taken for a forecast")
			}
			if p := fr.Forecast(noon, leads); p.Basis != BasisExternal {
				t.Error("the other model lost its forecast with it")
			}
		})
	}
}

// TestAServerThatFailsIsLeftAlone for longer and longer, costs no round more than its
// timeout, and is used again when it answers.
func TestAServerThatFailsIsLeftAlone(t *testing.T) {
	s := newServer(t)
	block := make(chan struct{})
	release := sync.OnceFunc(func() { close(block) })
	t.Cleanup(release)
	for name, fails := range map[string]func(http.ResponseWriter, Request){
		"error":    func(w http.ResponseWriter, _ Request) { http.Error(w, "out of memory", http.StatusInternalServerError) },
		"nonsense": func(w http.ResponseWriter, _ Request) { _, _ = w.Write([]byte("<html>")) },
		"redirect": func(w http.ResponseWriter, _ Request) {
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusFound)
		},
		"endless": func(w http.ResponseWriter, _ Request) { _, _ = w.Write([]byte(strings.Repeat(" ", 9<<20))) },
		"silence": func(http.ResponseWriter, Request) { <-block },
	} {
		t.Run(name, func(t *testing.T) {
			s.say(fails)
			before := len(s.requests())
			en, fr, _ := panelOf(t, Config{URL: s.URL, Timeout: 100 * time.Millisecond})
			const rounds = 40
			for i := range rounds {
				at := noon.Add(time.Duration(i) * time.Minute)
				for _, f := range []forecast.Forecaster{en, fr} {
					if p := f.Forecast(at, leads); p.Basis != forecast.BasisLevel {
						t.Fatalf("round %d rests on %q, want the own forecast", i, p.Basis)
					}
				}
			}
			if asked := len(s.requests()) - before; asked < 4 || asked > 7 {
				t.Errorf("asked %d times in %d rounds of failures, want about five", asked, rounds)
			}
			s.say(tenTimes)
			used := false
			for i := range longestPause {
				used = used || en.Forecast(noon.Add(time.Hour+time.Duration(i)*time.Minute), leads).Basis == BasisExternal
				fr.Forecast(noon.Add(time.Hour+time.Duration(i)*time.Minute), leads)
			}
			if !used {
				t.Error("a server that answers again is not used")
			}
		})
	}
	release()
}

// TestModelsThatLeftAreNotAskedAbout, and those that came are.
func TestModelsThatLeftAreNotAskedAbout(t *testing.T) {
	s := newServer(t)
	en, _, forecasters := panelOf(t, Config{URL: s.URL})
	en.Forecast(noon, leads)
	it := forecasters(fleet.Model{Name: "it"})
	for i := range 2 {
		at := noon.Add(time.Duration(i+1) * time.Minute)
		en.Forecast(at, leads)
		it.Forecast(at, leads)
	}
	asked := s.requests()
	var names []string
	for _, series := range asked[len(asked)-1].Series {
		names = append(names, string(series.Model))
	}
	if got := strings.Join(names, " "); got != "en it" {
		t.Errorf("the last request is about %q, want en and it: fr was not forecast any more", got)
	}
}

// TestWrongConfigurationsAreRefused with what to write instead.
func TestWrongConfigurationsAreRefused(t *testing.T) {
	for want, c := range map[string]Config{
		"write it as http":  {URL: "forecaster:8080"},
		"bearer token file": {URL: "http://me:secret@host/"},
		"a minute of":       {URL: "http://host/", History: time.Second},
		"read the CA":       {URL: "https://host/", CAFile: "/nowhere"},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one that says %q", c, err, want)
		}
	}
}

var _ control.Forecasters = (&Client{}).Forecasters(nil)
