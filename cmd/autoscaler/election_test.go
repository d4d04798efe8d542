package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

// leases is an API server that has one lease, with versions as a real one has them.
type leases struct {
	mu      sync.Mutex
	lease   *coordinationv1.Lease
	version int
}

// client is a way to it that can be cut.
func (l *leases) client(cut func() bool) kubernetes.Interface {
	c := fake.NewClientset()
	c.PrependReactor("*", "leases", func(action k8stesting.Action) (bool, runtime.Object, error) {
		if cut() {
			return true, nil, errors.New("connection refused")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		resource := coordinationv1.Resource("leases")
		switch a := action.(type) {
		case k8stesting.UpdateActionImpl:
			given := a.Object.(*coordinationv1.Lease)
			if given.ResourceVersion != l.lease.ResourceVersion {
				return true, nil, apierrors.NewConflict(resource, given.Name, errors.New("somebody else wrote"))
			}
			return true, l.keep(given), nil
		case k8stesting.CreateActionImpl:
			if l.lease != nil {
				return true, nil, apierrors.NewAlreadyExists(resource, l.lease.Name)
			}
			return true, l.keep(a.Object.(*coordinationv1.Lease)), nil
		}
		if l.lease == nil {
			return true, nil, apierrors.NewNotFound(resource, "tessera")
		}
		return true, l.lease.DeepCopy(), nil
	})
	return c
}

func (l *leases) keep(given *coordinationv1.Lease) *coordinationv1.Lease {
	l.version++
	l.lease = given.DeepCopy()
	l.lease.ResourceVersion = strconv.Itoa(l.version)
	return l.lease.DeepCopy()
}

// candidate is a process that takes part.
type candidate struct {
	*election
	cut      atomic.Bool
	stop     context.CancelFunc
	ended    chan struct{}
	slow     time.Duration // how long its loop takes to stop
	leading  atomic.Bool
	terms    atomic.Int64
	observed atomic.Value // the newest leader that it saw
}

func (c *candidate) start(t *testing.T, l *leases, name string) {
	config := &clusterConfig{clusterFile: defaultClusterFile()}
	c.election = newElection(l.client(func() bool { return c.cut.Load() }), config, name, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.ended = stop, make(chan struct{})
	go func() {
		defer close(c.ended)
		if err := c.run(ctx, func(leader string) { c.observed.Store(leader) }, func(term context.Context) {
			c.leading.Store(true)
			c.terms.Add(1)
			<-term.Done()
			time.Sleep(c.slow)
			c.leading.Store(false)
		}); err != nil {
			t.Error(err)
		}
	}()
}

// after lets time pass, and looks at every moment of it at who may write.
func after(t *testing.T, d time.Duration, all ...*candidate) {
	t.Helper()
	for range d / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		may := 0
		for _, c := range all {
			if c.may() == nil {
				may++
			}
		}
		if may > 1 {
			t.Fatalf("%d processes may write at %v", may, time.Now())
		}
	}
}

// A leader that cannot reach the API server stops its loop and may not write long
// before another leads; the other takes over when the lease has run out.
func TestALeaderThatLosesTheLeaseStopsBeforeAnotherBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := &leases{}, &candidate{}, &candidate{}
		a.start(t, l, "a")
		after(t, time.Second, a)
		b.start(t, l, "b")
		after(t, time.Minute, a, b)
		if !a.leading.Load() || b.leading.Load() || a.may() != nil || b.may() == nil || b.observed.Load() != "a" {
			t.Fatalf("a leads: %t, b leads: %t and saw %v", a.leading.Load(), b.leading.Load(), b.observed.Load())
		}
		a.cut.Store(true)
		after(t, 12*time.Second, a, b)
		if a.leading.Load() || a.may() == nil {
			t.Errorf("a leads: %t, and may write: %v", a.leading.Load(), a.may())
		}
		after(t, 20*time.Second, a, b)
		if !b.leading.Load() || b.may() != nil {
			t.Errorf("b leads: %t, may write: %v", b.leading.Load(), b.may())
		}
		// It comes back and stands by; b goes, and it leads anew.
		a.cut.Store(false)
		after(t, time.Minute, a, b)
		if a.leading.Load() || !b.leading.Load() {
			t.Errorf("a leads: %t, b leads: %t", a.leading.Load(), b.leading.Load())
		}
		b.stop()
		<-b.ended
		after(t, 5*time.Second, a, b)
		if !a.leading.Load() || a.terms.Load() != 2 {
			t.Errorf("a leads: %t, for the %d. time", a.leading.Load(), a.terms.Load())
		}
		a.stop()
		<-a.ended
	})
}

// A leader that ends gives the lease away when its loop has stopped, and not before.
func TestTheLeaseIsGivenAwayWhenTheLoopStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := &leases{}, &candidate{slow: 25 * time.Second}, &candidate{}
		a.start(t, l, "a")
		after(t, time.Second, a)
		b.start(t, l, "b")
		after(t, 30*time.Second, a, b)
		a.stop()
		after(t, 24*time.Second, a, b) // longer than the lease
		if b.leading.Load() || !a.leading.Load() {
			t.Errorf("while the loop of a stops, b leads: %t", b.leading.Load())
		}
		after(t, 5*time.Second, a, b)
		if !b.leading.Load() || a.leading.Load() {
			t.Errorf("after the loop of a stopped, b leads: %t", b.leading.Load())
		}
		b.stop()
		<-a.ended
		<-b.ended
		if l.lease.Spec.HolderIdentity != nil && *l.lease.Spec.HolderIdentity != "" {
			t.Errorf("the lease is left with %s", *l.lease.Spec.HolderIdentity)
		}
	})
}

// A process that was stopped for longer than the lease writes nothing when it goes
// on, even before it looked at the lease.
func TestAProcessThatSleptWritesNothing(t *testing.T) {
	config := &clusterConfig{clusterFile: defaultClusterFile()}
	e := newElection(fake.NewClientset(), config, "a", slog.New(slog.DiscardHandler))
	for ago, free := range map[time.Duration]bool{0: true, 9 * time.Second: true, 10 * time.Second: false, time.Hour: false} {
		now := time.Now()
		for clock, at := range map[string]moment{
			"both clocks":        {steady: now.Add(-ago), wall: now.Add(-ago).Round(0)},
			"that of the wall":   {steady: now, wall: now.Add(-ago).Round(0)}, // a machine that slept
			"that never is set":  {steady: now.Add(-ago), wall: now.Round(0)},
			"that was set early": {steady: now.Add(-ago), wall: now.Add(time.Hour).Round(0)},
		} {
			e.lock.renewed.Store(&at)
			if got := e.may() == nil; got != free {
				t.Errorf("%v after the lease was renewed, by %s, it may write: %t", ago, clock, got)
			}
		}
	}
}

// Two processes of one host and number are two.
func TestEveryProcessHasAnIdentityOfItsOwn(t *testing.T) {
	if a, b := newIdentity(), newIdentity(); a == b {
		t.Errorf("both are %s", a)
	}
}
