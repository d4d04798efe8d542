package main

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// clusterChecks complains about the meaning of spec.cluster.
type clusterChecks struct{ *strictyaml.Document }

const clusterPath = "spec.cluster"

// check looks at everything that needs no other file.
func (f *clusterFile) check(c clusterChecks) {
	c.access(f)
	seen := map[string]bool{}
	for i, n := range f.Namespaces {
		path := strictyaml.Index(clusterPath+".namespaces", i)
		if n == "" {
			c.Complain(path, "an empty namespace would be all of them").Hint("name each namespace with models")
		}
		c.label(path, n)
		if seen[n] {
			c.Complain(path, "%q is there already", n).Hint("remove one")
		}
		seen[n] = true
	}
	c.label(clusterPath+".ledger.namespace", f.Ledger.Namespace)
	c.object(clusterPath+".ledger.name", f.Ledger.Name)
	c.object(clusterPath+".lease.name", f.Lease.Name)
	c.label(clusterPath+".mig.configMap.namespace", f.MIG.ConfigMap.Namespace)
	c.object(clusterPath+".mig.configMap.name", f.MIG.ConfigMap.Name)
	if f.Ledger == f.MIG.ConfigMap {
		c.Complain(clusterPath+".mig.configMap", "the ledger is the ConfigMap %s/%s, too", f.Ledger.Namespace, f.Ledger.Name).Hint("give mig-manager one of its own")
	}
	c.lease(f.Lease)
	c.nodes(f.Nodes)
	c.prometheus(f.Prometheus)
	for i, s := range f.Signals {
		c.signals(strictyaml.Index(clusterPath+".signals", i), s)
	}
}

// access wants exactly one way into a cluster.
func (c clusterChecks) access(f *clusterFile) {
	switch {
	case f.InCluster && f.Kubeconfig != "":
		c.Complain(clusterPath+".kubeconfig", "inCluster and kubeconfig are both given").Hint("keep the one by which the cluster is to be reached")
	case !f.InCluster && f.Kubeconfig == "" && !c.Has(clusterPath+".kubeconfig"):
		c.Complain(clusterPath, "nothing says how the cluster is reached").OnKey().
			Hint("write inCluster: true in a pod, or kubeconfig: PATH elsewhere; no cluster is ever picked up from the environment")
	case f.Context != "" && f.Kubeconfig == "":
		c.Complain(clusterPath+".context", "a context is chosen from a kubeconfig, and none is named").Hint("name the kubeconfig, or remove the context")
	}
}

// lease wants a leader to give up before another may begin.
func (c clusterChecks) lease(l leaseFile) {
	const jitter = 1.2 // of the retries of leader election
	switch path := clusterPath + ".lease"; {
	case l.Duration%time.Second != 0:
		c.Complain(path+".duration", "%v is no whole number of seconds, which a Lease counts", l.Duration).Hint("write %v", l.Duration.Truncate(time.Second)+time.Second)
	case l.RenewDeadline >= l.Duration:
		c.Complain(path+".renewDeadline", "%v is not shorter than the duration of %v", l.RenewDeadline, l.Duration).
			Hint("a leader must give up before another may begin: 10s of 15s is usual")
	case float64(l.RenewDeadline) <= jitter*float64(l.RetryPeriod):
		c.Complain(path+".retryPeriod", "%v leaves no time to try again within %v", l.RetryPeriod, l.RenewDeadline).
			Hint("a fifth of renewDeadline is usual: %v", (l.RenewDeadline / 5).Round(10*time.Millisecond))
	}
}

// nodes wants to know of each offering what its engine needs.
func (c clusterChecks) nodes(n nodesFile) {
	at := map[string]int{}
	for i, o := range n.Offerings {
		path := strictyaml.Index(clusterPath+".nodes.offerings", i)
		if first, twice := at[o.Name]; twice {
			c.Complain(path+".name", "offering %q is there already", o.Name).Hint("item %d has it", first+1)
		} else {
			at[o.Name] = i
		}
		if n.Engine == enginePlaceholder {
			c.placeholder(path, o)
		} else {
			c.karpenter(path, o)
		}
	}
}

