package kube_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
	"github.com/tessera-autoscaler/tessera/packing"
)

// Whatever legal geometries a node has, what it offers is realised: legally, exactly,
// and always in the same way.
func TestRealiseUndoesOffered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom(fleet.GPUTypes()).Draw(t, "gpu")
		spec, _ := fleet.LookupGPU(part)
		shapes := append([]fleet.Geometry{nil, {{Profile: fleet.WholeGPU}}}, packing.Feasible(spec)...)
		gpus := make([]fleet.GPU, rapid.IntRange(1, 8).Draw(t, "gpus"))
		for i := range gpus {
			gpus[i] = fleet.GPU{Type: part, Geometry: rapid.SampledFrom(shapes).Draw(t, "geometry")}
		}
		offered := kube.Offered(gpus)
		before := maps.Clone(offered)

		got, err := kube.Realise(part, len(gpus), offered)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(offered, before) {
			t.Fatal("the argument was changed")
		}
		back := make([]fleet.GPU, len(got))
		for i, g := range got {
			if err := g.Validate(spec); err != nil {
				t.Fatal(err)
			}
			back[i] = fleet.GPU{Type: part, Geometry: g}
		}
		if len(got) != len(gpus) || !maps.Equal(kube.Offered(back), offered) {
			t.Fatalf("%d GPUs offer %v, want %d that offer %v", len(got), kube.Offered(back), len(gpus), offered)
		}
		again, _ := kube.Realise(part, len(gpus), offered)
		if !slices.EqualFunc(got, again, fleet.Geometry.Equal) {
			t.Fatalf("once %v and once %v", got, again)
		}
	})
}

func TestRealiseRefusesWhatCannotBe(t *testing.T) {
	for _, c := range []struct {
		name    string
		part    fleet.GPUType
		gpus    int
		offered map[corev1.ResourceName]int64
		says    string
	}{
		{"eight sevenths of one GPU", "a100-80gb", 1, map[corev1.ResourceName]int64{"nvidia.com/mig-1g.10gb": 8}, "8×nvidia.com/mig-1g.10gb"},
		{"a slice of another part", "a100-40gb", 1, map[corev1.ResourceName]int64{"nvidia.com/mig-1g.20gb": 1}, "cannot be cut"},
		{"a GPU shared by time", "t4-16gb", 1, map[corev1.ResourceName]int64{kube.GPUResource: 4}, "4×nvidia.com/gpu"},
		{"too many on eight GPUs", "a100-80gb", 8, map[corev1.ResourceName]int64{"nvidia.com/mig-3g.40gb": 9, "nvidia.com/mig-2g.20gb": 15}, "cannot be cut"},
		{"no such part", "a100", 1, map[corev1.ResourceName]int64{kube.GPUResource: 1}, "write one of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kube.Realise(c.part, c.gpus, c.offered)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, %v; want an error that says %q", got, err, c.says)
			}
		})
	}
}

func TestAllocatableLeavesOutWhatIsNotThere(t *testing.T) {
	n := &corev1.Node{Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
		"nvidia.com/mig-1g.10gb": resource.MustParse("3"), "nvidia.com/gpu": resource.MustParse("0"),
		"cpu": resource.MustParse("96"), "seat.tessera.dev/fr": resource.MustParse("2"),
	}}}
	if got := kube.Allocatable(n); !maps.Equal(got, map[corev1.ResourceName]int64{"nvidia.com/mig-1g.10gb": 3}) {
		t.Errorf("got %v", got)
	}
}

func TestSliceLabelsAreReadAsWritten(t *testing.T) {
	for _, part := range fleet.GPUTypes() {
		spec, _ := fleet.LookupGPU(part)
		for _, p := range append(slices.Clone(spec.Profiles), fleet.MIGProfile{Name: fleet.WholeGPU}) {
			kind := fleet.SliceKind{GPU: part, Profile: p.Name}
			if got, err := kube.ParseSliceLabel(kube.SliceLabel(kind)); err != nil || got != kind {
				t.Errorf("%s: %v, %v", kube.SliceLabel(kind), got, err)
			}
		}
	}
	if got, err := kube.ParseSliceLabel("cpu_whole"); err != nil || got != fleet.CPUSlice {
		t.Errorf("cpu_whole: %v, %v", got, err)
	}
	for _, wrong := range []string{"", "a100-80gb", "a100-80gb_9g.90gb", "cpu_1g.10gb", "tpu_whole"} {
		if got, err := kube.ParseSliceLabel(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, got)
		}
	}
}
