package emitter

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// KindByResource names the kind of slice that a pod asks for by its extended
// resource: nvidia.com/mig-3g.40gb is "3g.40gb", nvidia.com/gpu is "whole", and a pod
// that asks for neither is "cpu".
func KindByResource(pod *corev1.Pod) string {
	for _, c := range pod.Spec.Containers {
		for _, list := range []corev1.ResourceList{c.Resources.Limits, c.Resources.Requests} {
			for name := range list {
				if profile, ok := strings.CutPrefix(string(name), "nvidia.com/mig-"); ok {
					return profile
				}
				if name == "nvidia.com/gpu" {
					return "whole"
				}
			}
		}
	}
	return "cpu"
}

// ready tells whether the pod's condition Ready is true.
func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// ended tells whether the pod's containers have ended for good.
func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// serving tells whether the pod may be given new work.
func serving(pod *corev1.Pod) bool {
	return ready(pod) && pod.DeletionTimestamp == nil &&
		pod.Labels[ServingLabel] != "false" && pod.Annotations[ServingLabel] != "false"
}

// grace is how long the pod may go on after it was asked to stop; zero if it was not.
func grace(pod *corev1.Pod) time.Duration {
	if pod.DeletionTimestamp == nil || pod.DeletionGracePeriodSeconds == nil {
		return 0
	}
	return time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
}
