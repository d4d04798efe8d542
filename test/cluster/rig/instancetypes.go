package rig

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// InstanceType is a machine that Karpenter's kwok provider can buy.
//
// Its resources must not name GPUs: the provider's nodes are born with everything
// their type promises, and on a real node a GPU appears only after its driver and its
// device plugin, which package gpu plays.
type InstanceType struct {
	Name      string
	Resources corev1.ResourceList
	Offerings []Offering
}

// Offering is one way of buying an instance type.
type Offering struct {
	CapacityType string  // on-demand or spot.
	Zone         string  // For example us-central1-a.
	Price        float64 // US dollars an hour. Karpenter takes the cheapest offering that a NodeClaim allows.
}

// DefaultInstanceTypes is a machine with one A100 and one with one H100, as Google
// Cloud sells them, at the prices of configs/catalog.yaml.
func DefaultInstanceTypes() []InstanceType {
	return []InstanceType{
		machine("a2-ultragpu-1g", "12", "170Gi", 5.068798, 2.759546),
		machine("a3-highgpu-1g", "26", "234Gi", 11.061250, 6.326193),
	}
}

// DefaultZone is where the default instance types are sold.
const DefaultZone = "us-central1-a"

func machine(name, cpu, memory string, onDemand, spot float64) InstanceType {
	return InstanceType{
		Name: name,
		Resources: corev1.ResourceList{
			corev1.ResourceCPU:              resource.MustParse(cpu),
			corev1.ResourceMemory:           resource.MustParse(memory),
			corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
			corev1.ResourcePods:             resource.MustParse("110"),
		},
		Offerings: []Offering{
			{CapacityType: "on-demand", Zone: DefaultZone, Price: onDemand},
			{CapacityType: "spot", Zone: DefaultZone, Price: spot},
		},
	}
}

func (t InstanceType) validate() error {
	var errs []error
	for name := range t.Resources {
		if strings.HasPrefix(string(name), "nvidia.com/") {
			errs = append(errs, fmt.Errorf("instance type %s promises %s, so its nodes would be born with it; leave GPUs to package gpu", t.Name, name))
		}
	}
	if len(t.Offerings) == 0 {
		errs = append(errs, fmt.Errorf("instance type %s has no offerings, so nobody could buy it; give it one", t.Name))
	}
	return errors.Join(errs...)
}

// writeInstanceTypes writes the file that the kwok provider reads.
func writeInstanceTypes(path string, types []InstanceType) error {
	type offering struct {
		Price        float64
		Available    bool
		Requirements []corev1.NodeSelectorRequirement
	}
	type instanceType struct {
		Name             string              `json:"name"`
		Architecture     string              `json:"architecture"`
		OperatingSystems []string            `json:"operatingSystems"`
		Offerings        []offering          `json:"offerings"`
		Resources        corev1.ResourceList `json:"resources"`
	}
	in := func(key, value string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}}
	}
	list := make([]instanceType, 0, len(types))
	for _, t := range types {
		it := instanceType{Name: t.Name, Architecture: "amd64", OperatingSystems: []string{"linux"}, Resources: t.Resources}
		for _, o := range t.Offerings {
			it.Offerings = append(it.Offerings, offering{
				Price: o.Price, Available: true,
				Requirements: []corev1.NodeSelectorRequirement{
					in("karpenter.sh/capacity-type", o.CapacityType),
					in(corev1.LabelTopologyZone, o.Zone),
				},
			})
		}
		list = append(list, it)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encoding the instance types: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("writing the instance types: %w", err)
	}
	return nil
}
