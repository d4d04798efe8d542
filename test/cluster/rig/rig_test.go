package rig

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestStartSaysHowToBuildWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/servers/kubernetes", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/servers/kubernetes/go.mod", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	_, err := Start(t.Context(), Options{})
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "run test/cluster/build") {
		t.Fatalf("without servers Start answers %v", err)
	}
	t.Chdir("/")
	if _, err := Start(t.Context(), Options{}); err == nil || errors.Is(err, ErrNotBuilt) {
		t.Fatalf("outside of test/cluster Start answers %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	gpu := DefaultInstanceTypes()[0]
	gpu.Resources = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
	for want, o := range map[string]Options{
		"whole seconds": {NodeDelay: 1500 * time.Millisecond},
		"PodDelay":      {PodDelay: -1},
		"born with it":  {InstanceTypes: []InstanceType{gpu}},
		"no offerings":  {InstanceTypes: []InstanceType{{Name: "x"}}},
	} {
		if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: the error is %v, want one about %q", o, err, want)
		}
	}
}

// A server that cannot start fails the whole start with the end of its log, at once.
func TestAServerThatEndsIsNamedWithItsLog(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a third of what a start that does not notice takes
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/etcd", []byte("not a folder"), 0o644); err != nil { // Where etcd keeps its data.
		t.Fatal(err)
	}
	_, err := Start(ctx, Options{Dir: dir})
	if errors.Is(err, ErrNotBuilt) {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "etcd: exit status") || !strings.Contains(err.Error(), "not a directory") || ctx.Err() != nil {
		t.Fatalf("the error is %v", err)
	}
}

func TestAuditIsReadToItsLastWholeLine(t *testing.T) {
	const log = `{"stage":"ResponseStarted","verb":"watch"}
{"stage":"ResponseComplete","verb":"patch","userAgent":"a","user":{"username":"u"},"objectRef":{"apiGroup":"apps","resource":"deployments","subresource":"scale","namespace":"n","name":"d"},"responseStatus":{"code":200},"requestObject":{"x":1},"requestReceivedTimestamp":"2026-01-02T03:04:05.000006Z"}
{"stage":"ResponseCompl`
	events, err := parseAudit([]byte(log))
	if err != nil || len(events) != 1 {
		t.Fatalf("got %v, %v", events, err)
	}
	if got, want := events[0].String(), "03:04:05.000 patch deployments/scale n/d by u (a): 200"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if e := events[0]; e.Group != "apps" || string(e.Request) != `{"x":1}` || !e.IsWrite() {
		t.Errorf("got %+v", e)
	}
	if _, err := parseAudit([]byte("{\n")); err == nil {
		t.Error("a broken line was read")
	}
}

func TestReviewsAreNoWrites(t *testing.T) {
	for _, c := range []struct {
		verb, resource string
		want           bool
	}{
		{"create", "selfsubjectaccessreviews", false},
		{"create", "selfsubjectrulesreviews", false},
		{"create", "tokenreviews", false},
		{"create", "subjectaccessreviews", false},
		{"create", "localsubjectaccessreviews", false},
		{"create", "leases", true},
		{"create", "serviceaccounts", true},
		{"deletecollection", "pods", true},
		{"get", "pods", false},
		{"watch", "pods", false},
	} {
		if got := (AuditEvent{Verb: c.verb, Resource: c.resource}).IsWrite(); got != c.want {
			t.Errorf("%s %s is a write: %v, want %v", c.verb, c.resource, got, c.want)
		}
	}
}
