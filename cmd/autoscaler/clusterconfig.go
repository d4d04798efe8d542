package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
	"github.com/tessera-autoscaler/tessera/policy"
)

// clusterConfig is what a service against a cluster was configured with.
type clusterConfig struct {
	clusterFile
	path     string            // of the Service file, beside which the others lie
	packs    []prometheus.Pack // of each entry of signals
	settings control.Settings  // as they were at the start
}

// readCluster reads spec.cluster and everything it names. What is wrong with the
// Service file stands among the complaints of the document; the error is about one
// of the others. A policy in place of the file's, if there is one, comes from a flag.
func readCluster(path, policyFile string, doc *strictyaml.Document, node strictyaml.Node) (*clusterConfig, error) {
	c := &clusterConfig{clusterFile: *decodeCluster(doc, node), path: path}
	for _, file := range []*string{&c.Kubeconfig, &c.Policy, &c.Catalog, &c.Profiles, &c.Prometheus.BearerTokenFile, &c.Prometheus.CAFile} {
		*file = beside(path, *file)
	}
	if policyFile != "" {
		c.Policy = policyFile
	}
	if doc.Err() != nil {
		return c, nil
	}
	var err error
	if c.settings, err = c.load(); err != nil {
		return nil, err
	}
	builtin := prometheus.BuiltinPacks()
	for i, s := range c.Signals {
		pack := builtin[s.Pack]
		if s.PackFile != "" {
			source, err := readSource(beside(path, s.PackFile))
			if err != nil {
				return nil, err
			}
			if pack, err = prometheus.ParsePack(source.Name, source.Data); err != nil {
				return nil, err
			}
		}
		c.packs = append(c.packs, pack)
		checkModels(doc, strictyaml.Index(clusterPath+".signals", i), s, pack, c.settings.Policy)
	}
	if doc.Err() == nil {
		for i, source := range c.sources(c.settings.Policy) {
			if err := source.Check(); err != nil {
				doc.Complain(strictyaml.Index(clusterPath+".signals", i), "%v", err)
			}
		}
	}
	return c, nil
}

// checkModels complains about models that nothing is known of, and keys that do
// not name one in the pack.
func checkModels(doc *strictyaml.Document, path string, s signalsFile, pack prometheus.Pack, p policy.Policy) {
	known := make([]string, len(p.Models))
	for i, m := range p.Models {
		known[i] = string(m.Name)
	}
	keys := strings.Join(pack.Keys, ", ")
	switch {
	case len(pack.Keys) == 0 && len(s.Models) > 0:
		doc.Complain(path+".models", "pack %s knows pods and no models", pack.Name).Hint("remove the models")
		return
	case len(pack.Keys) > 1 && len(s.Models) == 0:
		doc.Complain(path, "pack %s tells models apart by %s, which a model's name alone does not fill", pack.Name, keys).
			Hint("list the models with their keys: models: [{name: %s, key: {%s: ...}}]", known[0], strings.Join(pack.Keys, ": ..., "))
	}
	for i, m := range s.Models {
		at := strictyaml.Index(path+".models", i)
		if !slices.Contains(known, m.Name) {
			doc.Complain(at+".name", "the policy has no model %q", m.Name).Suggest(m.Name, known)
		}
		given := slices.Sorted(maps.Keys(m.Key))
		if len(m.Key) > 0 && !slices.Equal(given, slices.Sorted(slices.Values(pack.Keys))) || len(m.Key) == 0 && len(pack.Keys) > 1 {
			doc.Complain(at+".key", "pack %s tells models apart by %s", pack.Name, keys).Hint("give a value for each of them, and nothing else")
		}
	}
}

// load reads the policy, the catalog and the profiles as they are now. What the
// policy may buy is what this cluster can give, and mig-manager cuts whole nodes,
// whatever the catalog says of other worlds.
func (c *clusterConfig) load() (control.Settings, error) {
	source, err := readSource(c.Catalog)
	if err != nil {
		return control.Settings{}, err
	}
	catalog, err := policy.LoadCatalog(source)
	if err != nil {
		return control.Settings{}, err
	}
	for i := range catalog.Offerings {
		catalog.Offerings[i].Reshape = fleet.ReshapeNode
	}
	if source, err = readSource(c.Profiles); err != nil {
		return control.Settings{}, err
	}
	profiles, err := policy.LoadProfiles(source)
	if err != nil {
		return control.Settings{}, err
	}
	if source, err = readSource(c.Policy); err != nil {
		return control.Settings{}, err
	}
	p, err := policy.Load(source, catalog, profiles)
	if err != nil {
		return control.Settings{}, err
	}
	p.Offerings = slices.DeleteFunc(p.Offerings, func(o fleet.OfferingName) bool { return !c.gives(o) })
	return control.Settings{Policy: p, Catalog: catalog}, nil
}

// gives tells whether this cluster can give an offering: the catalog may list what
// others have.
func (c *clusterConfig) gives(o fleet.OfferingName) bool {
	return slices.ContainsFunc(c.Nodes.Offerings, func(x offeringFile) bool { return x.Name == string(o) })
}

// sources joins the models of a policy to the packs: those that are listed, or
// every model under its own name.
func (c *clusterConfig) sources(p policy.Policy) []prometheus.Source {
	out := make([]prometheus.Source, len(c.packs))
	for i, pack := range c.packs {
		out[i] = prometheus.Source{Pack: pack, Matchers: c.Signals[i].Matchers, Models: map[fleet.ModelName]prometheus.Key{}}
		if len(pack.Keys) == 0 {
			continue // it knows pods only
		}
		listed := map[fleet.ModelName]map[string]string{}
		for _, m := range c.Signals[i].Models {
			listed[fleet.ModelName(m.Name)] = m.Key
		}
		for _, m := range p.Models {
			key, named := listed[m.Name]
			if !named && len(listed) > 0 {
				continue
			}
			if len(key) == 0 {
				key = prometheus.Key{pack.Keys[0]: string(m.Name)}
			}
			out[i].Models[m.Name] = key
		}
	}
	return out
}

// unpriced says which offerings of the file the catalog does not list.
func (c *clusterConfig) unpriced(catalog fleet.Catalog) []string {
	names := make([]string, len(catalog.Offerings))
	for i, o := range catalog.Offerings {
		names[i] = string(o.Name)
	}
	var out []string
	for _, o := range c.Nodes.Offerings {
		if slices.Contains(names, o.Name) {
			continue
		}
		mend := "add it to " + c.Catalog + " with its price, or remove it from " + c.path
		if near := strictyaml.Suggest(o.Name, names); near != "" {
			mend = "did you mean " + near + "?"
		}
		out = append(out, "offering "+o.Name+" of nodes.offerings is not in the catalog and cannot be bought: "+mend)
	}
	return out
}
