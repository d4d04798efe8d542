package emitter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// target is one thing to scrape.
type target struct {
	path, job       string
	namespace, name string // of the pod, if it is one
	traffic         *traffic
	server          *server
}

// targets lists all that can be scraped now.
func (e *Emitter) targets() []target {
	all := []target{{path: "/metrics/gateway", job: JobGateway}, {path: "/metrics/kafka", job: JobKafka}, {path: "/metrics/dcgm", job: JobDCGM}}
	for _, t := range e.models {
		for _, s := range t.servers {
			if s.present {
				all = append(all, target{"/metrics/" + s.key, string(t.Pack), s.namespace, s.name, t, s})
			}
		}
	}
	return all
}

// body is what a target answers.
func (e *Emitter) body(target target) ([]byte, error) {
	if b, ok := e.faults.frozen[target.path]; ok {
		return b, nil
	}
	p := &page{faults: e.faults, job: target.job}
	if target.server != nil {
		p.server(target.traffic, target.server)
	} else {
		for _, t := range e.models {
			p.fleet(t)
		}
	}
	b, err := p.text()
	if err == nil && e.faults.frozen != nil {
		e.faults.frozen[target.path] = b
	}
	return b, err
}

// fleet adds what a page that is not a pod's says about a model.
func (p *page) fleet(t *traffic) {
	switch {
	case p.job == JobDCGM:
		for _, s := range t.servers {
			if s.present {
				p.dcgm(t, s)
			}
		}
	case p.job == JobKafka && t.asynchronous():
		p.kafka(t)
	case p.job == JobGateway && !t.asynchronous():
		p.gateway(t)
	}
}

// routes maps the paths.
func (e *Emitter) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sd", e.discover)
	mux.HandleFunc("GET /metrics/", e.metrics)
	return mux
}

// ServeHTTP implements http.Handler.
func (e *Emitter) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// metrics answers for one target: 404 where there is none, 503 while it is down.
func (e *Emitter) metrics(w http.ResponseWriter, r *http.Request) {
	body, status, err := e.scrape(r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(body)
}

func (e *Emitter) scrape(path string) ([]byte, int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	for _, target := range e.targets() {
		switch {
		case target.path != path:
			continue
		case e.faults.down[target.job]:
			return nil, http.StatusServiceUnavailable, fmt.Errorf("%s is down, as the test wants it", target.job)
		}
		b, err := e.body(target)
		return b, http.StatusInternalServerError, err
	}
	return nil, http.StatusNotFound, fmt.Errorf("nothing to scrape at %s: /sd lists what there is", path)
}

// group is an entry of Prometheus' http_sd format.
type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover lists the targets at the address that was asked.
func (e *Emitter) discover(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	groups := []group{}
	for _, t := range e.targets() {
		labels := map[string]string{"__metrics_path__": t.path, "job": t.job}
		if t.server != nil {
			labels["namespace"], labels["pod"] = t.namespace, t.name
		}
		groups = append(groups, group{[]string{r.Host}, labels})
	}
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups)
}

// URL is where a started emitter listens: http://host:port.
func (e *Emitter) URL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return "http://" + e.address
}

// ScrapeConfig is an entry of scrape_configs in prometheus.yml that follows a started
// emitter's targets.
func (e *Emitter) ScrapeConfig(interval time.Duration) string {
	return fmt.Sprintf("- job_name: emitter\n  scrape_interval: %dms\n  scrape_timeout: %dms\n  http_sd_configs:\n  - {url: %q, refresh_interval: 1s}\n",
		interval.Milliseconds(), interval.Milliseconds(), e.URL()+"/sd")
}
