package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// clustered is the smallest Service file with a cluster, in parts that a test
// replaces.
const clustered = `apiVersion: tessera/v1alpha1
kind: Service
spec:
  cluster:
    kubeconfig: kubeconfig.yaml
    namespaces: [speech]
    policy: policy.yaml
    catalog: catalog.yaml
    profiles: profiles.yaml
    nodes:
      offerings:
      - {name: gpu-node, instanceType: gpu, nodeClass: {group: g, kind: K, name: n}}
    prometheus: {url: "http://127.0.0.1:9"}
    signals:
    - pack: triton
`

// inCluster is the setting small with a service against a cluster.
func inCluster(change ...string) setting {
	files := small()
	files["service.yaml"] = strings.NewReplacer(change...).Replace(clustered)
	return files
}

func TestComplaintsAboutACluster(t *testing.T) {
	for name, tt := range map[string]struct {
		change []string
		at     string
		says   []string
	}{
		"no way into a cluster":      {[]string{"    kubeconfig: kubeconfig.yaml\n", ""}, "service.yaml:4:3: ", []string{"inCluster: true", "no cluster is ever picked up from the environment"}},
		"two ways":                   {[]string{"    kubeconfig", "    inCluster: true\n    kubeconfig"}, "service.yaml:6:17: ", []string{"both given"}},
		"context without a file":     {[]string{"    kubeconfig: kubeconfig.yaml", "    inCluster: true\n    context: x"}, "service.yaml:6:14: ", []string{"none is named"}},
		"misspelt":                   {[]string{"namespaces", "namespace"}, "service.yaml:6:5: ", []string{`did you mean "namespaces"?`}},
		"misspelt deeper":            {[]string{"nodeClass", "nodeclas"}, "service.yaml:", []string{`did you mean "nodeClass"?`}},
		"no namespaces":              {[]string{"[speech]", "[]"}, "service.yaml:6:17: ", []string{"must not be empty"}},
		"namespace twice":            {[]string{"[speech]", "[speech, speech]"}, "service.yaml:6:26: ", []string{"there already"}},
		"no namespace":               {[]string{"[speech]", "[Speech]"}, "service.yaml:6:18: ", []string{"cannot be a namespace"}},
		"lease too short":            {[]string{"    nodes:", "    lease: {duration: 5s}\n    nodes:"}, "service.yaml:", []string{"not shorter than the duration"}},
		"lease in parts of a second": {[]string{"    nodes:", "    lease: {duration: 15500ms}\n    nodes:"}, "service.yaml:", []string{"whole number of seconds", "16s"}},
		"lease without a retry":      {[]string{"    nodes:", "    lease: {retryPeriod: 9s}\n    nodes:"}, "service.yaml:", []string{"no time to try again"}},
		"engine":                     {[]string{"    nodes:", "    nodes:\n      engine: karpentr"}, "service.yaml:11:15: ", []string{`did you mean "karpenter"?`}},
		"placeholder":                {[]string{"    nodes:", "    nodes:\n      engine: placeholder"}, "service.yaml:", []string{"fills a node"}},
		"offering twice":             {[]string{"    prometheus:", "      - {name: gpu-node, instanceType: gpu, nodeClass: {group: g, kind: K, name: n}}\n    prometheus:"}, "service.yaml:13:16: ", []string{"there already"}},
		"password in the address":    {[]string{"127.0.0.1:9", "me:secret@127.0.0.1:9"}, "service.yaml:13:23: ", []string{"bearerTokenFile"}},
		"no address":                 {[]string{"http://127.0.0.1:9", "prometheus:9090"}, "service.yaml:13:23: ", []string{"no address of a server"}},
		"unknown pack":               {[]string{"triton", "tritom"}, "service.yaml:15:13: ", []string{`did you mean "triton"?`}},
		"no pack":                    {[]string{"- pack: triton", "- matchers: {a: b}"}, "service.yaml:15:7: ", []string{"packFile: PATH", "triton"}},
		"pack without its file":      {[]string{"pack: triton", "packFile: nowhere.yaml"}, "", []string{"nowhere.yaml"}},
		"pack of another kind":       {[]string{"pack: triton", "packFile: policy.yaml"}, "policy.yaml:2:7: ", []string{`"SignalPack"`}},
		"pack of two labels":         {[]string{"triton", "kafka"}, "service.yaml:15:7: ", []string{"list the models with their keys"}},
		"unknown model":              {[]string{"pack: triton", "pack: triton\n      models: [{name: transcribe-frr}]"}, "service.yaml:16:23: ", []string{`did you mean "transcribe-fr"?`}},
		"key of another pack":        {[]string{"pack: triton", "pack: triton\n      models: [{name: transcribe-fr, key: {topic: a}}]"}, "service.yaml:", []string{"tells models apart by model"}},
		"cluster and world":          {[]string{"  cluster:", "  embedded: {seed: 2}\n  cluster:"}, "service.yaml:4:3: ", []string{"remove one"}},
		"bad policy":                 {[]string{"policy.yaml", "catalog.yaml"}, "catalog.yaml:2:7: ", []string{`"FleetPolicy"`}},
		"missing catalog":            {[]string{"catalog: catalog.yaml", "catalog: nowhere.yaml"}, "", []string{"nowhere.yaml"}},
		"all namespaces":             {[]string{"[speech]", `[""]`}, "service.yaml:6:18: ", []string{"would be all of them"}},
		"ledger is mig-manager's":    {[]string{"    nodes:", "    mig: {configMap: {namespace: tessera, name: tessera}}\n    nodes:"}, "service.yaml:", []string{"give mig-manager one of its own"}},
		"matcher of no label":        {[]string{"pack: triton", "pack: triton\n      matchers: {pod-name: a}"}, "service.yaml:15:7: ", []string{"not the name of a label"}},
		"two models in one":          {[]string{"pack: triton", "pack: triton\n      models: [{name: transcribe-fr, key: {model: a}}, {name: transcribe-en, key: {model: a}}]"}, "service.yaml:15:7: ", []string{"each would count the load of the other"}},
		"several at once":            {[]string{"[speech]", "[Speech]", "triton", "tritom"}, "service.yaml:6:18: ", []string{"cannot be a namespace", `did you mean "triton"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(inCluster(tt.change...).write(t))
			got := invoke(t, "run", "--config", "service.yaml", "--listen", "127.0.0.1:0")
			failed(t, got, exitInput, tt.says...)
			if !strings.HasPrefix(got.stderr, tt.at) {
				t.Errorf("the message does not begin with %q: %q", tt.at, got.stderr)
			}
		})
	}
}

func TestFlagsOfTheOtherWorldAreRefused(t *testing.T) {
	t.Chdir(inCluster().write(t))
	for _, flag := range []string{"--seed=2", "--speed=2", "--data=x"} {
		failed(t, invoke(t, "run", "--config", "service.yaml", flag), exitUsage, "embedded world")
	}
	failed(t, invoke(t, "run", "--config", "service.yaml", "--mode", "shadwo"), exitUsage, "shadow")
}

// read reads a configuration that is good.
func read(t *testing.T, files setting) *clusterConfig {
	t.Helper()
	t.Chdir(files.write(t))
	doc, err := parseFile("service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var f serviceFile
	doc.Decode(&f)
	c, err := readCluster("service.yaml", "", doc, f.Spec.Cluster)
	if err := errors.Join(err, doc.Err()); err != nil {
		t.Fatal(err)
	}
	return c
}

// The annotated sample says of every default what it is.
func TestTheSampleTellsTheDefaults(t *testing.T) {
	t.Chdir(home + "/../..")
	doc, err := parseFile("configs/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var f serviceFile
	doc.Decode(&f)
	c, err := readCluster("configs/cluster.yaml", "", doc, f.Spec.Cluster)
	if err := errors.Join(err, doc.Err()); err != nil {
		t.Fatal(err)
	}
	want := defaultClusterFile()
	got := clusterFile{Ledger: c.Ledger, Lease: c.Lease, Nodes: nodesFile{Engine: c.Nodes.Engine, Placeholder: c.Nodes.Placeholder}, MIG: c.MIG, Drain: c.Drain, Humans: c.Humans, Prometheus: c.Prometheus}
	got.Prometheus.URL = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the sample shows another default (-default +shown):\n%s", diff)
	}
	if unpriced := c.unpriced(c.settings.Catalog); unpriced != nil {
		t.Error(unpriced)
	}
}

// What the policy may buy is what the cluster can give; a name that no catalog has
// is said with the one that was likely meant.
func TestOnlyWhatTheClusterGivesIsBought(t *testing.T) {
	name := offeringOf(t)
	c := read(t, inCluster("gpu-node", name))
	if diff := cmp.Diff([]fleet.OfferingName{fleet.OfferingName(name)}, c.settings.Policy.Offerings); diff != "" {
		t.Errorf("it may buy (-want +got):\n%s", diff)
	}
	if got := c.unpriced(c.settings.Catalog); len(got) != 0 {
		t.Error(got)
	}
	for _, o := range c.settings.Catalog.Offerings {
		if o.Reshape != fleet.ReshapeNode {
			t.Errorf("GPUs of %s are thought to be cut one by one, and mig-manager cuts nodes", o.Name)
		}
	}
	c = read(t, inCluster("gpu-node", name+"x"))
	if got := c.unpriced(c.settings.Catalog); len(got) != 1 || !strings.Contains(got[0], "did you mean "+name+"?") || len(c.settings.Policy.Offerings) != 0 {
		t.Errorf("it says %q and may buy %v", got, c.settings.Policy.Offerings)
	}
}

// offeringOf is an offering of the catalog of the setting small.
func offeringOf(t *testing.T) string {
	t.Helper()
	var file struct {
		strictyaml.Envelope `yaml:",inline"`
		Spec                struct {
			Offerings []strictyaml.Node `yaml:"offerings"`
		} `yaml:"spec"`
	}
	doc := strictyaml.Parse("catalog.yaml", []byte(small()["catalog.yaml"]))
	doc.Decode(&file)
	var first struct {
		Name string `yaml:"name"`
	}
	doc.DecodeNode(file.Spec.Offerings[0], &first)
	if first.Name == "" {
		t.Fatal("the catalog of the setting lists nothing")
	}
	return first.Name
}

// Every model is known to its pack under its own name, unless the file lists others.
func TestModelsAreKnownByTheirNameOrAsListed(t *testing.T) {
	c := read(t, inCluster("    - pack: triton", "    - pack: triton\n      matchers: {namespace: speech}\n    - pack: vllm\n      models: [{name: transcribe-fr, key: {model_name: fr}}, {name: transcribe-en}]\n    - pack: dcgm"))
	sources := c.sources(c.settings.Policy)
	if len(sources) != 3 || len(sources[0].Models) != len(c.settings.Policy.Models) || len(sources[2].Models) != 0 {
		t.Fatalf("sources are %+v", sources)
	}
	if got := fmt.Sprint(sources[0].Models["transcribe-fr"], sources[0].Matchers); got != "map[model:transcribe-fr] map[namespace:speech]" {
		t.Error(got)
	}
	want := map[fleet.ModelName]prometheus.Key{"transcribe-fr": {"model_name": "fr"}, "transcribe-en": {"model_name": "transcribe-en"}}
	if diff := cmp.Diff(want, sources[1].Models); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := prometheus.New(prometheus.Config{URL: c.Prometheus.URL}, sources, c.settings.Policy.Models); err != nil {
		t.Error(err)
	}
}
