package actuator_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// object is an object of the API as JSON.
type object = map[string]any

// api is an API server in memory: versions, identities, preconditions, merge patches,
// the scale and status subresources, owners of spec.replicas, evictions. It is a
// transport, so that the clients and the Door in front of it are the real ones.
type api struct {
	objects map[string]object // by path
	version int
	now     time.Time
	writes  []write
	budget  int // the status with which evictions are refused; 0: they go through
	// crash, once it is 1, makes the following write and all later ones fail; with
	// late, that write still happens.
	crash int
	late  bool
	// before, if set, is called ahead of a write; a status other than 0 refuses it.
	before func(method, path string) int
}

// write is a request that changed something.
type write struct{ method, path, agent, body string }

func newAPI(now time.Time) *api { return &api{objects: map[string]object{}, now: now} }

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	if r.Method != http.MethodGet {
		if a.crash == 1 && !a.late || a.crash < 0 {
			a.crash = -1
			return nil, fmt.Errorf("crashed")
		}
	}
	code, answer := 0, object(nil)
	if r.Method != http.MethodGet && a.before != nil {
		if code = a.before(r.Method, r.URL.Path); code != 0 {
			code, answer = status(code, "Forbidden", "not allowed")
		}
	}
	if code == 0 {
		code, answer = a.serve(r, body)
	}
	if r.Method != http.MethodGet {
		if code < 300 {
			a.writes = append(a.writes, write{r.Method, r.URL.Path, r.Header.Get("User-Agent"), string(body)})
		}
		if a.crash == 1 {
			a.crash = -1
			return nil, fmt.Errorf("crashed")
		}
		a.crash = max(0, a.crash-1)
	}
	text, _ := json.Marshal(answer)
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}},
		Body: io.NopCloser(bytes.NewReader(text)), Request: r,
	}, nil
}

// serve answers one request.
func (a *api) serve(r *http.Request, body []byte) (int, object) {
	path, sub := r.URL.Path, ""
	for _, s := range []string{"status", "scale", "eviction"} {
		if before, ok := strings.CutSuffix(path, "/"+s); ok {
			path, sub = before, s
		}
	}
	have := a.objects[path]
	switch {
	case r.Method == http.MethodPost && sub == "":
		return a.create(path, body)
	case r.Method == http.MethodGet && have == nil && listed(path):
		return a.list(path, r)
	case have == nil:
		return status(404, "NotFound", path+" not found")
	case r.Method == http.MethodGet && sub == "scale":
		return 200, scaleOf(have)
	case r.Method == http.MethodGet:
		return 200, have
	case sub == "eviction" && a.budget != 0:
		return status(a.budget, map[int]string{429: "TooManyRequests", 500: "InternalError"}[a.budget], "refused by a disruption budget")
	case sub == "eviction":
		delete(a.objects, path)
		return 201, object{"kind": "Status", "status": "Success"}
	case r.Method == http.MethodDelete:
		var options object
		_ = json.Unmarshal(body, &options)
		pre, _ := options["preconditions"].(map[string]any)
		if !holds(have, pre["uid"], pre["resourceVersion"]) {
			return status(409, "Conflict", "the precondition does not hold")
		}
		delete(a.objects, path)
		return 200, object{"kind": "Status", "status": "Success"}
	}
	return a.change(r, path, sub, have, body)
}

// change serves updates and merge patches.
func (a *api) change(r *http.Request, path, sub string, have object, body []byte) (int, object) {
	var given object
	_ = json.Unmarshal(body, &given)
	meta, _ := given["metadata"].(map[string]any)
	if !holds(have, meta["uid"], meta["resourceVersion"]) {
		return status(409, "Conflict", "the object has been modified")
	}
	next := clone(have)
	switch {
	case sub == "scale":
		dig(next, "spec")["replicas"] = cmp.Or[any](dig(given, "spec")["replicas"], 0.0) // none is zero
		a.own(next, r.URL.Query().Get("fieldManager"))
	case r.Method == http.MethodPatch:
		merge(next, given)
	default:
		next = given
	}
	return 200, a.put(path, next)
}

func (a *api) create(path string, body []byte) (int, object) {
	var given object
	_ = json.Unmarshal(body, &given)
	at := path + "/" + dig(given, "metadata")["name"].(string)
	if a.objects[at] != nil {
		return status(409, "AlreadyExists", at+" already exists")
	}
	return 201, a.put(at, given)
}

// put stores an object under a new version, and gives it what the API server gives.
func (a *api) put(path string, o object) object {
	a.version++
	o = clone(o)
	meta := dig(o, "metadata")
	meta["resourceVersion"] = fmt.Sprint(a.version)
	if meta["uid"] == nil {
		meta["uid"] = fmt.Sprintf("uid-%d", a.version)
		meta["creationTimestamp"] = a.now.UTC().Format(time.RFC3339)
	}
	if _, rest, ok := strings.Cut(path, "/namespaces/"); ok {
		meta["namespace"], _, _ = strings.Cut(rest, "/")
	}
	a.objects[path] = o
	return o
}

// own notes who set spec.replicas, and not when: the API server records no time for
// the scale subresource.
func (a *api) own(o object, manager string) {
	dig(o, "metadata")["managedFields"] = []any{object{
		"manager": manager, "operation": "Update", "subresource": "scale",
		"fieldsType": "FieldsV1", "fieldsV1": object{"f:spec": object{"f:replicas": object{}}},
	}}
}

func (a *api) list(path string, r *http.Request) (int, object) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		return status(400, "BadRequest", err.Error())
	}
	field := strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "spec.nodeName=")
	items := []any{}
	for _, at := range slices.Sorted(maps.Keys(a.objects)) {
		prefix, resource := path[:strings.LastIndex(path, "/")], path[strings.LastIndex(path, "/")+1:]
		parent := at[:strings.LastIndex(at, "/")]
		if parent != path && (!strings.HasPrefix(parent, prefix+"/namespaces/") || !strings.HasSuffix(parent, "/"+resource)) {
			continue
		}
		o := a.objects[at]
		set := labels.Set{}
		for k, v := range dig(o, "metadata", "labels") {
			set[k], _ = v.(string)
		}
		node, _ := dig(o, "spec")["nodeName"].(string)
		if selector.Matches(set) && (field == "" || node == field) {
			items = append(items, o)
		}
	}
	kind := map[string][2]string{
		"pods": {"PodList", "v1"}, "nodes": {"NodeList", "v1"}, "deployments": {"DeploymentList", "apps/v1"},
	}[path[strings.LastIndex(path, "/")+1:]]
	return 200, object{"kind": kind[0], "apiVersion": kind[1], "metadata": object{}, "items": items}
}

// listed tells whether a path is a collection.
func listed(path string) bool {
	return slices.Contains([]string{"pods", "nodes", "deployments", "nodeclaims"}, path[strings.LastIndex(path, "/")+1:])
}
