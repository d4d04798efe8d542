package journey

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	planned = regexp.MustCompile(`\(plan plan-[0-9]{8}T[0-9]{6}Z\)$`)
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

// foreign are writes to what is not the program's own.
func foreign(events []rig.AuditEvent) []rig.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), own)
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

// shrinking are writes that take something away: of two numbers of replicas the lower,
// an eviction, a cordon, the deletion of a claim.
func shrinking(t *testing.T, events []rig.AuditEvent, before map[string]int32) []rig.AuditEvent {
	t.Helper()
	last := before
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

// claimLife is from when to when a NodeClaim was there.
type claimLife struct {
	name         string
	offering     string
	asked, freed time.Time // freed is zero while it is there
}

// claims reads from the audit log when which NodeClaims were there. One that somebody
// else deleted, as Karpenter does when a purchase fails, counts up to then. A claim
// counts until its deletion is asked for, which is when the program gave it back.
func claims(t *testing.T, c *rig.Cluster) []claimLife {
	t.Helper()
	events, err := c.Audit()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(events, func(a, b rig.AuditEvent) int { return a.Time.Compare(b.Time) })
	var out []claimLife
	for _, e := range events {
		if e.Resource != "nodeclaims" || e.Subresource != "" || e.Code >= 300 {
			continue
		}
		switch e.Verb {
		case "create":
			var made metav1.PartialObjectMetadata
			if err := json.Unmarshal(e.Response, &made); err != nil {
				t.Fatalf("%s: %v", e, err)
			}
			out = append(out, claimLife{name: made.Name, offering: made.Labels["tessera.dev/offering"], asked: e.Time})
		case "delete":
			for i := range out {
				if out[i].name == e.Name && out[i].freed.IsZero() {
					out[i].freed = e.Time
				}
			}
		}
	}
	return out
}

// most is the largest number of claims that were there at one time, and since when.
func most(lives []claimLife) (n int, at time.Time) {
	for _, x := range lives {
		there := 0
		for _, y := range lives {
			if !y.asked.After(x.asked) && (y.freed.IsZero() || y.freed.After(x.asked)) {
				there++
			}
		}
		if there > n {
			n, at = there, x.asked
		}
	}
	return n, at
}

// writers are who held the lease when, by the audit log: who wrote its name into it first.
type term struct {
	holder string
	from   time.Time
}

func terms(t *testing.T, events []rig.AuditEvent) []term {
	t.Helper()
	var out []term
	for _, e := range events {
		if e.Resource != "leases" || e.Code >= 300 {
			continue
		}
		var lease struct {
			Spec struct{ HolderIdentity string }
		}
		if err := json.Unmarshal(e.Response, &lease); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if holder := lease.Spec.HolderIdentity; holder != "" && (len(out) == 0 || out[len(out)-1].holder != holder) {
			out = append(out, term{holder, e.Time})
		}
	}
	return out
}

// scribes are who wrote the ledger, in order, one entry for each change of hands.
func scribes(t *testing.T, events []rig.AuditEvent) []string {
	t.Helper()
	var out []string
	for _, e := range events {
		if e.Resource != "configmaps" || e.Code >= 300 {
			continue
		}
		var made struct{ Data map[string]string }
		if err := json.Unmarshal(e.Response, &made); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		var ledger struct{ Leader string }
		if text, ok := made.Data["ledger.json"]; !ok || json.Unmarshal([]byte(text), &ledger) != nil {
			continue
		}
		if len(out) == 0 || out[len(out)-1] != ledger.Leader {
			out = append(out, ledger.Leader)
		}
	}
	return out
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
