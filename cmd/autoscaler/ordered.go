package main

import (
	"context"
	"sync"
)

// inOrder works on items with several workers and emits the answers in the order of
// the items, holding no more than a few of them back. It stops at the first error,
// that of the earliest item, and returns when nothing of it runs any more.
func inOrder[T, R any](ctx context.Context, workers int, items []T, work func(T) (R, error), emit func(R) error) error {
	type answer struct {
		value R
		err   error
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	promised := make(chan chan answer, 4*workers) // in the order of the items
	free := make(chan struct{}, workers)
	running.Go(func() {
		defer close(promised)
		for _, item := range items {
			promise := make(chan answer, 1)
			select {
			case promised <- promise:
			case <-ctx.Done():
				return
			}
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			running.Go(func() {
				defer func() { <-free }()
				value, err := work(item)
				promise <- answer{value, err}
			})
		}
	})
	for promise := range promised {
		select {
		case a := <-promise:
			if a.err != nil {
				return a.err
			}
			if err := emit(a.value); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}
