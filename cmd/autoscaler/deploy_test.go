package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// deployed reads the configuration that the manifests mount.
func deployed(t *testing.T, change ...string) *clusterConfig {
	t.Helper()
	files := setting{}
	for _, name := range []string{"service.yaml", "policy.yaml", "catalog.yaml", "profiles.yaml"} {
		data, err := os.ReadFile(filepath.Join(home, "../../configs/deploy/base/config", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = strings.NewReplacer(change...).Replace(string(data))
	}
	return read(t, files)
}

// granted lists what the roles of a manifest allow, one verb on one resource each.
func granted(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(home, "../../configs/deploy", path))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		var role rbacv1.Role
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, rule := range role.Rules {
			names := rule.ResourceNames
			if len(names) == 0 {
				names = []string{""}
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, name := range names {
						for _, verb := range rule.Verbs {
							out = append(out, grant(verb, group, resource, role.Namespace, name))
						}
					}
				}
			}
		}
	}
	return out
}

func grant(verb, group, resource, namespace, name string) string {
	return fmt.Sprintf("%s %s/%s %s/%s", verb, group, resource, namespace, name)
}

// needed lists what the service asks for at its start in active mode.
func needed(c *clusterConfig) []string {
	var out []string
	for _, r := range c.rights() {
		for _, verb := range r.verbs {
			out = append(out, grant(verb, r.group, r.resource, r.namespace, r.name))
		}
	}
	return out
}

func sorted(all ...[]string) []string {
	out := slices.Concat(all...)
	slices.Sort(out)
	return slices.Compact(out)
}

// The manifests grant exactly what the service asks for: less, and something is not
// done; more, and nobody needs it.
func TestTheManifestsGrantWhatIsNeededAndNoMore(t *testing.T) {
	karpenter := deployed(t)
	placeholder := deployed(t, "    nodes:\n", "    nodes:\n      engine: placeholder\n", "nodeClass: {group: karpenter.k8s.gcp, kind: GCENodeClass, name: gpu}", `resources: {nvidia.com/gpu: "1"}`)
	read, write, places := granted(t, "base/rights.yaml"), granted(t, "active/rights.yaml"), granted(t, "placeholder/placeholder.yaml")
	if diff := cmp.Diff(sorted(needed(karpenter), needed(placeholder)), sorted(read, write, places)); diff != "" {
		t.Errorf("-needed +granted:\n%s", diff)
	}
	for _, g := range needed(karpenter) {
		if !slices.Contains(slices.Concat(read, write), g) {
			t.Errorf("with Karpenter nobody grants %s", g)
		}
	}
	for _, g := range read {
		if verb, _, _ := strings.Cut(g, " "); !slices.Contains([]string{"get", "list", "watch"}, verb) {
			t.Errorf("the rights to read hold %s", g)
		}
	}
	for _, g := range slices.Concat(read, write, places) {
		if strings.Contains(g, "*") || strings.Contains(g, "secrets") {
			t.Errorf("too much: %s", g)
		}
	}
}

// The admission policy compares every field of a node that Tessera must leave alone,
// also those that later Kubernetes brings: what it does not name could be changed.
func TestTheAdmissionPolicyNamesEveryFieldOfANode(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(home, "../../configs/deploy/active/admission.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ours := []string{"spec.unschedulable", "status.capacity", "status.allocatable"} // the last two by their keys
	for part, of := range map[string]reflect.Type{"spec": reflect.TypeFor[corev1.NodeSpec](), "status": reflect.TypeFor[corev1.NodeStatus]()} {
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			compared := fmt.Sprintf("object.%[1]s.?%[2]s == oldObject.%[1]s.?%[2]s", part, name)
			if !slices.Contains(ours, part+"."+name) && !strings.Contains(string(data), compared) {
				t.Errorf("it does not say %s", compared)
			}
		}
	}
}
