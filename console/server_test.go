package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve starts a server on a free port of this machine.
func serve(t *testing.T, b *Board, options ...Option) *Server {
	t.Helper()
	s := NewServer("127.0.0.1:0", b, options...)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// status asks over the network and reads the whole answer.
func status(t *testing.T, s *Server, method, path string) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header
}

func TestEveryAddressAnswers(t *testing.T) {
	b, _, now := board()
	s := serve(t, b)
	for _, tt := range []struct {
		when, method, path string
		want               int
	}{
		{"before the first tick", "GET", "/readyz", 503},
		{"before the first tick", "GET", "/healthz", 200},
		{"after a tick", "GET", "/", 200},
		{"after a tick", "HEAD", "/", 200},
		{"after a tick", "GET", "/part", 200},
		{"after a tick", "GET", "/?decisions=all", 200},
		{"after a tick", "GET", "/api/state", 200},
		{"after a tick", "GET", "/metrics", 200},
		{"after a tick", "GET", "/readyz", 200},
		{"after a tick", "GET", "/healthz", 200},
		{"after a tick", "GET", "/static/app.css", 200},
		{"after a tick", "GET", "/static/app.js", 200},
		{"after a tick", "GET", "/static/mark.svg", 200},
		{"after a tick", "GET", "/static/../server.go", 404},
		{"after a tick", "GET", "/nothing", 404},
		{"after a tick", "POST", "/", 405},
		{"after a tick", "DELETE", "/api/state", 405},
		{"after a tick", "POST", "/nothing", 405},
		{"long after", "GET", "/readyz", 503},
		{"long after", "GET", "/healthz", 503},
		{"long after", "GET", "/", 200},
	} {
		switch tt.when {
		case "after a tick":
			b.Publish(fixture())
		case "long after":
			b.mu.Lock()
			*now = wall.Add(time.Hour)
			b.mu.Unlock()
		}
		got, header := status(t, s, tt.method, tt.path)
		if got != tt.want {
			t.Errorf("%s, %s %s: status %d, want %d", tt.when, tt.method, tt.path, got, tt.want)
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			if header.Get(name) == "" {
				t.Errorf("%s %s: no %s", tt.method, tt.path, name)
			}
		}
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	b, _, _ := board()
	b.Publish(fixture())
	s := serve(t, b)
	// A connection that stays open after its answer must not keep Stop waiting.
	kept := &http.Client{Transport: &http.Transport{}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := kept.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()

	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.done:
	default:
		t.Error("Stop returned before serving had ended")
	}
	if b.look(false).readiness(time.Minute).Ready {
		t.Error("ready after it was stopped")
	}
	if answer, err := kept.Do(r); err == nil {
		answer.Body.Close()
		t.Error("it still answers")
	}
	kept.CloseIdleConnections()
	if left := running("tessera/console.(*Server)", "net/http.(*Server)", "net/http.(*conn)"); left != "" {
		t.Errorf("goroutines of the server are left:\n%s", left)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
	if err := s.Start(); err == nil {
		t.Error("a stopped server started again")
	}
}

// running shows goroutines with one of the functions on their stack. A goroutine
// that was told to end gets its turns to do so.
func running(functions ...string) string {
	var left string
	for range 1000 {
		var all bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
		left = ""
		for stack := range strings.SplitSeq(all.String(), "\n\n") {
			for _, f := range functions {
				if strings.Contains(stack, f) && !strings.Contains(stack, "testing.tRunner") {
					left += stack + "\n\n"
				}
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}

func TestStopCutsARequestThatDoesNotEnd(t *testing.T) {
	b, _, _ := board()
	s := serve(t, b)
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s.http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-release })
	go func() {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.Addr()+"/", nil)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
		}
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err == nil {
		t.Error("stopping was said to be graceful while a request hung")
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	b, _, _ := board()
	first := serve(t, b)
	if err := NewServer(first.Addr(), b).Start(); err == nil || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("error %v", err)
	}
}

func TestAServerThatNeverStartedStops(t *testing.T) {
	b, _, _ := board()
	if err := NewServer("127.0.0.1:0", b).Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// Ticks and readers run at the same time; the race detector watches.
func TestReadersAndTicksDoNotMeet(t *testing.T) {
	b, reg, _ := board()
	handler := NewServer("", b).Handler()
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 60 {
			s := fixture()
			s.Record.Inputs.Now = noon.Add(time.Duration(i) * binWidth)
			if i%3 == 0 { // the log merges these
				s.Record.Plan.Steps = nil
			}
			b.Publish(s)
			b.TickFailed(fmt.Errorf("tick %d", i))
		}
	})
	for _, path := range []string{"/", "/api/state", "/metrics", "/readyz", "/healthz"} {
		all.Go(func() {
			for range 12 {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			}
		})
	}
	all.Wait()
	if _, err := reg.Gather(); err != nil {
		t.Error(err)
	}
}
