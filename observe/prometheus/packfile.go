package prometheus

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

type packFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                struct {
		Keys    []string    `yaml:"keys"`
		Target  []string    `yaml:"target"`
		Samples []string    `yaml:"samples"`
		Signals signalsSpec `yaml:"signals"`
		Pods    podsSpec    `yaml:"pods"`
	} `yaml:"spec,required"`
}

type signalsSpec struct {
	Arrivals    signalSpec `yaml:"arrivals"`
	Backlog     signalSpec `yaml:"backlog"`
	Attainment  ratioSpec  `yaml:"attainment"`
	Utilisation signalSpec `yaml:"utilisation"`
}

type podsSpec struct {
	Newest      []string   `yaml:"newest"`
	InFlight    signalSpec `yaml:"inflight"`
	Utilisation signalSpec `yaml:"utilisation"`
}

type signalSpec struct {
	Queries []string `yaml:"queries"`
	Missing string   `yaml:"missing"`
	Absent  string   `yaml:"absent"`
}

type ratioSpec struct {
	signalSpec `yaml:",inline"`
	Bounds     []string `yaml:"bounds"`
	Unit       string   `yaml:"unit,oneof=seconds|milliseconds|microseconds"`
}

func (s signalSpec) signal() Signal {
	return Signal{Queries: s.Queries, Missing: s.Missing, Absent: s.Absent}
}

// labelName is what labels are called in Prometheus.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// ParsePack reads a SignalPack. The name is that of the file, for complaints; the
// error is strictyaml.Complaints and holds all of them. PromQL itself is judged by
// the server: a template that it does not take becomes a doubt that names pack and
// signal.
func ParsePack(name string, data []byte) (Pack, error) {
	doc := strictyaml.Parse(name, data)
	var file packFile
	if _, ok := doc.Expect("tessera/v1alpha1", "SignalPack"); !ok {
		return Pack{}, doc.Err()
	}
	doc.Decode(&file)
	spec := file.Spec
	p := Pack{
		Name: file.Metadata.Name, Keys: spec.Keys, Target: spec.Target, Samples: spec.Samples,
		Arrivals: spec.Signals.Arrivals.signal(), Backlog: spec.Signals.Backlog.signal(),
		Attainment: spec.Signals.Attainment.signal(), Utilisation: spec.Signals.Utilisation.signal(),
		Pods: Pods{Newest: spec.Pods.Newest, InFlight: spec.Pods.InFlight.signal(), Utilisation: spec.Pods.Utilisation.signal()},
	}
	if len(p.Target) == 0 {
		p.Target = []string{"job", "instance"}
	}
	p.Attainment.Bounds = spec.Signals.Attainment.Bounds
	p.Attainment.Unit = map[string]time.Duration{
		"seconds": time.Second, "milliseconds": time.Millisecond, "microseconds": time.Microsecond,
	}[cmp.Or(spec.Signals.Attainment.Unit, "seconds")]

	checkPack(doc, p)
	if err := doc.Err(); err != nil {
		return Pack{}, err
	}
	return p, nil
}

func checkPack(doc *strictyaml.Document, p Pack) {
	if p.Name == "" {
		doc.Complain("metadata.name", "a pack needs a name").Hint("sources and causes call it by its name")
	}
	checkLabels(doc, "spec.keys", p.Keys)
	checkLabels(doc, "spec.target", p.Target)
	byModel := []struct {
		path   string
		signal Signal
	}{
		{"spec.signals.arrivals", p.Arrivals},
		{"spec.signals.backlog", p.Backlog},
		{"spec.signals.attainment", p.Attainment},
		{"spec.signals.utilisation", p.Utilisation},
	}
	for _, s := range byModel {
		checkSignal(doc, s.path, s.signal, p)
		if len(s.signal.Queries) > 0 && len(p.Keys) == 0 {
			doc.Complain(s.path, "a signal of models needs spec.keys, the labels that tell them apart").OnKey()
		}
	}
	checkSignal(doc, "spec.pods.inflight", p.Pods.InFlight, p)
	checkSignal(doc, "spec.pods.utilisation", p.Pods.Utilisation, p)
	checkTemplates(doc, "spec.samples", p.Samples, p)
	checkTemplates(doc, "spec.pods.newest", p.Pods.Newest, p)
	checkTemplates(doc, "spec.signals.attainment.bounds", p.Attainment.Bounds, p)
	if len(p.Keys) > 0 && len(p.Samples) == 0 {
		doc.Complain("spec", "samples is missing: without a series to read age and targets from, every signal would be unknown").
			Hint("give the selector of a counter that is there from the start, as samples: [\"my_requests_total{$match}\"]")
	}
	if pods := p.Pods; len(pods.Newest) == 0 && len(pods.InFlight.Queries)+len(pods.Utilisation.Queries) > 0 {
		doc.Complain("spec.pods", "newest is missing: without the age of its samples a signal is unknown").OnKey().
			Hint("as newest: [\"max by (namespace, pod) (timestamp(my_gauge{$match}))\"]")
	}
}

func checkLabels(doc *strictyaml.Document, path string, labels []string) {
	for i, label := range labels {
		switch {
		case !labelName.MatchString(label):
			doc.Complain(strictyaml.Index(path, i), "%q is not the name of a label", label)
		case slices.Contains(labels[:i], label):
			doc.Complain(strictyaml.Index(path, i), "%q is there already", label)
		}
	}
}

func checkSignal(doc *strictyaml.Document, path string, s Signal, p Pack) {
	if s.Absent != "" && len(s.Queries) > 0 {
		doc.Complain(strictyaml.Key(path, "absent"), "a signal is absent or has queries, not both")
	}
	checkTemplates(doc, strictyaml.Key(path, "queries"), s.Queries, p)
}

// checkTemplates complains about placeholders that do not exist, and about a query
// that no matcher of the user reaches.
func checkTemplates(doc *strictyaml.Document, path string, templates []string, p Pack) {
	known := p.placeholders()
	for i, text := range templates {
		at, matched := strictyaml.Index(path, i), false
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			matched = matched || m[1] == "match" || slices.Contains(p.Keys, trimMatch(m[1]))
			if !slices.Contains(known, m[1]) {
				doc.Complain(at, "$%s is no placeholder", m[1]).Suggest(m[1], known)
			}
		}
		if !matched {
			doc.Complain(at, "no selector has $match, so that it would take the series of everybody").
				Hint("write it into the braces: my_metric{$match}")
		}
	}
}
