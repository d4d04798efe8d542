package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errNotLeading stops a write of a process that does not lead, or that cannot know
// whether it still does.
var errNotLeading = errors.New("another process may lead by now")

// newIdentity names this process among those that ever held the lease: a name that
// came back would be taken for the process that bore it before.
func newIdentity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s_%d_%s", host, os.Getpid(), rand.Text()[:8])
}

// election is how processes agree on the one that leads.
type election struct {
	lock     *watchedLock
	times    leaseFile
	identity string
	log      *slog.Logger
}

func newElection(client kubernetes.Interface, c *clusterConfig, identity string, log *slog.Logger) *election {
	return &election{
		times: c.Lease, identity: identity, log: log,
		lock: &watchedLock{Interface: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: c.Ledger.Namespace, Name: c.Lease.Name},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}},
	}
}

// may tells whether a write may begin: the lease was renewed so recently that
// nobody else can have it. It is asked at every write, so that a process that was
// stopped for a while and goes on writes nothing.
func (e *election) may() error {
	renewed := e.lock.renewed.Load()
	if renewed == nil || renewed.ago() >= e.times.RenewDeadline {
		return errNotLeading
	}
	return nil
}

// moment is an instant by both clocks. The steady one does not jump, but stands still
// while the machine sleeps or is moved; that of the wall goes on, but can be set.
type moment struct{ steady, wall time.Time }

func momentNow() *moment {
	now := time.Now()
	return &moment{steady: now, wall: now.Round(0)}
}

// ago is how long the moment is past by the clock that counted more.
func (m moment) ago() time.Duration {
	return max(time.Since(m.steady), time.Now().Round(0).Sub(m.wall))
}

// run takes part until ctx ends. While this process has the lease, lead runs, with a
// context that ends with the lease; it returns when nothing of it goes on. Only then
// is the lease given away. Who else leads is told to seen.
func (e *election) run(ctx context.Context, seen func(leader string), lead func(ctx context.Context)) error {
	for ctx.Err() == nil {
		if err := e.once(ctx, seen, lead); err != nil {
			return err
		}
	}
	return nil
}

// once waits for one term and serves it.
func (e *election) once(ctx context.Context, seen func(leader string), lead func(ctx context.Context)) error {
	won := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          e.lock,
		LeaseDuration: e.times.Duration, RenewDeadline: e.times.RenewDeadline, RetryPeriod: e.times.RetryPeriod,
		ReleaseOnCancel: false, // it would give the lease away while the loop still runs
		Name:            "tessera",
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(term context.Context) { won <- term },
			OnStoppedLeading: func() {},
			OnNewLeader: func(identity string) {
				if identity != e.identity {
					seen(identity)
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("take part in the election of a leader: %w", err)
	}
	taking, retire := context.WithCancel(context.WithoutCancel(ctx)) // the lease outlives ctx until the loop stopped
	retired := make(chan struct{})
	go func() {
		defer close(retired)
		elector.Run(taking)
	}()
	select {
	case held := <-won:
		e.log.Info("leading", "identity", e.identity)
		term, end := context.WithCancel(ctx)
		stop := context.AfterFunc(held, end)
		lead(term)
		stop()
		end()
		e.log.Info("no longer leading", "identity", e.identity)
	case <-ctx.Done():
	}
	retire()
	<-retired
	e.release(context.WithoutCancel(ctx))
	return nil
}

// releaseWithin bounds how long giving the lease away may take: it ends by itself.
const releaseWithin = 2 * time.Second

// release gives the lease away if this process still has it, so that the next one
// need not wait for its end.
func (e *election) release(ctx context.Context) {
	if e.lock.renewed.Swap(nil) == nil {
		return // never had it
	}
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	record, _, err := e.lock.Get(ctx)
	if err == nil && record.HolderIdentity == e.identity {
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		record.RenewTime = metav1.Now()
		err = e.lock.Interface.Update(ctx, *record)
	}
	if err != nil {
		e.log.Warn("the lease could not be given away, so that the next leader waits for its end", "cause", err)
	}
}

// watchedLock is a lock that remembers when its holder was last sure to have it.
type watchedLock struct {
	resourcelock.Interface
	renewed atomic.Pointer[moment] // when the last request that succeeded was sent; nil while not held
	trouble atomic.Pointer[error]  // of the last request; nil when it was answered
}

// Get reads the lease.
func (l *watchedLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	l.remember(err)
	return record, raw, err
}

// Create takes a lease that was not there.
func (l *watchedLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := momentNow()
	return l.note(sent, r, l.Interface.Create(ctx, r))
}

// Update takes or renews the lease.
func (l *watchedLock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := momentNow()
	return l.note(sent, r, l.Interface.Update(ctx, r))
}

// remember keeps an error that no other process is the cause of.
func (l *watchedLock) remember(err error) {
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), errors.Is(err, context.Canceled):
		l.trouble.Store(nil)
	default:
		l.trouble.Store(&err)
	}
}

func (l *watchedLock) note(sent *moment, r resourcelock.LeaderElectionRecord, err error) error {
	l.remember(err)
	if err == nil && r.HolderIdentity == l.Identity() {
		l.renewed.Store(sent)
	}
	return err
}
