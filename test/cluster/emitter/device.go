package emitter

import (
	"fmt"
	"hash/fnv"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Device is where a pod's slice is, in DCGM's words. A Device without UUID is none:
// a pod on CPUs.
type Device struct {
	UUID    string // of the GPU
	GPU     string // its number on the node
	ID      string // GPU_I_ID, empty for a whole GPU
	Profile string // GPU_I_PROFILE, empty for a whole GPU
}

// place asks where a pod's slice is, or makes it up: a node has one GPU, and the
// slices in use on it are numbered from zero.
func (e *Emitter) place(pod *corev1.Pod, s *server) Device {
	if e.options.Device != nil {
		return e.options.Device(pod)
	}
	switch s.kind {
	case "cpu":
		return Device{}
	case "whole":
		return Device{UUID: uuid(s.node), GPU: "0"}
	}
	used := map[string]bool{}
	for _, t := range e.models {
		for _, other := range t.servers {
			if other.node == s.node && other.present {
				used[other.device.ID] = true
			}
		}
	}
	id := 0
	for used[strconv.Itoa(id)] {
		id++
	}
	return Device{UUID: uuid(s.node), GPU: "0", ID: strconv.Itoa(id), Profile: s.kind}
}

// uuid looks like that of a GPU and is the same for the same node.
func uuid(node string) string {
	h := fnv.New128a()
	_, _ = h.Write([]byte(node))
	b := h.Sum(nil)
	return fmt.Sprintf("GPU-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
