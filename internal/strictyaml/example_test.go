package strictyaml_test

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

type scenario struct {
	strictyaml.Envelope
	Spec struct {
		Duration time.Duration   `yaml:"duration,required,min=1h"`
		Policy   strictyaml.Node `yaml:"policy,required"`
		Traffic  []struct {
			Trace string        `yaml:"trace"`
			Step  time.Duration `yaml:"step"`
			Scale float64       `yaml:"scale"`
		} `yaml:"traffic,required,nonempty"`
	} `yaml:"spec,required"`
}

func Example() {
	doc := strictyaml.Parse("scenario.yaml", []byte(`apiVersion: tessera/v1alpha1
kind: Scenario
spec:
  duration: 14
  policy: ../policy.yaml
  traffic:
  - trace: requests.csv
    stepp: 1m
    scale: 0
`))
	var s scenario
	if _, ok := doc.Expect("tessera/v1alpha1", "Scenario"); ok {
		doc.Decode(&s)
		for i, traffic := range s.Spec.Traffic {
			path := strictyaml.Index("spec.traffic", i)
			if traffic.Scale == 0 && doc.Has(path+".scale") {
				doc.Complain(path+".scale", "no traffic is left").Hint("leave the key out to keep all of it")
			}
		}
	}
	fmt.Println(doc.Err())
	// Output:
	// scenario.yaml:4:13: spec.duration: 14 has no unit, but a duration is expected
	//     4 |   duration: 14
	//       |             ^
	//         did you mean "14s"?
	// scenario.yaml:8:5: spec.traffic[0].stepp: unknown key "stepp"
	//     8 |     stepp: 1m
	//       |     ^
	//         did you mean "step"?
	// scenario.yaml:9:12: spec.traffic[0].scale: no traffic is left
	//     9 |     scale: 0
	//       |            ^
	//         leave the key out to keep all of it
}
