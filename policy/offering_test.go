package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// offered loads a catalog of one offering with further settings.
func offered(settings string) (fleet.Offering, error) {
	text := `apiVersion: tessera/v1alpha1
kind: Catalog
spec:
  currency: USD
  offerings:
  - {name: n, gpu: a100-80gb, pricePerHour: "5.07", ` + settings + "}\n"
	c, err := policy.LoadCatalog(policy.Source{Name: "c.yaml", Data: []byte(text)})
	if err != nil {
		return fleet.Offering{}, err
	}
	return c.Offerings[0], nil
}

// An image that lies on the disk of a new node takes what the offering says of that.
func TestCachedImages(t *testing.T) {
	const lead = "leadTime: {node: {p50: 4m}, image: {p50: 100s}, cachedImage: {p50: 8s}}"
	for settings, want := range map[string]time.Duration{
		"":                            100 * time.Second,
		"imageCached: true":           5 * time.Second,
		lead:                          100 * time.Second,
		"imageCached: true, " + lead:  8 * time.Second,
		"leadTime: {node: {p50: 4m}}": 0,
		"imageCached: false, " + lead: 100 * time.Second,
		"imageCached: true, leadTime: {node: {p50: 4m}}": 5 * time.Second,
	} {
		o, err := offered(settings)
		if err != nil || o.Lead.Image.P50 != want {
			t.Errorf("%q: the image takes %v, want %v (%v)", settings, o.Lead.Image.P50, want, err)
		}
	}
}

// A change of the mode takes as long as any reshape, unless the offering says more.
func TestModeFlips(t *testing.T) {
	whole, cut := fleet.Geometry{{Profile: fleet.WholeGPU}}, fleet.Geometry{{Profile: "7g.80gb"}}
	o, err := offered("reshapeTime: {p50: 30s}")
	if err != nil || o.ReshapeFrom(whole, cut) != fleet.Fixed(30*time.Second) {
		t.Errorf("it takes %v (%v)", o.ReshapeFrom(whole, cut), err)
	}
	o, err = offered("reshapeTime: {p50: 30s}, modeFlip: {p50: 5m}")
	if err != nil || o.ReshapeFrom(whole, cut) != fleet.Fixed(5*time.Minute) || o.ReshapeFrom(cut, whole) != fleet.Fixed(5*time.Minute) || o.ReshapeFrom(cut, nil) != fleet.Fixed(30*time.Second) {
		t.Errorf("of %+v (%v)", o, err)
	}
}

func TestInterruptions(t *testing.T) {
	o, err := offered("purchase: spot, interruptions: {perHour: 0.05}")
	if err != nil || o.Interruptions != 0.05 {
		t.Errorf("%v an hour (%v)", o.Interruptions, err)
	}
	for settings, says := range map[string]string{
		"interruptions: {perHour: 0.05}":                "only a spot node is taken back",
		"purchase: spot, interruptions: {perHour: -1}":  "interruptions.perHour",
		"purchase: spot, interruptions: {perDay: 1}":    `unknown key "perDay"`,
		"purchase: spot, interruptions: {}":             "required key is missing",
		"modeFlip: {p50: 5m, p95: 1m}":                  "modeFlip",
		"imageCached: yes":                              "imageCached",
		"leadTime: {node: {p50: 4m}, cachedImages: 8s}": `did you mean "cachedImage"?`,
	} {
		if _, err := offered(settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is answered %v, want %q", settings, err, says)
		}
	}
}
