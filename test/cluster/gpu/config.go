package gpu

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"sigs.k8s.io/yaml"
)

// AllDisabled is the configuration that every node knows and has when none is asked
// for: MIG off.
const AllDisabled = "all-disabled"

var (
	// errUnknownConfig is the answer for a name that the file does not define.
	errUnknownConfig = errors.New("no such configuration")
	// errNotNow is the answer while the file cannot be read.
	errNotNow = errors.New("the MIG configurations cannot be read now")
)

// configFile is the file of mig-parted.
type configFile struct {
	Version string             `json:"version"`
	Configs map[string][]entry `json:"mig-configs"`
}

// entry says how some of a node's GPUs are cut.
type entry struct {
	Filter  filter                    `json:"device-filter"`
	Devices devices                   `json:"devices"`
	Enabled bool                      `json:"mig-enabled"`
	Slices  map[fleet.ProfileName]int `json:"mig-devices"`
}

// filter names PCI devices, one or several; none means all.
type filter []string

func (f *filter) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*f = filter{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("device-filter is %s, neither a string nor a list of strings", b)
	}
	*f = list
	return nil
}

func (f filter) admits(device string) bool {
	return len(f) == 0 || slices.ContainsFunc(f, func(want string) bool { return strings.EqualFold(want, device) })
}

// devices names GPUs of a node by index, or all of them.
type devices struct {
	all  bool
	list []int
}

func (d *devices) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil && word == "all" {
		d.all = true
		return nil
	}
	if err := json.Unmarshal(b, &d.list); err != nil {
		return fmt.Errorf(`devices is %s, neither "all" nor a list of indices`, b)
	}
	return nil
}

func (d devices) has(i int) bool { return d.all || slices.Contains(d.list, i) }

// resolve answers the layout that a configuration gives to GPUs that are cut so far as
// now says; GPUs that it does not mention stay as they are.
func resolve(file []byte, name string, part Part, now layout) (layout, error) {
	if name == AllDisabled {
		return whole(part.Count), nil
	}
	var c configFile
	if err := yaml.UnmarshalStrict(file, &c); err != nil {
		return nil, fmt.Errorf("reading the MIG configurations: %w", err)
	}
	if c.Version != "v1" {
		return nil, fmt.Errorf("the MIG configurations are version %q, want v1", c.Version)
	}
	entries, ok := c.Configs[name]
	if !ok {
		return nil, fmt.Errorf("%w %q", errUnknownConfig, name)
	}
	next := slices.Clone(now)
	for _, e := range entries {
		if !e.Filter.admits(part.Device) {
			continue
		}
		for i := range next {
			if e.Devices.has(i) {
				next[i] = e.slicing()
			}
		}
	}
	return next, nil
}

func (e entry) slicing() slicing {
	if !e.Enabled {
		return nil
	}
	s := slicing{}
	maps.Copy(s, e.Slices)
	maps.DeleteFunc(s, func(_ fleet.ProfileName, n int) bool { return n == 0 })
	return s
}
