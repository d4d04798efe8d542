package journey

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// TestBadInput gives the program what it should not get, one thing after the other, in
// one cluster. Each time it must start, say what is wrong and how to mend it, and take
// nothing away.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("two minutes; run it with make journey")
	}
	d := newDiary()
	binary := build(t)
	c := newCluster(t, d)
	startOperator(t, c)
	e := startEmitter(t, c, day{time.Unix(0, 0), time.Unix(0, 0)}.rate)
	p := running(t, newPrometheus(t, nil))
	follow(t, p, e)
	sound := setup{binary: binary, mode: "active", kubeconfig: kubeconfig(t, c, activeAccount), prometheus: p.Address()}

	powerless := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "powerless", Namespace: programNamespace}}
	if _, err := c.Client.CoreV1().ServiceAccounts(programNamespace).Create(t.Context(), powerless, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html><body>Welcome!</body></html>"))
	}))
	defer page.Close()
	ports, err := process.FreePorts(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	_ = ports

	for _, x := range []struct {
		name   string
		change func(*setup)
		begin  func(t *testing.T)
		end    func(t *testing.T)
		want   []string // in /readyz
	}{
		{
			name:   "a service account without rights",
			change: func(s *setup) { s.kubeconfig = kubeconfig(t, c, "powerless") },
			want:   []string{"nodes", "list"},
		},
		{
			name:   "nothing listens where Prometheus should",
			change: func(s *setup) { s.prometheus = "http://127.0.0.1:1" },
			want:   []string{"127.0.0.1:1"},
		},
		{
			name:   "a web page where Prometheus should be",
			change: func(s *setup) { s.prometheus = page.URL },
			want:   []string{"Prometheus"},
		},
		{
			name:  "two series for one model",
			begin: func(*testing.T) { e.Duplicate(modelName("fr"), true) },
			end:   func(*testing.T) { e.Duplicate(modelName("fr"), false) },
			want:  []string{"transcribe-fr"},
		},
		{
			name: "a node of an offering that the catalog does not list",
			begin: func(t *testing.T) {
				n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "stranger", Labels: map[string]string{
					"tessera.dev/offering": "a4-mystery", "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.count": "1",
				}}}
				if _, err := c.Client.CoreV1().Nodes().Create(t.Context(), n, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
				n.Status.Allocatable = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
			},
			end: func(t *testing.T) {
				if err := c.Client.CoreV1().Nodes().Delete(t.Context(), "stranger", metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"stranger", "a4-mystery"},
		},
		{
			name: "a model without a Deployment",
			change: func(s *setup) {
				s.policy = []byte(strings.Replace(string(worldFile(t, "policy.yaml")), "  offerings:",
					"  - {name: transcribe-nl, class: live, profile: asr}\n  offerings:", 1))
			},
			want: []string{"transcribe-nl", "tessera.dev/model"},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			d.chapter(x.name)
			s := sound
			if x.change != nil {
				x.change(&s)
			}
			if x.begin != nil {
				x.begin(t)
			}
			from := time.Now()
			a := launch(t, "a", s)
			eventually(t, 40*time.Second, "/readyz telling what is wrong", func() (bool, string) {
				text := a.readyz(t.Context()).String()
				for _, w := range x.want {
					if !strings.Contains(text, w) {
						return false, "it lacks " + w + ": " + text + "\n" + a.process.Tail()
					}
				}
				return true, ""
			})
			d.say("/readyz after %.0f s:\n  %s", time.Since(from).Seconds(), a.readyz(t.Context()))
			for _, w := range x.want {
				if !strings.Contains(a.log(), w) {
					t.Errorf("the log does not tell of %s:\n%s", w, a.process.Tail())
				}
			}
			if err := a.process.Err(); err != nil {
				t.Error(err)
			}
			if err := a.process.Terminate(10 * time.Second); err != nil {
				t.Error(err)
			}
			if x.end != nil {
				x.end(t)
			}
			all := written(t, c, activeUser, from, time.Time{})
			d.say("it wrote: %s", count(all))
			if bad := append(unplanned(all), foreign(all)...); len(bad) > 0 {
				t.Errorf("writes without a plan or about what is not the program's:%s", lines(bad))
			}
			if less := shrinking(t, all, map[string]int32{}); len(less) > 0 {
				t.Errorf("something was taken away:%s", lines(less))
			}
		})
	}
}
