package journey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/test/cluster/emitter"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// fault is one thing that the program should not get.
type fault struct {
	name   string
	change func(s *setup)     // of how the program is started
	begin  func(t *testing.T) // what happens in the world
	end    func(ctx context.Context) error
	want   []string // that /readyz and the log say
	silent bool     // the program has no way to write an Event
}

// TestBadInput gives the program what it should not get, one thing after the other, in
// one cluster. Each time it must start, say what is wrong, where, in /readyz, in its
// log and as an Event, and take nothing away.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("two minutes; run it with make journey")
	}
	d := newDiary()
	sound := setup{binary: build(t), mode: "active"}
	c := newCluster(t, d)
	startOperator(t, c)
	e := startEmitter(t, c, day{}.rate)
	p := newPrometheus(t, nil)
	running(t, p)
	follow(t, p, e)
	w := watch(t, d, c)
	sound.kubeconfig, sound.prometheus = kubeconfig(t, c, activeAccount), p.Address()

	for _, f := range faults(t, c, e) {
		t.Run(f.name, func(t *testing.T) {
			d.chapter(f.name)
			f.try(t, d, c, w, sound)
		})
	}
}

func faults(t *testing.T, c *rig.Cluster, e *emitter.Emitter) []fault {
	powerless := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "powerless"}}
	if _, err := c.Client.CoreV1().ServiceAccounts(programNamespace).Create(t.Context(), powerless, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html><body>Welcome!</body></html>"))
	}))
	t.Cleanup(page.Close)
	// The first ones cannot buy anything; the others find a fleet and signals in place.
	return []fault{
		{
			name:   "there is no kubeconfig",
			change: func(s *setup) { s.kubeconfig = "nowhere.kubeconfig" },
			want:   []string{"nowhere.kubeconfig", "put it there"},
			silent: true,
		},
		{
			name:   "the service account has no rights",
			change: func(s *setup) { s.kubeconfig = kubeconfig(t, c, powerless.Name) },
			want:   []string{"list", "nodes", "grant"},
			silent: true,
		},
		{
			name:   "nobody listens where Prometheus should",
			change: func(s *setup) { s.prometheus = "http://127.0.0.1:1" },
			want:   []string{"http://127.0.0.1:1", "start Prometheus"},
		},
		{
			name:   "a web page is where Prometheus should be",
			change: func(s *setup) { s.prometheus = page.URL },
			want:   []string{page.URL, "correct spec.cluster.prometheus"},
		},
		{
			// The packs of the program add up what is of one model; a pack of one's own may
			// forget to.
			name:  "two series say something of one model",
			begin: func(*testing.T) { e.Duplicate(modelName("fr"), true) },
			end:   func(context.Context) error { e.Duplicate(modelName("fr"), false); return nil },
			change: func(s *setup) {
				s.gateway = []byte(strings.Replace(string(worldFile(t, "gateway.yaml")), "sum by ($keys) (rate(gateway_requests_total{$match}[$window]))", "rate(gateway_requests_total{$match}[$window])", 1))
			},
			want: []string{"transcribe-fr", "series"},
		},
		{
			name: "a node bears an offering that the catalog does not list",
			begin: func(t *testing.T) {
				n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "stranger", Labels: map[string]string{
					"tessera.dev/offering": "a4-mystery", "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.count": "1",
				}}}
				if _, err := c.Client.CoreV1().Nodes().Create(t.Context(), n, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			},
			end: func(ctx context.Context) error {
				return c.Client.CoreV1().Nodes().Delete(ctx, "stranger", metav1.DeleteOptions{})
			},
			want: []string{"stranger", "a4-mystery"},
		},
		{
			name: "a model of the policy has no Deployment",
			change: func(s *setup) {
				s.policy = []byte(strings.Replace(string(worldFile(t, "policy.yaml")), "  offerings:",
					"  - {name: transcribe-nl, class: live, profile: asr}\n  offerings:", 1))
			},
			want: []string{"transcribe-nl", "tessera.dev/model"},
		},
	}
}

// try starts the program with the fault and looks at what it says and does.
func (f fault) try(t *testing.T, d *diary, c *rig.Cluster, w *witness, s setup) {
	if f.change != nil {
		f.change(&s)
	}
	if f.begin != nil {
		f.begin(t)
	}
	from := time.Now()
	before := w.wanted()
	a := launch(t, "a", s)
	eventually(t, patience, "/readyz telling what is wrong", func() (bool, string) {
		text := a.readyz(t.Context()).String()
		return says(text, f.want), "it should say " + strings.Join(f.want, ", ") + ":\n  " + text + "\n" + a.process.Tail()
	})
	d.say("/readyz after %.0f s: %s", time.Since(from).Seconds(), sentence(a.readyz(t.Context()), f.want))
	eventually(t, patience, "the log telling the same", func() (bool, string) {
		return says(a.log(), f.want), "it should say " + strings.Join(f.want, ", ") + ":\n" + a.log()
	})
	if !f.silent {
		eventually(t, patience, "an Event about it", func() (bool, string) {
			return f.told(t, c, from), "no Event in " + programNamespace + " says " + strings.Join(f.want, ", ") + "\n" + a.process.Tail()
		})
	}
	time.Sleep(5 * time.Second) // some plans
	if err := a.process.Err(); err != nil {
		t.Error(err)
	}
	if err := a.process.Terminate(patience); err != nil {
		t.Error(err)
	}
	if f.end != nil {
		if err := f.end(t.Context()); err != nil {
			t.Error(err)
		}
	}
	all := written(t, c, activeUser, from, time.Time{})
	d.say("it wrote %d times: %s", len(all), count(all))
	if bad := append(unplanned(all), foreign(all)...); len(bad) > 0 {
		t.Errorf("writes without a plan, or about what is not the program's:%s", lines(bad))
	}
	if less := shrinking(t, all, before); len(less) > 0 {
		t.Errorf("something was taken away:%s", lines(less))
	}
}

// told tells whether the program wrote an Event about the fault.
func (f fault) told(t *testing.T, c *rig.Cluster, from time.Time) bool {
	for _, e := range written(t, c, activeUser, from, time.Time{}) {
		if e.Resource == "events" && e.Code < 300 && says(string(e.Request), f.want) {
			return true
		}
	}
	return false
}

// says tells whether a text holds all of some words.
func says(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// sentence is the first that holds all of some words.
func sentence(r readiness, words []string) string {
	for _, c := range r.Checks {
		for _, s := range append(c.Items, c.Detail) {
			if says(s, words) {
				return s
			}
		}
	}
	return r.String()
}
