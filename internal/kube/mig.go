package kube

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// AllDisabled is NVIDIA's name for a node whose GPUs are not divided. mig-manager knows
// it, as any other, only from its file.
const AllDisabled = "all-disabled"

// MIGConfigName names the geometries of a node's GPUs as mig-manager's label does,
// "tessera-3g.40gb-2x2g.20gb"; equal geometries have equal names. GPUs that are cut
// in different ways are named by a digest. Empty for a node without MIG.
func MIGConfigName(gpus []fleet.GPU) string {
	if len(gpus) == 0 || gpus[0].Type == fleet.CPU {
		return ""
	}
	if spec, known := fleet.LookupGPU(gpus[0].Type); !known || len(spec.Profiles) == 0 {
		return ""
	}
	names := make([]string, len(gpus))
	for i, g := range gpus {
		names[i] = shapeName(g.Geometry)
	}
	if first := names[0]; !slices.ContainsFunc(names, func(n string) bool { return n != first }) {
		if first == string(fleet.WholeGPU) {
			return AllDisabled
		}
		return "tessera-" + first
	}
	digest := fnv.New64a()
	fmt.Fprint(digest, strings.Join(names, "/"))
	return fmt.Sprintf("tessera-%x", digest.Sum64())
}

// shapeName writes a geometry in letters that a label's value may have.
func shapeName(g fleet.Geometry) string {
	if len(g) == 0 {
		return "empty"
	}
	counts := g.Counts()
	var parts []string
	for _, p := range slices.Backward(slices.Sorted(maps.Keys(counts))) {
		part := dotted(p)
		if n := counts[p]; n > 1 {
			part = fmt.Sprintf("%dx%s", n, part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "-")
}

// MIGConfigs is mig-parted's file, as far as Tessera writes it: geometries by name.
type MIGConfigs struct {
	Version string                 `json:"version"`
	Configs map[string][]MIGDevice `json:"mig-configs"`
}

// MIGDevice says how some GPUs of a node are cut.
type MIGDevice struct {
	Devices any                       `json:"devices"` // "all", or their indices
	Enabled bool                      `json:"mig-enabled"`
	Slices  map[fleet.ProfileName]int `json:"mig-devices,omitempty"`
}

// MIGConfigKey is the key of the ConfigMap under which mig-manager looks.
const MIGConfigKey = "config.yaml"

// ParseMIGConfigs reads a mig-parted file; of an empty one, a file without
// geometries.
func ParseMIGConfigs(text string) (MIGConfigs, error) {
	c := MIGConfigs{Version: "v1"}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		return MIGConfigs{}, fmt.Errorf("read the MIG configurations: %w", err)
	}
	if c.Version != "v1" {
		return MIGConfigs{}, fmt.Errorf("the MIG configurations are of version %q, and v1 is understood", c.Version)
	}
	if c.Configs == nil {
		c.Configs = map[string][]MIGDevice{}
	}
	return c, nil
}

// Add adds the geometries of a node under their name, and tells whether the file
// lacked them.
func (c MIGConfigs) Add(gpus []fleet.GPU) bool {
	name := MIGConfigName(gpus)
	if _, known := c.Configs[name]; known || name == "" {
		return false
	}
	uniform := !slices.ContainsFunc(gpus, func(g fleet.GPU) bool { return shapeName(g.Geometry) != shapeName(gpus[0].Geometry) })
	if uniform {
		c.Configs[name] = []MIGDevice{device("all", gpus[0].Geometry)}
		return true
	}
	var devices []MIGDevice
	for i, g := range gpus {
		devices = append(devices, device([]int{i}, g.Geometry))
	}
	c.Configs[name] = devices
	return true
}

func device(which any, g fleet.Geometry) MIGDevice {
	if len(g) == 1 && g[0].Profile == fleet.WholeGPU {
		return MIGDevice{Devices: which}
	}
	return MIGDevice{Devices: which, Enabled: true, Slices: g.Counts()}
}

// Text writes the file.
func (c MIGConfigs) Text() (string, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the MIG configurations: %w", err)
	}
	return string(text), nil
}
