package emitter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Emitter is the world of the model servers. It is an http.Handler with the paths
//
//	/sd                           targets, as Prometheus' http_sd wants them
//	/metrics/<namespace>/<pod>    Triton or vLLM of a pod
//	/metrics/dcgm                 the slices of all pods
//	/metrics/gateway              the front door of all models that are not asynchronous
//	/metrics/kafka                topics and consumer groups of asynchronous models
//
// All its methods may be called at any time from any goroutine.
type Emitter struct {
	options Options
	mux     *http.ServeMux

	mu      sync.Mutex
	now     time.Time
	models  []*traffic // by name
	byName  map[string]*traffic
	faults  faults
	address string // of the listener, empty before Start

	stop context.CancelFunc
	done sync.WaitGroup
}

// New makes an emitter whose time stands still until Start or Step. The error names
// the option that is wrong.
func New(options Options) (*Emitter, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("emitter: %w", err)
	}
	e := &Emitter{options: options, now: options.Start, byName: map[string]*traffic{}, faults: newFaults(), stop: func() {}}
	if !options.Manual {
		e.now = options.Clock.Now()
	}
	for _, m := range options.Models {
		t := &traffic{Model: m, random: newRandom(options.Seed, m.Name), rate: options.Rate, latency: newHistogram(gatewayBounds(m.SLO))}
		e.models = append(e.models, t)
		e.byName[m.Name] = t
	}
	slices.SortFunc(e.models, func(a, b *traffic) int { return cmp.Compare(a.Name, b.Name) })
	e.mux = e.routes()
	return e, nil
}

// Start listens, watches the pods if there is a client, waits until it has seen them
// all, and lets time flow unless it moves by hand. All of it ends with the context or
// with Close.
func (e *Emitter) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", e.options.Address)
	if err != nil {
		return fmt.Errorf("emitter: listening on %s: %w: give a free address of this machine", e.options.Address, err)
	}
	ctx, stop := context.WithCancel(ctx)
	e.mu.Lock()
	e.stop, e.address = stop, listener.Addr().String()
	e.mu.Unlock()
	e.serve(ctx, listener)
	if e.options.Client != nil {
		if err := e.watch(ctx); err != nil {
			e.Close()
			return fmt.Errorf("emitter: watching pods: %w", err)
		}
	}
	if !e.options.Manual {
		e.done.Go(func() { e.flow(ctx) })
	}
	return nil
}

// Close ends what Start began and waits for it.
func (e *Emitter) Close() {
	e.mu.Lock()
	stop := e.stop
	e.mu.Unlock()
	stop()
	e.done.Wait()
}

// serve answers HTTP until the context ends.
func (e *Emitter) serve(ctx context.Context, listener net.Listener) {
	server := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	e.done.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			e.options.Log.Error("the emitter no longer answers", "error", err)
		}
	})
	e.done.Go(func() {
		<-ctx.Done()
		_ = server.Close()
	})
}

// flow moves time with the clock.
func (e *Emitter) flow(ctx context.Context) {
	ticker := e.options.Clock.NewTicker(e.options.Tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			e.mu.Lock()
			e.catchUp()
			e.mu.Unlock()
		}
	}
}

// catchUp moves time to that of the clock, unless it moves by hand.
func (e *Emitter) catchUp() {
	if !e.options.Manual {
		e.advance(e.options.Clock.Now())
	}
}

// Step lets so much time pass. It is for emitters whose time moves by hand.
func (e *Emitter) Step(dt time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(e.now.Add(dt))
}

// advance lets traffic flow up to a time, in steps of at most a tick.
func (e *Emitter) advance(to time.Time) {
	for e.now.Before(to) {
		next := e.now.Add(e.options.Tick)
		if next.After(to) {
			next = to
		}
		for _, t := range e.models {
			t.advance(e.now, next)
		}
		e.now = next
	}
}

// Now is the emitter's time.
func (e *Emitter) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// SetRate gives one model a constant rate from now on, in requests a second.
func (e *Emitter) SetRate(model string, rate float64) {
	if !(rate >= 0) || math.IsInf(rate, 0) {
		panic(fmt.Sprintf("emitter: SetRate(%s, %v): give a finite number of requests a second, zero or more", model, rate))
	}
	e.change(model, func(t *traffic) { t.rate = func(string, time.Time) float64 { return rate } })
}

// SetRates gives all models a rate from now on.
func (e *Emitter) SetRates(rate Rate) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	for _, t := range e.models {
		t.rate = rate
	}
}

// Arrive lets n requests of a model arrive at this instant.
func (e *Emitter) Arrive(model string, n int) {
	e.change(model, func(t *traffic) { t.arrive(n, e.now, e.now) })
}

// change does something to a model at this instant.
func (e *Emitter) change(model string, do func(*traffic)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catchUp()
	do(e.model(model))
}

// model finds a model; to ask for one that is not there is a mistake of the test.
func (e *Emitter) model(name string) *traffic {
	t, ok := e.byName[name]
	if !ok {
		panic(fmt.Sprintf("emitter: no model %q: name one of Options.Models", name))
	}
	return t
}
