package main

import (
	"net/http"
	"strings"
	"testing"
)

// In shadow mode the service decides, and nothing that could be written is sent: no
// lease, no Event, no object, not even a question about its rights.
func TestShadowWritesNothing(t *testing.T) {
	world := newFakeWorld(t)
	inFakeWorld(t, world.URL)
	r := serveInProcess(t, "--config", "service.yaml")
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"result": "withheld"`) })
	if _, page := r.get(t, "/"); !strings.Contains(page, "would <b>buy ") || !strings.Contains(page, "shadow") {
		t.Error("the page does not say what it would do")
	}
	if written := world.written(); len(written) != 0 {
		t.Errorf("it wrote:\n%s", strings.Join(written, "\n"))
	}
	r.end(t)
	if written := world.written(); len(written) != 0 {
		t.Errorf("at its end it wrote:\n%s", strings.Join(written, "\n"))
	}
}

// In active mode the same decision is carried out, for a plan, by a process with a
// lease that it gives away at its end.
func TestActiveWritesForAPlanAndWithALease(t *testing.T) {
	world := newFakeWorld(t)
	inFakeWorld(t, world.URL)
	r := serveInProcess(t, "--config", "service.yaml", "--mode", "active")
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"result": "done"`) })
	r.end(t)
	lease, claim, ledger := -1, -1, -1
	for i, w := range world.written() {
		switch {
		case lease < 0 && strings.HasPrefix(w, "POST /apis/coordination.k8s.io/v1/namespaces/tessera/leases"):
			lease = i
		case claim < 0 && strings.HasPrefix(w, "POST /apis/karpenter.sh/v1/nodeclaims"):
			claim = i
		case ledger < 0 && strings.HasPrefix(w, "POST /api/v1/namespaces/tessera/configmaps"):
			ledger = i
		default:
			continue
		}
		if i != lease && !strings.Contains(w, "(plan plan-") {
			t.Errorf("it is written for no plan: %s", w)
		}
	}
	if lease < 0 || ledger < lease || claim < ledger {
		t.Errorf("lease, ledger and NodeClaim are written at %d, %d and %d of:\n%s", lease, ledger, claim, strings.Join(world.written(), "\n"))
	}
	held := world.objects["/apis/coordination.k8s.io/v1/namespaces/tessera/leases/tessera"]["spec"].(map[string]any)
	if holder := held["holderIdentity"]; holder != nil && holder != "" {
		t.Errorf("the lease is left with %v", holder)
	}
}

// What this process may not do is said before it tries.
func TestMissingRightsAreSaid(t *testing.T) {
	world := newFakeWorld(t)
	world.refuse = "patch pods"
	inFakeWorld(t, world.URL)
	r := serveInProcess(t, "--config", "service.yaml", "--mode", "active")
	r.until(t, "/readyz", func(status int, text string) bool {
		return status == http.StatusServiceUnavailable && strings.Contains(text, "may not patch pods in namespace speech: grant it with a Role there")
	})
	r.end(t)
	if n := strings.Count(r.log.String(), "may not patch pods"); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
}

// A bad world is no reason to end: the service is there, is alive, and says of each
// thing what is wrong and how to mend it.
func TestTheServiceStartsInABadWorld(t *testing.T) {
	for name, tt := range map[string]struct {
		change []string
		says   []string
	}{
		"nothing answers":        {nil, []string{"the API server at http://127.0.0.1:1 cannot be used", "no signal can be read"}},
		"no kubeconfig":          {[]string{"kubeconfig: kubeconfig.yaml", "kubeconfig: nowhere.yaml"}, []string{"the kubeconfig cannot be read", "nowhere.yaml", "no signal can be read"}},
		"another file":           {[]string{"kubeconfig: kubeconfig.yaml", "kubeconfig: policy.yaml"}, []string{"the kubeconfig policy.yaml leads to no cluster"}},
		"no such context":        {[]string{"kubeconfig: kubeconfig.yaml", "kubeconfig: kubeconfig.yaml\n    context: nowhere"}, []string{"leads to no cluster", "nowhere"}},
		"not in a pod":           {[]string{"kubeconfig: kubeconfig.yaml", "inCluster: true"}, []string{"this process runs in no pod"}},
		"offering of no catalog": {[]string{"- name: a2-ultragpu-1g", "- name: a2-ultragpu-lg"}, []string{"did you mean a2-ultragpu-1g?"}},
		"no certificate":         {[]string{"prometheus: {", "prometheus: {caFile: nowhere.pem, "}, []string{"nowhere.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"} {
				t.Setenv(variable, "")
			}
			inFakeWorld(t, "http://127.0.0.1:1")
			replace("service.yaml", strings.NewReplacer(tt.change...).Replace(readText(t, "service.yaml")))(t)
			for _, mode := range []string{"shadow", "active"} {
				r := serveInProcess(t, "--config", "service.yaml", "--mode", mode)
				r.until(t, "/readyz", func(status int, text string) bool {
					for _, says := range tt.says {
						if !strings.Contains(text, says) {
							return false
						}
					}
					return status == http.StatusServiceUnavailable
				})
				if status, text := r.get(t, "/healthz"); status != http.StatusOK {
					t.Errorf("it is not alive: %s", text)
				}
				if status, _ := r.get(t, "/"); status != http.StatusOK {
					t.Errorf("the page has status %d", status)
				}
				r.end(t)
			}
		})
	}
}

// It never picks up a cluster from the environment.
func TestNoClusterIsPickedUpFromTheEnvironment(t *testing.T) {
	world := newFakeWorld(t)
	inFakeWorld(t, "http://127.0.0.1:1")
	t.Setenv("KUBECONFIG", "kubeconfig.yaml")
	replace("kubeconfig.yaml", kubeconfig(world.URL))(t)
	replace("empty.yaml", "apiVersion: v1\nkind: Config\n")(t)
	replace("service.yaml", strings.ReplaceAll(readText(t, "service.yaml"), "kubeconfig: kubeconfig.yaml", "kubeconfig: empty.yaml"))(t)
	r := serveInProcess(t, "--config", "service.yaml")
	r.until(t, "/readyz", func(_ int, text string) bool { return strings.Contains(text, "empty.yaml leads to no cluster") })
	r.end(t)
}

// A reload that is good is taken by the loop that runs; a bad one is not.
func TestPolicyOfAClusterIsReadAnew(t *testing.T) {
	world := newFakeWorld(t)
	inFakeWorld(t, world.URL)
	r := serveInProcess(t, "--config", "service.yaml")
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"name": "speech"`) })
	good := readText(t, "policy.yaml")
	replace("policy.yaml", strings.Replace(good, "asr-large", "asr-huge", 1))(t)
	r.log.await(t, r.ended, "the last good policy stays in force")
	replace("policy.yaml", strings.Replace(good, "name: speech", "name: edited", 1))(t)
	r.until(t, "/api/state", func(_ int, text string) bool { return strings.Contains(text, `"name": "edited"`) })
	r.end(t)
}

func readText(t *testing.T, path string) string {
	t.Helper()
	source, err := readSource(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(source.Data)
}
