package judge

import (
	"context"
	"errors"
	"sync"
)

// each calls a function for every index below n, on so many workers, in ascending
// order of beginning. After the first error nothing more is begun; the error of
// the lowest index is answered.
func each(ctx context.Context, workers, n int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, n)
	next := make(chan int)
	var all sync.WaitGroup
	for range max(1, min(workers, n)) {
		all.Go(func() {
			for i := range next {
				if errs[i] = do(ctx, i); errs[i] != nil {
					stop()
				}
			}
		})
	}
	begun := 0
	for ; begun < n && ctx.Err() == nil; begun++ {
		select {
		case next <- begun:
		case <-ctx.Done():
			errs[begun] = ctx.Err()
		}
	}
	close(next)
	all.Wait()
	return firstCause(errs, ctx.Err())
}

// firstCause is the first error that is no echo of another's: runs that were
// stopped because one failed say only that they were stopped.
func firstCause(errs []error, stopped error) error {
	var first error
	for _, err := range errs {
		switch {
		case err == nil:
		case first == nil:
			first = err
		case echo(first) && !echo(err):
			first = err
		}
	}
	if first == nil {
		return stopped
	}
	return first
}

func echo(err error) bool { return errors.Is(err, context.Canceled) }
