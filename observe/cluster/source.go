package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// what names the objects of a source: a resource, its API group (empty: core) and
// its namespace (empty: the whole cluster).
type what struct {
	resource, group, namespace string
}

// String prints "pods in namespace speech" or "nodes at cluster scope".
func (w what) String() string {
	text := w.resource
	if w.group != "" {
		text += " in API group " + w.group
	}
	if w.namespace == "" {
		return text + " at cluster scope"
	}
	return text + " in namespace " + w.namespace
}

// source is a cache of one kind of object, with what went wrong last when it was
// filled.
type source struct {
	what     what
	informer cache.SharedIndexInformer
	list     cache.ListWithContextFunc // asks the server

	mu      sync.Mutex
	last    error // of listing or watching, the latest
	failing bool  // nothing succeeded since
}

// newSource makes a source that asks by list and open. The client is whose they
// are; it tells whether lists may come as a stream.
func newSource(w what, client any, example runtime.Object, list cache.ListWithContextFunc, open cache.WatchFuncWithContext, keep cache.TransformFunc, log *slog.Logger) *source {
	s := &source{what: w, list: list}
	s.informer = cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			out, err := list(ctx, o)
			s.note(err)
			return out, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			out, err := open(ctx, o)
			s.note(err)
			return out, err
		},
	}, client), example, 0, cache.Indexers{})
	handler := func(_ context.Context, _ *cache.Reflector, err error) {
		s.noteOther(err)
		log.Debug("a cache of the cluster is not kept up to date", "what", w.String(), "cause", err)
	}
	// Both fail only on an informer that runs, and this one is new.
	_ = s.informer.SetWatchErrorHandlerWithContext(handler)
	_ = s.informer.SetTransform(keep)
	return s
}

// note remembers how the last question to the server ended.
func (s *source) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing = err != nil; err != nil {
		s.last = err
	}
}

// noteOther remembers what went wrong after the server answered, unless it did not:
// then the error is known already, in plainer words.
func (s *source) noteOther(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failing {
		s.failing, s.last = true, err
	}
}

// synced is nil while the cache is filled and kept up to date, and otherwise says
// what is in the way and who mends it.
func (s *source) synced() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch filled := s.informer.HasSynced(); {
	case filled && !s.failing:
		return nil
	case s.last == nil:
		return fmt.Errorf("%s: not listed yet", s.what)
	case filled:
		return fmt.Errorf("%w; what is known of them is old", s.explain("watch"))
	}
	return s.explain("list")
}

var userInRefusal = regexp.MustCompile(`User "([^"]+)"`)

// explain says in one sentence why the server did not answer. The caller holds the
// lock.
func (s *source) explain(verb string) error {
	var status apierrors.APIStatus
	switch err := s.last; {
	case apierrors.IsForbidden(err):
		who := "the user that Tessera runs as"
		if m := userInRefusal.FindStringSubmatch(err.Error()); m != nil {
			who = m[1]
		}
		return fmt.Errorf("cannot %s %s: forbidden; grant list and watch on %s to %s", verb, s.what, s.what.resource, who)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("cannot %s %s: the API server does not accept the credentials; renew them", verb, s.what)
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return fmt.Errorf("cannot %s %s: the API server does not know them; install what defines them, or configure Tessera without", verb, s.what)
	case errors.As(err, &status):
		return fmt.Errorf("cannot %s %s: %w", verb, s.what, err)
	default:
		return fmt.Errorf("cannot %s %s: the API server does not answer: %w", verb, s.what, err)
	}
}

// cached are the objects of a source as its cache has them. They are shared and not
// to be changed.
func cached[T any](sources ...*source) []T {
	var out []T
	for _, s := range sources {
		for _, o := range s.informer.GetStore().List() {
			if object, is := o.(T); is {
				out = append(out, object)
			}
		}
	}
	return out
}

// fromServer asks the server itself, past every cache, for the objects of sources.
func fromServer[T any](ctx context.Context, sources ...*source) ([]T, error) {
	var out []T
	for _, s := range sources {
		list, err := s.list(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", s.what, err)
		}
		if err := meta.EachListItem(list, func(o runtime.Object) error {
			if object, is := o.(T); is {
				out = append(out, object)
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("list %s: %w", s.what, err)
		}
	}
	return out, nil
}
