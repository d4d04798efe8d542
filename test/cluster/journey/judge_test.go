package journey

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// Who is judged.
var (
	activeUser = rig.ServiceAccountUser(programNamespace, activeAccount)
	shadowUser = rig.ServiceAccountUser(programNamespace, shadowAccount)
)

// written are the writes of a user between two times; the zero time is no bound.
func written(t *testing.T, c *rig.Cluster, user string, from, to time.Time) []rig.AuditEvent {
	t.Helper()
	writes, err := c.Writes(user)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(writes, func(e rig.AuditEvent) bool {
		return e.Time.Before(from) || !to.IsZero() && !e.Time.Before(to)
	})
}

// granted leaves out what was refused.
func granted(events []rig.AuditEvent) []rig.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool { return e.Code >= 300 })
}

// of keeps the writes with a verb on a resource; an empty verb is any.
func of(events []rig.AuditEvent, verb, resource string) []rig.AuditEvent {
	name, sub, _ := strings.Cut(resource, "/")
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool {
		return verb != "" && e.Verb != verb || e.Resource != name || e.Subresource != sub
	})
}

// lines prints events one a line.
func lines(events []rig.AuditEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, "\n  "+e.String())
	}
	return strings.Join(out, "")
}

var (
	planned = regexp.MustCompile(`\(plan plan-([0-9]{8}T[0-9]{6}Z)\)$`)
	planID  = regexp.MustCompile(`^plan-[0-9]{8}T[0-9]{6}Z$`)
)

// unplanned are writes that bear no plan. An Event has it as an annotation, everything
// else as part of the user agent. Leases need none, nor does an Event about the
// ledger: it tells of what is wrong in the world.
func unplanned(events []rig.AuditEvent) []rig.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool {
		if e.Resource == "events" {
			var made corev1.Event
			err := json.Unmarshal(e.Response, &made)
			about := made.InvolvedObject
			trouble := about.Kind == "ConfigMap" && about.Namespace == programNamespace && about.Name == "tessera"
			return err == nil && (trouble || planID.MatchString(made.Annotations["tessera.dev/plan"]))
		}
		return e.Resource == "leases" || planned.MatchString(e.UserAgent)
	})
}

// foreign are writes to what is not the program's own. Of NodeClaims only those are
// that it made.
func foreign(events []rig.AuditEvent) []rig.AuditEvent {
	made := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool {
		if e.Resource != "nodeclaims" || e.Code >= 300 {
			return own(e)
		}
		if e.Verb == "create" {
			var claim metav1.PartialObjectMetadata
			if json.Unmarshal(e.Response, &claim) != nil || claim.Labels["tessera.dev/ledger"] != "tessera.tessera" {
				return false
			}
			made[claim.Name] = true
		}
		return made[e.Name] || e.Verb == "create"
	})
}

// own tells whether the program may make a write at all.
func own(e rig.AuditEvent) bool {
	resource := e.Resource
	if e.Subresource != "" {
		resource += "/" + e.Subresource
	}
	change := e.Verb == "patch" || e.Verb == "update"
	switch resource {
	case "leases":
		return e.Namespace == programNamespace && (e.Name == "tessera" || e.Verb == "create") && e.Verb != "delete"
	case "configmaps":
		ledger := e.Namespace == programNamespace && e.Name == "tessera"
		geometries := e.Namespace == operatorNamespace && e.Name == migConfigMap
		return (ledger || geometries || e.Verb == "create") && e.Verb != "delete"
	case "events":
		return e.Verb == "create" || change
	case "nodeclaims":
		return e.Verb == "create" || change || e.Verb == "delete"
	case "nodes", "nodes/status":
		return change && strings.HasPrefix(e.Name, "kwok-")
	case "deployments", "deployments/scale":
		return change && e.Namespace == modelsNamespace && isModelDeployment(e.Name)
	case "pods":
		return change && e.Namespace == modelsNamespace && strings.HasPrefix(e.Name, "transcribe-")
	case "pods/eviction":
		return e.Verb == "create" && e.Namespace == modelsNamespace && strings.HasPrefix(e.Name, "transcribe-")
	}
	return false
}

// decided keeps the writes whose plan was made after a time: what was begun before
// goes on under the plan that began it.
func decided(events []rig.AuditEvent, after time.Time) []rig.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool {
		id := planned.FindStringSubmatch(e.UserAgent)
		if id == nil {
			return false
		}
		made, err := time.Parse("20060102T150405Z", id[1])
		return err == nil && made.Before(after.Truncate(time.Second))
	})
}

// shrinking are writes that take something away: of two numbers of replicas the lower,
// an eviction, a cordon, the deletion of a claim.
func shrinking(t *testing.T, events []rig.AuditEvent, before map[string]int32) []rig.AuditEvent {
	t.Helper()
	last := maps.Clone(before)
	return slices.DeleteFunc(slices.Clone(events), func(e rig.AuditEvent) bool {
		switch {
		case e.Resource == "pods" && e.Subresource == "eviction", e.Resource == "nodeclaims" && e.Verb == "delete":
			return false
		case e.Resource == "nodes" && strings.Contains(string(e.Request), `"unschedulable":true`):
			return false
		case e.Resource == "pods" && strings.Contains(string(e.Request), `"tessera.dev/serving":"false"`):
			return false
		case e.Resource == "deployments":
			to, written := replicasOf(e)
			from, known := last[e.Name]
			if written {
				last[e.Name] = to
			}
			return !written || !known || to >= from
		}
		return true
	})
}

// replicasOf is the number of replicas that a write to a Deployment asks for.
func replicasOf(e rig.AuditEvent) (int32, bool) {
	var body struct{ Spec struct{ Replicas *int32 } }
	if json.Unmarshal(e.Request, &body) != nil || body.Spec.Replicas == nil {
		return 0, false
	}
	return *body.Spec.Replicas, true
}

// count says how often each kind of write was made.
func count(events []rig.AuditEvent) string {
	n := map[string]int{}
	for _, e := range events {
		resource := e.Resource
		if e.Subresource != "" {
			resource += "/" + e.Subresource
		}
		n[e.Verb+" "+resource]++
	}
	var parts []string
	for what, times := range n {
		parts = append(parts, fmt.Sprintf("%d %s", times, what))
	}
	slices.SortFunc(parts, cmp.Compare)
	return strings.Join(parts, ", ")
}
