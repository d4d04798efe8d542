package actuator_test

import (
	corev1 "k8s.io/api/core/v1"
)

// schedule places pods where what they ask for is left, and runs them.
func (w *world) schedule() {
	nodes := below[corev1.Node](w, nodesPath)
	left := map[string]map[corev1.ResourceName]int64{}
	for _, n := range nodes {
		left[n.Name] = map[corev1.ResourceName]int64{}
		for name, q := range n.Status.Allocatable {
			left[n.Name][name] = q.Value()
		}
	}
	pods := below[corev1.Pod](w, podsPath)
	for _, pod := range pods {
		for name, n := range limits(pod) {
			if left[pod.Spec.NodeName] != nil {
				left[pod.Spec.NodeName][name] -= n
			}
		}
	}
	for _, pod := range pods {
		for _, n := range nodes {
			if pod.Spec.NodeName == "" && !n.Spec.Unschedulable && fits(limits(pod), left[n.Name]) {
				pod.Spec.NodeName = n.Name
				for name, k := range limits(pod) {
					left[n.Name][name] -= k
				}
			}
		}
		if pod.Spec.NodeName != "" && pod.Status.Phase == corev1.PodPending {
			pod.Status.Phase = corev1.PodRunning
			is := corev1.ConditionTrue
			if w.unready[pod.Name] {
				is = corev1.ConditionFalse
			}
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: is}}
			w.store(podsPath+pod.Name, pod)
		}
	}
}

func limits(pod *corev1.Pod) map[corev1.ResourceName]int64 {
	out := map[corev1.ResourceName]int64{}
	for _, c := range pod.Spec.Containers {
		for name, q := range c.Resources.Limits {
			out[name] += q.Value()
		}
	}
	return out
}

func fits(want, left map[corev1.ResourceName]int64) bool {
	for name, n := range want {
		if left[name] < n {
			return false
		}
	}
	return true
}
