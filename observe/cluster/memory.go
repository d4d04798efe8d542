package cluster

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// memory is what was seen of each node's GPUs before, by the cluster's name of the
// node. A node does not say when it began to offer what it offers, so that the
// instants are those of looks. It is lost with the process; what rests on it is
// then left out, and never guessed.
type memory map[string]sighting

// sighting is what was seen of the GPUs of a node.
type sighting struct {
	uid     types.UID
	bare    bool                          // it was seen without any
	first   time.Time                     // first look at which it had any
	offered map[corev1.ResourceName]int64 // at the last look
	since   time.Time                     // first look at which it offered this
	before  map[corev1.ResourceName]int64 // the last that was not nothing
}

// after is the memory once the nodes were looked at. The one before is left as it is.
func (m memory) after(nodes []*corev1.Node, now time.Time) memory {
	out := make(memory, len(nodes))
	for _, n := range nodes {
		s, known := m[n.Name]
		if !known || s.uid != n.UID {
			s = sighting{uid: n.UID}
		}
		offered := kube.Allocatable(n)
		if s.since.IsZero() || !maps.Equal(offered, s.offered) {
			s.offered, s.since = offered, now
		}
		if len(offered) == 0 {
			s.bare = s.bare || s.first.IsZero()
		} else {
			s.before = offered
			if s.first.IsZero() {
				s.first = now
			}
		}
		out[n.Name] = s
	}
	return out
}
