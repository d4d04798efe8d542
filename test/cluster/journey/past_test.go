package journey

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

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

// lateness is how long after a node was ready its GPUs were first reported, by the audit
// log, which knows both times better than who watches.
func lateness(t *testing.T, c *rig.Cluster, node string) time.Duration {
	t.Helper()
	events, err := c.Audit()
	if err != nil {
		t.Fatal(err)
	}
	var ready time.Time
	for _, e := range events {
		if e.Resource != "nodes" || e.Subresource != "status" || e.Name != node || e.Code >= 300 {
			continue
		}
		switch {
		case e.User == "kwok" && ready.IsZero():
			ready = e.Time
		case e.UserAgent == "gpu-operator" && !ready.IsZero():
			return e.Time.Sub(ready)
		}
	}
	t.Fatalf("in the audit log %s never is ready and then has its GPU", node)
	return 0
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
