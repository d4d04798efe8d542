package main

import (
	"time"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// clusterFile is spec.cluster of a Service file as it is written.
type clusterFile struct {
	InCluster  bool     `yaml:"inCluster"`
	Kubeconfig string   `yaml:"kubeconfig,nonempty"`
	Context    string   `yaml:"context,nonempty"`
	Namespaces []string `yaml:"namespaces,required,nonempty"`
	Policy     string   `yaml:"policy,required,nonempty"`
	Catalog    string   `yaml:"catalog,required,nonempty"`
	Profiles   string   `yaml:"profiles,required,nonempty"`

	Ledger     objectFile     `yaml:"ledger"`
	Lease      leaseFile      `yaml:"lease"`
	Nodes      nodesFile      `yaml:"nodes"`
	MIG        migFile        `yaml:"mig"`
	Drain      drainFile      `yaml:"drain"`
	Humans     humansFile     `yaml:"humans"`
	Prometheus prometheusFile `yaml:"prometheus,required"`
	Signals    []signalsFile  `yaml:"signals,required,nonempty"`
}

// objectFile names an object.
type objectFile struct {
	Namespace string `yaml:"namespace,nonempty"`
	Name      string `yaml:"name,nonempty"`
}

// leaseFile is the lease in the ledger's namespace by which processes agree on a
// leader.
type leaseFile struct {
	Name          string        `yaml:"name,nonempty"`
	Duration      time.Duration `yaml:"duration,min=1s,max=10m"`
	RenewDeadline time.Duration `yaml:"renewDeadline,min=100ms,max=10m"`
	RetryPeriod   time.Duration `yaml:"retryPeriod,min=10ms,max=1m"`
}

// nodesFile says how nodes are asked for.
type nodesFile struct {
	Engine      string          `yaml:"engine,oneof=karpenter|placeholder"`
	Offerings   []offeringFile  `yaml:"offerings"`
	Placeholder placeholderFile `yaml:"placeholder"`
}

// offeringFile says what an offering of the catalog is called in this cluster.
type offeringFile struct {
	Name         string            `yaml:"name,required,nonempty"`
	InstanceType string            `yaml:"instanceType,nonempty"`
	NodeClass    nodeClassFile     `yaml:"nodeClass"`
	Taints       []taintFile       `yaml:"taints"`
	Labels       map[string]string `yaml:"labels"`
	Requirements []requirementFile `yaml:"requirements"`
	NodeSelector map[string]string `yaml:"nodeSelector"`
	Resources    map[string]string `yaml:"resources"` // what a placeholder asks for
}

type nodeClassFile struct {
	Group string `yaml:"group,nonempty"`
	Kind  string `yaml:"kind,nonempty"`
	Name  string `yaml:"name,nonempty"`
}

type taintFile struct {
	Key    string `yaml:"key,required,nonempty"`
	Value  string `yaml:"value"`
	Effect string `yaml:"effect,required,oneof=NoSchedule|PreferNoSchedule|NoExecute"`
}

type requirementFile struct {
	Key    string   `yaml:"key,required,nonempty"`
	Values []string `yaml:"values,required,nonempty"`
}

// placeholderFile is the pod that keeps a whole node where no Karpenter is.
type placeholderFile struct {
	PriorityClass string `yaml:"priorityClass,nonempty"`
	Image         string `yaml:"image,nonempty"`
}

// migFile is where mig-manager finds its geometries.
type migFile struct {
	ConfigMap objectFile    `yaml:"configMap"`
	Deadline  time.Duration `yaml:"deadline,min=1m,max=2h"`
}

type drainFile struct {
	Limit time.Duration `yaml:"limit,min=1m,max=24h"`
}

type humansFile struct {
	Yield time.Duration `yaml:"yield,min=1m,max=168h"`
}

// prometheusFile is where the signals come from.
type prometheusFile struct {
	URL             string        `yaml:"url,required,nonempty"`
	BearerTokenFile string        `yaml:"bearerTokenFile,nonempty"`
	CAFile          string        `yaml:"caFile,nonempty"`
	Timeout         time.Duration `yaml:"timeout,min=1s,max=1m"`
	Window          time.Duration `yaml:"window,min=30s,max=1h"`
	Coverage        float64       `yaml:"coverage,min=0.01,max=1"`
}

// signalsFile says how the series of some models are called.
type signalsFile struct {
	Pack     string            `yaml:"pack,nonempty"`
	PackFile string            `yaml:"packFile,nonempty"`
	Matchers map[string]string `yaml:"matchers"`
	Models   []signalModelFile `yaml:"models,nonempty"`
}

// signalModelFile says under which labels a model is known.
type signalModelFile struct {
	Name string            `yaml:"name,required,nonempty"`
	Key  map[string]string `yaml:"key"`
}

// defaultClusterFile is what holds where the file says nothing. The annotated
// configs/cluster.yaml tells the same.
func defaultClusterFile() clusterFile {
	return clusterFile{
		Ledger:     objectFile{Namespace: "tessera", Name: "tessera"},
		Lease:      leaseFile{Name: "tessera", Duration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second},
		Nodes:      nodesFile{Engine: engineKarpenter, Placeholder: placeholderFile{PriorityClass: "tessera-placeholder", Image: "registry.k8s.io/pause:3.10"}},
		MIG:        migFile{ConfigMap: objectFile{Namespace: "gpu-operator", Name: "tessera-mig-config"}, Deadline: 10 * time.Minute},
		Drain:      drainFile{Limit: 30 * time.Minute},
		Humans:     humansFile{Yield: 30 * time.Minute},
		Prometheus: prometheusFile{Timeout: 10 * time.Second, Window: time.Minute, Coverage: 0.8},
	}
}

// The engines by which nodes are asked for.
const (
	engineKarpenter   = "karpenter"
	enginePlaceholder = "placeholder"
)

// decodeCluster reads and checks spec.cluster; what is wrong stands among the
// complaints of the document.
func decodeCluster(doc *strictyaml.Document, node strictyaml.Node) *clusterFile {
	f := defaultClusterFile()
	doc.DecodeNode(node, &f)
	f.check(clusterChecks{doc})
	return &f
}
