package strictyaml

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// The types below stand for those of the packages that use this one.

type testFleet struct {
	Envelope `yaml:",inline"`
	Spec     testSpec `yaml:"spec,required"`
}

type testSpec struct {
	Currency  string               `yaml:"currency,required,oneof=USD|EUR"`
	Start     time.Time            `yaml:"start"`
	Interval  time.Duration        `yaml:"interval,min=1s,max=1h"`
	Expire    DurationOrNever      `yaml:"expire"`
	Shadow    *bool                `yaml:"shadow"`
	Languages []string             `yaml:"languages"`
	Budgets   []testBudget         `yaml:"budgets"`
	Classes   map[string]testClass `yaml:"classes"`
	Models    []testModel          `yaml:"models,required,nonempty"`
	Catalog   Node                 `yaml:"catalog"`
	Names     map[testID]string    `yaml:"names"`
	Other     *testSpec            `yaml:"other"`
}

type testBudget struct {
	Amount     Decimal    `yaml:"amount,required"`
	Price      *testMoney `yaml:"price"`
	OnExceeded testAction `yaml:"onExceeded"`
}

type testClass struct {
	Kind string  `yaml:"kind,required,oneof=streaming|async"`
	SLO  testSLO `yaml:"slo"`
}

type testSLO struct {
	Latency  time.Duration  `yaml:"latency"`
	Deadline *time.Duration `yaml:"deadline"`
	Target   Ratio          `yaml:"target"`
}

type testModel struct {
	Name     testID    `yaml:"name,required"`
	Language string    `yaml:"language"`
	Class    string    `yaml:"class,required"`
	Replicas uint8     `yaml:"replicas,max=40"`
	Streams  int       `yaml:"streams"`
	Offset   int       `yaml:"offset,signed"`
	Batch    []int     `yaml:"batch,min=1"`
	Load     float64   `yaml:"load"`
	Memory   Mebibytes `yaml:"memory,max=80Gi"`
	Notes    string    `yaml:"notes,nonempty"`
}

// testAction is an enumeration.
type testAction string

func (testAction) Values() []string { return []string{"alert", "hold", "shed"} }

// testID is text with a syntax.
type testID string

var testIDText = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (id *testID) UnmarshalText(text []byte) error {
	if !testIDText.Match(text) {
		return fmt.Errorf("%q is not a name", text)
	}
	*id = testID(text)
	return nil
}

// testMoney insists on quotes by itself.
type testMoney struct{ text string }

func (m *testMoney) UnmarshalScalar(text string, quoted bool) error {
	if !quoted {
		return Hinted(errors.New("money must be quoted"), "quote it: %q", text)
	}
	m.text = text
	return nil
}
