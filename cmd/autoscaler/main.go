// Command autoscaler is Tessera: it runs the service, replays traffic in a
// simulator, packs models onto GPUs and checks policies.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // scenarios name time zones; a container often has none

	"k8s.io/klog/v2"
)

func main() {
	// client-go says the same trouble again and again; the service says it once.
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: arguments in, exit code out.
func run(ctx context.Context, args []string, out, diagnostics io.Writer) int {
	root := newRoot(out, diagnostics)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; what was not finished has no result")
	}
	var coded *exitError
	if !errors.As(err, &coded) {
		coded = &exitError{code: exitFailure, err: err}
	}
	if text := coded.Error(); text != "" {
		fmt.Fprintln(diagnostics, text)
	}
	return coded.code
}

// The exit codes. They are an interface: scripts and CI rely on them.
const (
	exitOK      = 0
	exitFailure = 1 // something broke while running
	exitUsage   = 2 // the command line makes no sense
	exitInput   = 3 // a policy or another input is wrong
	exitGate    = 4 // a gate of --fail-on failed
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error of the command line.
func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// invalid marks an error of what was read.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: exitInput, err: err}
}
