package policy

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

type catalogFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                struct {
		Currency  string         `yaml:"currency,required"`
		Offerings []offeringSpec `yaml:"offerings,required,nonempty"`
	} `yaml:"spec,required"`
}

type offeringSpec struct {
	Name           string               `yaml:"name,required,nonempty"`
	GPU            string               `yaml:"gpu"`
	GPUs           *int                 `yaml:"gpus,min=1,max=16"`
	CPUs           int                  `yaml:"cpus,min=0,max=4096"`
	Memory         strictyaml.Mebibytes `yaml:"memory,min=0Mi"`
	Purchase       string               `yaml:"purchase,oneof=on-demand|spot|reserved"`
	PricePerHour   strictyaml.Decimal   `yaml:"pricePerHour,required"`
	Region         string               `yaml:"region"`
	Limit          *int                 `yaml:"limit,min=0,max=100000"`
	MinimumBilling *time.Duration       `yaml:"minimumBilling,max=24h"`
	Reshape        string               `yaml:"reshape,oneof=node|gpu"`
	ReshapeTime    *delaySpec           `yaml:"reshapeTime"`
	ModeFlip       *delaySpec           `yaml:"modeFlip"`
	LeadTime       *leadTimeSpec        `yaml:"leadTime"`
	ImageCached    bool                 `yaml:"imageCached"`
	Interruptions  *interruptionsSpec   `yaml:"interruptions"`
	Source         string               `yaml:"source"`
}

type interruptionsSpec struct {
	PerHour float64 `yaml:"perHour,required,min=0,max=60"`
}

type leadTimeSpec struct {
	Node        delaySpec  `yaml:"node,required"`
	Driver      *delaySpec `yaml:"driver"`
	Image       *delaySpec `yaml:"image"`
	CachedImage *delaySpec `yaml:"cachedImage"`
}

// The defaults of an offering that leaves them out.
const (
	defaultLimit          = 100
	defaultMinimumBilling = time.Minute
)

var (
	defaultReshapeTime = fleet.Delay{P50: time.Minute, P95: 2 * time.Minute}
	defaultLead        = fleet.LeadTime{
		Node:   fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute},
		Driver: fleet.Delay{P50: 2 * time.Minute, P95: 4 * time.Minute},
		Image:  fleet.Delay{P50: 100 * time.Second, P95: 4 * time.Minute},
	}
	// Of an image that lies on the node's disk, what is left to do is to unpack it.
	defaultCachedImage = fleet.Delay{P50: 5 * time.Second, P95: 15 * time.Second}
)

// DecodeCatalog decodes a Catalog document. What is wrong becomes complaints of
// the document; the answer counts only where there are none.
func DecodeCatalog(doc *strictyaml.Document) fleet.Catalog {
	var file catalogFile
	if _, ok := doc.Expect(apiVersion, "Catalog"); !ok {
		return fleet.Catalog{}
	}
	doc.Decode(&file)
	c := fleet.Catalog{Currency: currency(doc, "spec.currency", file.Spec.Currency)}
	seen := map[string]string{}
	for i, spec := range file.Spec.Offerings {
		path := strictyaml.Index("spec.offerings", i)
		checkName(doc, strictyaml.Key(path, "name"), spec.Name, seen)
		c.Offerings = append(c.Offerings, offering(doc, path, spec, c.Currency))
	}
	c.Sort()
	return c
}

// offering checks one offering and fills in its defaults.
func offering(doc *strictyaml.Document, path string, spec offeringSpec, c fleet.Currency) fleet.Offering {
	o := fleet.Offering{
		Name: fleet.OfferingName(spec.Name), GPU: fleet.GPUType(spec.GPU), GPUs: otherwise(spec.GPUs, 1),
		CPUs: spec.CPUs, MemoryMiB: int64(spec.Memory), Purchase: fleet.OnDemand,
		Price:  fleet.PerHour(money(doc, strictyaml.Key(path, "pricePerHour"), spec.PricePerHour, c)),
		Region: spec.Region, Limit: otherwise(spec.Limit, defaultLimit),
		MinimumBilling: otherwise(spec.MinimumBilling, defaultMinimumBilling),
		Reshape:        fleet.ReshapeNode, Source: spec.Source,
		ReshapeTime: delay(doc, strictyaml.Key(path, "reshapeTime"), spec.ReshapeTime, defaultReshapeTime),
		ModeFlip:    delay(doc, strictyaml.Key(path, "modeFlip"), spec.ModeFlip, fleet.Delay{}),
		Lead:        leadTime(doc, path, spec),
	}
	if spec.Interruptions != nil {
		o.Interruptions = spec.Interruptions.PerHour
	}
	if spec.Purchase != "" {
		o.Purchase = fleet.Purchase(spec.Purchase)
	}
	if spec.Reshape != "" {
		o.Reshape = fleet.ReshapeScope(spec.Reshape)
	}
	checkPrice(doc, strictyaml.Key(path, "pricePerHour"), o)
	checkHardware(doc, path, &o)
	return o
}

