package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// What a probe allows when no option says otherwise.
const (
	defaultStaleAfter = 2 * time.Minute
	defaultStuckAfter = 5 * time.Minute
)

// Server serves a board over HTTP: the page, its API, the metrics and the probes.
// It answers GET and HEAD only and changes nothing.
type Server struct {
	addr       string
	board      *Board
	log        *slog.Logger
	staleAfter time.Duration
	stuckAfter time.Duration

	http     *http.Server
	listener net.Listener
	done     chan struct{} // closed when serving has ended
	failure  error         // why it ended, when nobody asked for it; read after done
}

// Option changes how a server behaves.
type Option func(*Server)

// StaleAfter sets for how long after the last good tick, in wall-clock time, the
// service still counts as ready. The default is two minutes.
func StaleAfter(d time.Duration) Option { return func(s *Server) { s.staleAfter = d } }

// StuckAfter sets for how long after the last tick, good or bad, the loop still
// counts as alive. It must allow for the first tick, which comes after the past
// was read. The default is five minutes.
func StuckAfter(d time.Duration) Option { return func(s *Server) { s.stuckAfter = d } }

// Log sets where trouble with connections is told; without it, nowhere.
func Log(l *slog.Logger) Option { return func(s *Server) { s.log = l } }

// NewServer makes a server for an address such as "127.0.0.1:8080". Port 0 takes
// a free one, which Addr tells after Start.
func NewServer(addr string, b *Board, options ...Option) *Server {
	s := &Server{
		addr: addr, board: b, log: slog.New(slog.DiscardHandler),
		staleAfter: defaultStaleAfter, stuckAfter: defaultStuckAfter,
	}
	for _, option := range options {
		option(s)
	}
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return s
}

// Start binds the address and serves from a goroutine; once it returns, requests
// are answered. A server starts once.
func (s *Server) Start() error {
	if s.done != nil {
		return fmt.Errorf("serve the console on %s: it was started before", s.addr)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("serve the console on %s: %w", s.addr, err)
	}
	s.listener, s.done = listener, make(chan struct{})
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failure = fmt.Errorf("serve the console on %s: %w", s.addr, err)
			s.log.Error("the console stopped serving", "cause", err)
		}
	}()
	return nil
}

// Addr is the address that was bound, or the one that was asked for before Start.
func (s *Server) Addr() string {
	if s.listener == nil {
		return s.addr
	}
	return s.listener.Addr().String()
}

// Stop makes the service unready, lets requests under way end for as long as ctx
// allows, cuts those that remain, and waits until nothing serves any more. A
// server that never started stops at once.
func (s *Server) Stop(ctx context.Context) error {
	s.board.SetNotReady("shutting down")
	if s.done == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("let the console's requests end: %w", errors.Join(err, s.http.Close()))
	}
	<-s.done
	return errors.Join(err, s.failure)
}
