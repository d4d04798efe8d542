package policy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

type profilesFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                struct {
		Profiles []profileSpec `yaml:"profiles,required,nonempty"`
	} `yaml:"spec,required"`
}

type profileSpec struct {
	Name     string        `yaml:"name,required,nonempty"`
	Serves   string        `yaml:"serves,oneof=requests|sessions"`
	Unit     string        `yaml:"unit"`
	Queue    string        `yaml:"queue,oneof=least-load|central"`
	WhenFull string        `yaml:"whenFull,oneof=wait|refuse"`
	MeanWork *float64      `yaml:"meanWork,max=1000000000"`
	WorkCV   float64       `yaml:"workCV,min=0,max=10"`
	Variants []variantSpec `yaml:"variants,required,nonempty"`
}

type variantSpec struct {
	Name     string               `yaml:"name,required,nonempty"`
	Accuracy *strictyaml.Ratio    `yaml:"accuracy"`
	Slices   map[string]sliceSpec `yaml:"slices,required,nonempty"`
}

type sliceSpec struct {
	Batch        []int                `yaml:"batch,nonempty"`
	Seconds      []float64            `yaml:"seconds,nonempty"`
	Streams      int                  `yaml:"streams,min=0,max=1000000"`
	Memory       strictyaml.Mebibytes `yaml:"memory,required,min=1Mi"`
	Load         *delaySpec           `yaml:"load"`
	Interference strictyaml.Ratio     `yaml:"interference"`
	Measured     string               `yaml:"measured"`
}

// defaultUnit is the unit of work of a profile that names none.
const defaultUnit = "request"

// DecodeProfiles decodes a Profiles document. What is wrong becomes complaints of
// the document; the answer counts only where there are none.
func DecodeProfiles(doc *strictyaml.Document) []fleet.PerformanceProfile {
	var file profilesFile
	if _, ok := doc.Expect(apiVersion, "Profiles"); !ok {
		return nil
	}
	doc.Decode(&file)
	var profiles []fleet.PerformanceProfile
	seen := map[string]string{}
	for i, spec := range file.Spec.Profiles {
		path := strictyaml.Index("spec.profiles", i)
		checkName(doc, strictyaml.Key(path, "name"), spec.Name, seen)
		profiles = append(profiles, profile(doc, path, spec))
	}
	slices.SortFunc(profiles, func(a, b fleet.PerformanceProfile) int { return cmp.Compare(a.Name, b.Name) })
	return profiles
}

func profile(doc *strictyaml.Document, path string, spec profileSpec) fleet.PerformanceProfile {
	p := fleet.PerformanceProfile{
		Name: fleet.PerformanceName(spec.Name), Unit: cmp.Or(spec.Unit, defaultUnit),
		Queue: fleet.Queue(cmp.Or(spec.Queue, string(fleet.LeastLoad))), MeanWork: otherwise(spec.MeanWork, 1), WorkCV: spec.WorkCV,
	}
	if spec.Serves == string(fleet.ServesSessions) {
		sessions(doc, path, spec, &p)
	} else if spec.WhenFull != "" {
		doc.Complain(strictyaml.Key(path, "whenFull"), "whenFull has no effect: the profile serves requests, which wait").OnKey().
			Hint("leave it out, or add serves: sessions")
	}
	if !(p.MeanWork > 0) {
		doc.Complain(strictyaml.Key(path, "meanWork"), "meanWork = %v: a request carries some work", p.MeanWork)
	}
	seen := map[string]string{}
	for i, v := range spec.Variants {
		at := strictyaml.Index(strictyaml.Key(path, "variants"), i)
		checkName(doc, strictyaml.Key(at, "name"), v.Name, seen)
		p.Variants = append(p.Variants, variant(doc, at, v, p))
	}
	p.Sort()
	return p
}

func variant(doc *strictyaml.Document, path string, spec variantSpec, of fleet.PerformanceProfile) fleet.Variant {
	v := fleet.Variant{Name: fleet.VariantName(spec.Name), Accuracy: float64(otherwise(spec.Accuracy, 1))}
	if v.Accuracy == 0 {
		doc.Complain(strictyaml.Key(path, "accuracy"), "accuracy = 0: give the share of the best build's accuracy").
			Hint("the best build has 1.0")
	}
	at := strictyaml.Key(path, "slices")
	for _, key := range doc.Keys(at) {
		slice, decoded := spec.Slices[key]
		if !decoded {
			continue
		}
		if perf, ok := sliceOf(doc, strictyaml.Key(at, key), key, slice, of); ok {
			v.Slices = append(v.Slices, perf)
		}
	}
	return v
}

