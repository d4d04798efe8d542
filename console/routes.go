package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed static
var static embed.FS

// Handler answers everything that the server serves:
//
//	/            the page; ?decisions=all shows the whole log
//	/part        the changing part of the page, which its script asks for
//	/api/state   the newest state as JSON
//	/metrics     the metrics
//	/readyz      200 when the service may be relied on, else 503, with its checks
//	/healthz     200 while the loop moves, else 503
//	/static/     style, script and mark
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.serveTemplate("page"))
	mux.HandleFunc("/part", s.serveTemplate("main"))
	mux.HandleFunc("/api/state", s.serveState)
	mux.HandleFunc("/readyz", s.serveReady)
	mux.HandleFunc("/healthz", s.serveHealth)
	mux.Handle("/metrics", promhttp.HandlerFor(s.board.gatherer, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // one bad sample must not hide the others
		MaxRequestsInFlight: 8,
	}))
	mux.Handle("/static/", http.FileServerFS(static))
	return guarded(mux)
}

// guarded refuses what is not a reading and sets the headers that keep a browser
// from doing more with an answer than showing it. The page has no inline script
// and no inline style, so the policy needs no exception.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the console only answers GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) serveTemplate(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g := s.board.look(true)
		decisions := pageDecisions
		if r.URL.Query().Get("decisions") == "all" {
			decisions = logLength
		}
		verdict := g.readiness(s.staleAfter)
		p := page{view: newView(g, verdict.Ready, decisions), Wall: g.now, Verdict: verdict, Logged: len(g.log.entries)}
		p.Shown = len(p.Decisions)
		if g.state != nil {
			p.Charts = chartsOf(&g.past, g.state.Settings.Policy.Models)
		}
		body, err := render(name, p)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		send(w, http.StatusOK, "text/html; charset=utf-8", body)
	}
}

// serveState answers with the state, or with nothing new to who has it already.
func (s *Server) serveState(w http.ResponseWriter, r *http.Request) {
	g := s.board.look(false)
	ready := g.readiness(s.staleAfter).Ready
	tag := fmt.Sprintf(`"%x-%d-%t"`, g.pulse.born.UnixNano(), g.revision, ready)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.sendJSON(w, r, http.StatusOK, newView(g, ready, apiDecisions))
}

func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	v := s.board.look(false).readiness(s.staleAfter)
	status := http.StatusOK
	if !v.Ready {
		status = http.StatusServiceUnavailable
	}
	s.sendJSON(w, r, status, v)
}

func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	c := s.board.look(false).liveness(s.stuckAfter)
	status := http.StatusOK
	if !c.OK {
		status = http.StatusServiceUnavailable
	}
	s.sendJSON(w, r, status, c)
}

func (s *Server) sendJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	send(w, status, "application/json", append(body, '\n'))
}

// fail answers that something of ours went wrong; what it was stands in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Error("answer not made", "path", r.URL.Path, "cause", err)
	http.Error(w, "the answer could not be made; the log of the service says why", http.StatusInternalServerError)
}

func send(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader that went away needs no answer
}
