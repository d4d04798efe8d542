package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// fakeWorld is an API server and a Prometheus on one address: as much of each as the
// service needs to decide something. It keeps every request that is not a reading.
type fakeWorld struct {
	*httptest.Server
	refuse string // a verb and a resource that nobody may use, as "update scale"

	mu      sync.Mutex
	writes  []string // method, path and user agent
	objects map[string]map[string]any
	version int
	models  []any // Deployments
}

func newFakeWorld(t *testing.T) *fakeWorld {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(home, "../../configs/deploy/example-model.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(data), "\n---\n")
	var model map[string]any
	if err := yaml.Unmarshal([]byte(first), &model); err != nil {
		t.Fatal(err)
	}
	w := &fakeWorld{objects: map[string]map[string]any{}, models: []any{model}}
	w.Server = httptest.NewServer(w)
	t.Cleanup(func() {
		w.CloseClientConnections() // watches do not end by themselves
		w.Close()
	})
	return w
}

// written lists what was written so far.
func (w *fakeWorld) written() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.writes...)
}

func (w *fakeWorld) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came in part is answered in part
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/api/v1/query"):
		prometheusAnswer(out, r, string(body))
	case path == "/version":
		answer(out, 200, map[string]any{"major": "1", "minor": "36", "gitVersion": "v1.36.3"})
	case r.Method != http.MethodGet:
		w.write(out, r, body)
	case r.URL.Query().Get("watch") == "true":
		w.watch(out, r)
	default:
		w.read(out, path)
	}
}

func (w *fakeWorld) watch(out http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		status(out, http.StatusUnprocessableEntity, "Invalid")
		return
	}
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusOK)
	out.(http.Flusher).Flush()
	<-r.Context().Done()
}

func (w *fakeWorld) read(out http.ResponseWriter, path string) {
	w.mu.Lock()
	object, there := w.objects[path]
	w.mu.Unlock()
	kinds := map[string]string{"nodes": "NodeList", "pods": "PodList", "deployments": "DeploymentList", "nodeclaims": "NodeClaimList"}
	versions := map[string]string{"deployments": "apps/v1", "nodeclaims": "karpenter.sh/v1"}
	last := path[strings.LastIndex(path, "/")+1:]
	switch {
	case there:
		answer(out, 200, object)
	case kinds[last] != "":
		items := []any{}
		if last == "deployments" && strings.Contains(path, "/namespaces/speech/") {
			items = w.models
		}
		version := versions[last]
		if version == "" {
			version = "v1"
		}
		answer(out, 200, map[string]any{"kind": kinds[last], "apiVersion": version, "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
	default:
		status(out, http.StatusNotFound, "NotFound")
	}
}

// write keeps what is created or changed, and answers a review.
func (w *fakeWorld) write(out http.ResponseWriter, r *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, r.UserAgent()))
	var object map[string]any
	if decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil); err == nil { // it may be protobuf
		body, _ = json.Marshal(decoded)
	}
	if err := json.Unmarshal(body, &object); err != nil {
		status(out, http.StatusBadRequest, "BadRequest")
		return
	}
	path := r.URL.Path
	if strings.HasSuffix(path, "/selfsubjectaccessreviews") {
		asked := object["spec"].(map[string]any)["resourceAttributes"].(map[string]any)
		object["status"] = map[string]any{"allowed": fmt.Sprint(asked["verb"], " ", asked["resource"]) != w.refuse}
		answer(out, http.StatusCreated, object)
		return
	}
	meta, _ := object["metadata"].(map[string]any)
	if meta == nil {
		status(out, http.StatusBadRequest, "BadRequest")
		return
	}
	if r.Method == http.MethodPost {
		path += fmt.Sprint("/", meta["name"])
	}
	w.version++
	meta["resourceVersion"], meta["uid"] = fmt.Sprint(w.version), path
	w.objects[path] = object
	answer(out, http.StatusOK, object)
}

func answer(out http.ResponseWriter, code int, v any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(code)
	_ = json.NewEncoder(out).Encode(v) // a client that went away needs no answer
}

func status(out http.ResponseWriter, code int, reason string) {
	answer(out, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

// prometheusAnswer is that of a server without any series.
func prometheusAnswer(out http.ResponseWriter, r *http.Request, body string) {
	data := map[string]any{"resultType": "vector", "result": []any{}}
	switch {
	case strings.HasSuffix(r.URL.Path, "_range"):
		data["resultType"] = "matrix"
	case strings.Contains(body+r.URL.RawQuery, "query=time%28%29"):
		now := float64(time.Now().UnixMilli()) / 1000
		data = map[string]any{"resultType": "scalar", "result": []any{now, fmt.Sprint(now)}}
	}
	answer(out, 200, map[string]any{"status": "success", "data": data})
}

// kubeconfig leads to the server.
func kubeconfig(server string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
current-context: c
`, server)
}

// inFakeWorld is a folder with the configuration of the manifests, for a world at an
// address, with a loop that ticks every second.
func inFakeWorld(t *testing.T, server string) {
	t.Helper()
	files := setting{"kubeconfig.yaml": kubeconfig(server)}
	for _, name := range []string{"service.yaml", "policy.yaml", "catalog.yaml", "profiles.yaml"} {
		data, err := os.ReadFile(filepath.Join(home, "../../configs/deploy/base/config", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = strings.NewReplacer(
			"inCluster: true", "kubeconfig: kubeconfig.yaml",
			"http://prometheus.monitoring:9090", server,
			"  classes:", "  ticks: {fast: 1s, plan: 1s}\n  classes:",
		).Replace(string(data))
	}
	t.Chdir(files.write(t))
}