func (c clusterChecks) karpenter(path string, o offeringFile) {
	if o.InstanceType == "" {
		c.Complain(path+".instanceType", "Karpenter must know the instance type").Hint("write instanceType: a2-ultragpu-1g, or what your cloud calls it")
	}
	if o.NodeClass.Kind == "" || o.NodeClass.Name == "" || o.NodeClass.Group == "" {
		c.Complain(path+".nodeClass", "Karpenter must know group, kind and name of the node class").
			Hint("write nodeClass: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}, or that of your cloud")
	}
}

func (c clusterChecks) placeholder(path string, o offeringFile) {
	if len(o.NodeSelector) == 0 && o.InstanceType == "" {
		c.Complain(path+".nodeSelector", "a placeholder needs the labels by which its node group is known").
			Hint("write nodeSelector: {cloud.google.com/gke-nodepool: gpu}, or what your node group is labelled with")
	}
	if len(o.Resources) == 0 {
		c.Complain(path+".resources", "a placeholder must ask for so much that it fills a node").
			Hint(`write resources: {nvidia.com/gpu: "1", cpu: "10"}, with all GPUs of a node`)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Resources)) {
		if _, err := resource.ParseQuantity(o.Resources[name]); err != nil {
			c.Complain(strictyaml.Key(path+".resources", name), "%q is no quantity: %v", o.Resources[name], err).Hint(`write "1", "500m" or "64Gi"`)
		}
	}
}

func (c clusterChecks) prometheus(p prometheusFile) {
	path := clusterPath + ".prometheus.url"
	if p.URL == "" {
		return // complained about when it was read
	}
	switch at, err := url.Parse(p.URL); {
	case err != nil:
		c.Complain(path, "%q is no address: %v", p.URL, err).Hint("write http://HOST:PORT or https://HOST")
	case at.Scheme != "http" && at.Scheme != "https" || at.Host == "":
		c.Complain(path, "%q is no address of a server", p.URL).Hint("write http://HOST:PORT or https://HOST")
	case at.User != nil:
		c.Complain(path, "a password in an address is seen by everybody who sees the address").Hint("put a token into a file and name it in bearerTokenFile")
	case at.RawQuery != "" || at.Fragment != "":
		c.Complain(path, "%q is more than the address of a server", p.URL).Hint("leave out everything from ? or # on")
	}
}

// signals wants one pack for each entry, and models once.
func (c clusterChecks) signals(path string, s signalsFile) {
	packs := prometheus.BuiltinPacks()
	names := slices.Sorted(maps.Keys(packs))
	switch {
	case s.Pack != "" && s.PackFile != "":
		c.Complain(path+".packFile", "pack and packFile are both given").Hint("keep one")
	case s.Pack == "" && s.PackFile == "" && !c.Has(path+".pack") && !c.Has(path+".packFile"):
		c.Complain(path, "nothing says how the series are called").Hint("write pack: NAME with one of %s, or packFile: PATH with your own queries", strings.Join(names, ", "))
	case s.Pack != "" && !slices.Contains(names, s.Pack):
		c.Complain(path+".pack", "no pack %q is built in", s.Pack).Suggest(s.Pack, names)
	}
	seen := map[string]bool{}
	for i, m := range s.Models {
		if seen[m.Name] {
			c.Complain(strictyaml.Index(path+".models", i)+".name", "model %q is there already", m.Name).Hint("remove one")
		}
		seen[m.Name] = true
	}
}

// label complains about what cannot name a namespace.
func (c clusterChecks) label(path, name string) {
	if name != "" && !dnsLabel.MatchString(name) {
		c.Complain(path, "%q cannot be a namespace", name).Hint("use up to 63 lower-case letters, digits and dashes, first and last a letter or digit")
	}
}

// object complains about what cannot name an object.
func (c clusterChecks) object(path, name string) {
	if name != "" && (!dnsName.MatchString(name) || len(name) > 253) {
		c.Complain(path, "%q cannot name an object", name).Hint("use lower-case letters, digits, dashes and dots, first and last a letter or digit")
	}
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	dnsName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)