// leadTime reads the stages. A stage that a given lead time leaves out takes no
// time; a node without GPUs waits for no driver. Where the server image lies on the
// disk of a new node, how long it takes then counts.
func leadTime(doc *strictyaml.Document, offering string, spec offeringSpec) fleet.LeadTime {
	path := strictyaml.Key(offering, "leadTime")
	if spec.LeadTime == nil {
		lead := defaultLead
		if spec.GPU == "" {
			lead.Driver = fleet.Delay{}
		}
		if spec.ImageCached {
			lead.Image = defaultCachedImage
		}
		return lead
	}
	lead := fleet.LeadTime{
		Node:   delay(doc, strictyaml.Key(path, "node"), &spec.LeadTime.Node, fleet.Delay{}),
		Driver: delay(doc, strictyaml.Key(path, "driver"), spec.LeadTime.Driver, fleet.Delay{}),
		Image:  delay(doc, strictyaml.Key(path, "image"), spec.LeadTime.Image, fleet.Delay{}),
	}
	cached := delay(doc, strictyaml.Key(path, "cachedImage"), spec.LeadTime.CachedImage, defaultCachedImage)
	if spec.ImageCached {
		lead.Image = cached
	}
	return lead
}

func checkPrice(doc *strictyaml.Document, path string, o fleet.Offering) {
	price := o.Price.Hourly().Micros()
	switch {
	case price < 0:
		doc.Complain(path, "a price is not negative")
	case price == 0 && o.Purchase != fleet.Reserved:
		doc.Complain(path, "a node that is bought %s is not free", o.Purchase).
			Hint("only reserved nodes may cost nothing more")
	}
}

// checkHardware checks the GPU against the known parts, and the settings that
// only one kind of node has.
func checkHardware(doc *strictyaml.Document, path string, o *fleet.Offering) {
	inert := func(key, why string) {
		if p := strictyaml.Key(path, key); doc.Has(p) {
			doc.Complain(p, "%s has no effect: %s", key, why).OnKey()
		}
	}
	if o.Purchase != fleet.Spot {
		inert("interruptions", "only a spot node is taken back")
	}
	if o.GPU == "" || o.GPU == fleet.CPU {
		o.GPU = fleet.CPU
		const why = "the offering has no gpu"
		inert("gpus", why)
		inert("reshape", why)
		inert("reshapeTime", why)
		inert("modeFlip", why)
		if p := strictyaml.Key(strictyaml.Key(path, "leadTime"), "driver"); doc.Has(p) {
			doc.Complain(p, "driver has no effect: %s", why).OnKey()
		}
		if o.CPUs == 0 || o.MemoryMiB == 0 {
			doc.Complain(path, "a node without a gpu needs cpus and memory").Hint(`add gpu, or for example cpus: 16 and memory: 64Gi`)
		}
		return
	}
	spec, known := fleet.LookupGPU(o.GPU)
	if !known {
		var types []string
		for _, t := range fleet.GPUTypes() {
			types = append(types, string(t))
		}
		doc.Complain(strictyaml.Key(path, "gpu"), "%q is no GPU that is known", o.GPU).Suggest(string(o.GPU), types)
		return
	}
	if len(spec.Profiles) == 0 {
		inert("reshape", string(o.GPU)+" cannot be divided")
		inert("reshapeTime", string(o.GPU)+" cannot be divided")
		inert("modeFlip", string(o.GPU)+" cannot be divided")
	}
}
