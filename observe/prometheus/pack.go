package prometheus

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// A Pack says how a kind of server shows the load of its models. It is data, read
// by [ParsePack]; the comments in packs/ show how one is written.
type Pack struct {
	// Name is the pack's own.
	Name string
	// Keys are the labels that tell models apart. A pack without keys knows pods only.
	Keys []string
	// Target are the labels that a series shares with the up of its target.
	Target []string
	// Samples are raw selectors of a series that every server of the pack's kind
	// exposes for each model, whether it is used or not. Age, window and targets
	// are read from it. Several are alternatives.
	Samples []string

	Arrivals, Backlog, Attainment, Utilisation Signal
	Pods                                       Pods
}

// A Signal is one PromQL template of a pack.
type Signal struct {
	// Queries are alternatives, joined by or: where the first has no series for a
	// model, the next is asked.
	Queries []string
	// Missing explains, beside the cause, why a model may have no series.
	Missing string
	// Absent says why the pack has no such signal. Then there are no queries.
	Absent string
	// Bounds are raw selectors of the buckets that an attainment counts, and Unit is
	// the unit of their bounds. Without Bounds the template uses $slo alone.
	Bounds []string
	Unit   time.Duration
}

// Pods are the signals that a pack knows by namespace and pod.
type Pods struct {
	// Newest answers with the time of the newest sample, in seconds, by namespace
	// and pod.
	Newest []string

	InFlight, Utilisation Signal
}

//go:embed packs/*.yaml
var builtin embed.FS

// BuiltinPacks returns the packs that ship, by name: triton, vllm, nim, kafka
// (kafka_exporter) and dcgm.
func BuiltinPacks() map[string]Pack {
	files, err := builtin.ReadDir("packs")
	if err != nil {
		panic(fmt.Sprintf("list the packs that ship: %v", err))
	}
	packs := make(map[string]Pack, len(files))
	for _, f := range files {
		data, err := builtin.ReadFile(path.Join("packs", f.Name()))
		if err != nil {
			panic(fmt.Sprintf("read the pack %s that ships: %v", f.Name(), err))
		}
		p, err := ParsePack(f.Name(), data)
		if err != nil {
			panic(fmt.Sprintf("a pack that ships is wrong: %v", err))
		}
		packs[p.Name] = p
	}
	return packs
}

// A Key names a model in a pack: a value for each of the pack's key labels, such as
// {"model": "asr-fr"} or {"topic": "summaries", "consumergroup": "summariser"}.
type Key map[string]string

// text is the key as people and maps know it: model="asr-fr".
func (k Key) text() string {
	parts := make([]string, 0, len(k))
	for _, label := range slices.Sorted(maps.Keys(k)) {
		parts = append(parts, fmt.Sprintf("%s=%q", label, k[label]))
	}
	return strings.Join(parts, ",")
}

// kind names the signals of a pack as causes and doubts do.
type kind string

const (
	arrivals    kind = "arrivals"
	backlog     kind = "backlog"
	attainment  kind = "attainment"
	utilisation kind = "utilisation"
	inFlight    kind = "inflight"
	podUtil     kind = "pod utilisation"
	freshness   kind = "freshness"
	targets     kind = "targets"
	bounds      kind = "bounds"
)

// signal finds the template of a kind of signal by model.
func (p Pack) signal(k kind) Signal {
	switch k {
	case arrivals:
		return p.Arrivals
	case backlog:
		return p.Backlog
	case attainment:
		return p.Attainment
	case utilisation:
		return p.Utilisation
	case inFlight:
		return p.Pods.InFlight
	case podUtil:
		return p.Pods.Utilisation
	}
	return Signal{}
}

// windowed tells whether the template reads a window that must be covered.
func (s Signal) windowed() bool {
	return slices.ContainsFunc(s.Queries, func(q string) bool { return uses(q, "window") })
}
