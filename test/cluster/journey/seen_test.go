package journey

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// bought are the machines in the order in which they were asked for.
func (w *witness) bought() []machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []machine
	for _, m := range w.machines {
		if !m.asked.IsZero() {
			out = append(out, *m)
		}
	}
	slices.SortFunc(out, func(a, b machine) int { return strings.Compare(a.claim, b.claim) })
	return out
}

// serving counts the ready pods of each model on each node: node, model, pods.
func (w *witness) serving() map[string]map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]map[string]int{}
	for _, p := range w.pods {
		if !podReady(p) || p.DeletionTimestamp != nil {
			continue
		}
		if out[p.Spec.NodeName] == nil {
			out[p.Spec.NodeName] = map[string]int{}
		}
		out[p.Spec.NodeName][p.Labels["tessera.dev/model"]]++
	}
	return out
}

// wanted is a copy of the replicas of all Deployments.
func (w *witness) wanted() map[string]int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.replicas)
}

// said are the program's events so far.
func (w *witness) said() []corev1.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func isReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func podReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// offered says which slices a node offers.
func offered(n *corev1.Node) string {
	var parts []string
	for name, q := range n.Status.Allocatable {
		if profile, ok := strings.CutPrefix(string(name), "nvidia.com/"); ok && !q.IsZero() {
			parts = append(parts, fmt.Sprintf("%d %s", q.Value(), profile))
		}
	}
	if len(parts) == 0 {
		return "no slices"
	}
	slices.Sort(parts)
	return strings.Join(parts, " + ")
}

// claimOf is the claim for which the kwok provider made a node, by its name:
// kwok-CLAIM-WORD-NUMBER-RANDOM-NUMBER. Other names stay as they are.
func claimOf(node string) string {
	if m := kwokName.FindStringSubmatch(node); m != nil {
		return m[1]
	}
	return node
}

var kwokName = regexp.MustCompile(`^kwok-(.+)-[a-z]+-[0-9]+-[a-z0-9]+-[0-9]+$`)