// sliceOf reads what was measured on one kind of slice.
func sliceOf(doc *strictyaml.Document, path, key string, spec sliceSpec, of fleet.PerformanceProfile) (fleet.Performance, bool) {
	perf := fleet.Performance{
		Batch: spec.Batch, Seconds: spec.Seconds, Streams: spec.Streams, MemoryMiB: int64(spec.Memory),
		Load:         delay(doc, strictyaml.Key(path, "load"), spec.Load, fleet.Delay{}),
		Interference: float64(spec.Interference), Measured: cmp.Or(spec.Measured, "source not given"),
	}
	if !doc.Sound(path) || !timed(doc, path, of) {
		return perf, false
	}
	if err := of.Check(perf); err != nil {
		doc.Complain(path, "%v", err).OnKey()
		return perf, false
	}
	for i, seconds := range perf.Seconds {
		if seconds > 86400 || math.IsNaN(seconds) {
			doc.Complain(strictyaml.Index(strictyaml.Key(path, "seconds"), i), "%v seconds for one batch is more than a day", seconds)
			return perf, false
		}
	}
	kind, ok := sliceKind(doc, path, key)
	if !ok {
		return perf, false
	}
	perf.Kind = kind
	return perf, kind.GPU == fleet.CPU || fits(doc, strictyaml.Key(path, "memory"), perf)
}

// timed complains about a slice for requests that lacks the times of its batches.
func timed(doc *strictyaml.Document, path string, of fleet.PerformanceProfile) bool {
	all := true
	for _, field := range []string{"batch", "seconds"} {
		if at := strictyaml.Key(path, field); !of.Sessions() && !doc.Has(at) {
			doc.Complain(at, "required key is missing")
			all = false
		}
	}
	return all
}

// sliceKind reads the key of a slice: gpu/profile, gpu/whole or cpu.
func sliceKind(doc *strictyaml.Document, path, key string) (fleet.SliceKind, bool) {
	if key == string(fleet.CPU) {
		return fleet.CPUSlice, true
	}
	gpu, profile, split := strings.Cut(key, "/")
	spec, known := fleet.LookupGPU(fleet.GPUType(gpu))
	switch {
	case !known:
		types := []string{string(fleet.CPU)}
		for _, t := range fleet.GPUTypes() {
			types = append(types, string(t))
		}
		doc.Complain(path, "%q is no GPU that is known", gpu).OnKey().Suggest(gpu, types)
		return fleet.SliceKind{}, false
	case !split:
		doc.Complain(path, "%q names a GPU without a slice", key).OnKey().
			Hint("write %s/%s, or one of its slices: %s", gpu, fleet.WholeGPU, strings.Join(sliceNames(spec, 0), ", "))
		return fleet.SliceKind{}, false
	}
	if _, ok := spec.Profile(fleet.ProfileName(profile)); !ok {
		doc.Complain(path, "%s has no slice %q", gpu, profile).OnKey().
			Hint("its slices are %s", strings.Join(sliceNames(spec, 0), ", "))
		return fleet.SliceKind{}, false
	}
	return fleet.SliceKind{GPU: spec.Type, Profile: fleet.ProfileName(profile)}, true
}

// fits complains about a server that needs more memory than its slice has, or
// than any single GPU has.
func fits(doc *strictyaml.Document, path string, perf fleet.Performance) bool {
	spec, _ := fleet.LookupGPU(perf.Kind.GPU)
	row, _ := spec.Profile(perf.Kind.Profile)
	if perf.MemoryMiB <= row.MiB {
		return true
	}
	largest := int64(0)
	for _, t := range fleet.GPUTypes() {
		s, _ := fleet.LookupGPU(t)
		largest = max(largest, s.MiB)
	}
	remark := doc.Complain(path, "%dMi do not fit in %s, which has %dMi", perf.MemoryMiB, perf.Kind, row.MiB)
	switch roomy := sliceNames(spec, perf.MemoryMiB); {
	case perf.MemoryMiB > largest:
		remark.Hint("no GPU has as much; a model that needs several GPUs at once cannot be placed")
	case len(roomy) == 0:
		remark.Hint("no slice of %s has as much", spec.Type)
	default:
		remark.Hint("slices of %s that have as much: %s", spec.Type, strings.Join(roomy, ", "))
	}
	return false
}

// sliceNames lists the slices of a part that have so much memory, with it.
func sliceNames(spec fleet.GPUSpec, mib int64) []string {
	var out []string
	whole, _ := spec.Profile(fleet.WholeGPU)
	for _, row := range append(slices.Clone(spec.Profiles), whole) {
		if row.MiB >= mib {
			out = append(out, fmt.Sprintf("%s (%dMi)", row.Name, row.MiB))
		}
	}
	return out
}
