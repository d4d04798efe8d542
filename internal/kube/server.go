package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Key names an object in a namespace.
type Key struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String prints namespace/name.
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Compare orders keys by namespace and name.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, o.Namespace), cmp.Compare(k.Name, o.Name))
}

// Server is a Deployment as Tessera reads it: the pods of one model, build and kind
// of slice.
type Server struct {
	Key     Key
	Model   fleet.ModelName
	Variant fleet.VariantName
	Kind    fleet.SliceKind
	Seat    corev1.ResourceName // by which its pods are bound to nodes; empty: they go where a slice is free
	Paused  bool
}

// Place is where a replica of the server is started.
func (s Server) Place() fleet.Place { return fleet.Place{Variant: s.Variant, Kind: s.Kind} }

// ServerOf reads a Deployment that bears a model's label. The error says what is
// wrong with it and how to mend it; such a Deployment is left alone.
func ServerOf(d *appsv1.Deployment) (Server, error) {
	s := Server{
		Key:     Key{d.Namespace, d.Name},
		Model:   fleet.ModelName(d.Labels[LabelModel]),
		Variant: fleet.VariantName(d.Labels[LabelVariant]),
		Paused:  d.Annotations[AnnotationPaused] == "true",
	}
	template := d.Spec.Template
	if s.Model == "" || s.Variant == "" {
		return Server{}, fmt.Errorf("it lacks the label %s or %s", LabelModel, LabelVariant)
	}
	for _, label := range []string{LabelModel, LabelVariant, LabelSlice} {
		if template.Labels[label] != d.Labels[label] {
			return Server{}, fmt.Errorf("its pod template says %s %q and the Deployment %q: write the same on both", label, template.Labels[label], d.Labels[label])
		}
	}
	kind, err := ParseSliceLabel(d.Labels[LabelSlice])
	if err != nil {
		return Server{}, fmt.Errorf("label %s: %w", LabelSlice, err)
	}
	s.Kind = kind
	asked := asks(template.Spec)
	if s.Seat, err = seatOf(asked); err != nil {
		return Server{}, err
	}
	if err := sliceAsked(kind, asked); err != nil {
		return Server{}, err
	}
	return s, nil
}

// seatOf finds the seat that pods ask for, empty where they ask for none.
func seatOf(asked map[corev1.ResourceName]int64) (corev1.ResourceName, error) {
	var seat corev1.ResourceName
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !strings.HasPrefix(string(name), SeatPrefix) {
			continue
		}
		if seat != "" || asked[name] != 1 {
			return "", fmt.Errorf("its pods ask for %d of %s: ask for one seat of one name", asked[name], name)
		}
		seat = name
	}
	return seat, nil
}

// sliceAsked tells whether pods ask for one slice of the kind that their label says,
// and for no other.
func sliceAsked(kind fleet.SliceKind, asked map[corev1.ResourceName]int64) error {
	want, counted := SliceResource(kind)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if IsGPUResource(name) && (!counted || name != want || asked[name] != 1) {
			return fmt.Errorf("its label says %s %s, and its pods ask for %d of %s", LabelSlice, SliceLabel(kind), asked[name], name)
		}
	}
	if counted && asked[want] == 0 {
		return fmt.Errorf("its label says %s %s, and its pods do not ask for %s", LabelSlice, SliceLabel(kind), want)
	}
	return nil
}

// asks sums what the containers of a pod ask for of GPUs and seats.
func asks(pod corev1.PodSpec) map[corev1.ResourceName]int64 {
	out := map[corev1.ResourceName]int64{}
	for _, c := range pod.Containers {
		for name, q := range c.Resources.Limits {
			if IsGPUResource(name) || strings.HasPrefix(string(name), SeatPrefix) {
				out[name] += q.Value()
			}
		}
	}
	return out
}
