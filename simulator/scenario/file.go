package scenario

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// file is a scenario as it is written.
type file struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                spec `yaml:"spec,required"`
}

type spec struct {
	Start    time.Time       `yaml:"start,required"`
	Duration time.Duration   `yaml:"duration,required,min=1m,max=366d"`
	History  time.Duration   `yaml:"history,max=366d"`
	Policy   strictyaml.Node `yaml:"policy,required"`
	Catalog  strictyaml.Node `yaml:"catalog,required"`
	Profiles strictyaml.Node `yaml:"profiles,required"`
	Patience float64         `yaml:"patience,min=0"`
	Traffic  []feed          `yaml:"traffic,required,nonempty"`
	Signals  *signals        `yaml:"signals"`
	Reserved []reservation   `yaml:"reserved"`
	Faults   []fault         `yaml:"faults"`
}

// feed is one entry of traffic: a trace or a generator.
type feed struct {
	Trace    string                     `yaml:"trace"`
	Format   string                     `yaml:"format"`
	Columns  columns                    `yaml:"columns"`
	Step     time.Duration              `yaml:"step"`
	Unit     string                     `yaml:"unit"`
	Begins   *time.Time                 `yaml:"begins"`
	Tick     time.Duration              `yaml:"tick"`
	Opens    *time.Duration             `yaml:"opens"`
	Weekdays *bool                      `yaml:"weekdays"`
	Tokens   string                     `yaml:"tokens"`
	Models   map[string]fleet.ModelName `yaml:"models"`
	Work     traceWork                  `yaml:"work"`
	Arrivals string                     `yaml:"arrivals"`
	CV       float64                    `yaml:"cv,min=0"`
	Fill     time.Duration              `yaml:"fill"`
	Scale    *float64                   `yaml:"scale,min=0"`
	Generate *generate                  `yaml:"generate"`
}

// ofTraces are the keys of feed that generated traffic does not have.
var ofTraces = []string{
	"format", "columns", "step", "unit", "begins", "tick", "opens", "weekdays", "tokens", "models", "work", "arrivals", "cv",
	"fill", "scale",
}

type columns struct {
	Time     string `yaml:"time"`
	Model    string `yaml:"model"`
	Requests string `yaml:"requests"`
	Work     string `yaml:"work"`
	Input    string `yaml:"input"`
	Output   string `yaml:"output"`
}

// traceWork is what requests of a trace carry: so much for each token, and how
// much they differ around the mean of their row.
type traceWork struct {
	Input  float64 `yaml:"input,min=0"`
	Output float64 `yaml:"output,min=0"`
	Spread string  `yaml:"spread"`
	CV     float64 `yaml:"cv,min=0"`
}

type generate struct {
	Model  fleet.ModelName `yaml:"model,required"`
	Shape  string          `yaml:"shape,required"`
	Zone   string          `yaml:"zone"`
	Zones  []zoneWeight    `yaml:"zones"`
	Peak   float64         `yaml:"peak,required,min=0"`
	Work   work            `yaml:"work"`
	Steady bool            `yaml:"steady"`
}

type zoneWeight struct {
	Zone   string  `yaml:"zone,required"`
	Weight float64 `yaml:"weight,required"`
}

type work struct {
	Spread string  `yaml:"spread"`
	CV     float64 `yaml:"cv,min=0"`
}

type fault struct {
	At       time.Duration      `yaml:"at,required"`
	Kind     string             `yaml:"kind,required,oneof=gpu-stuck|metrics-delayed|metrics-flatline|metrics-frozen|metrics-lying|metrics-missing|metrics-nan|node-death|server-crash|slow-start|stock-out"`
	For      time.Duration      `yaml:"for"`
	Offering fleet.OfferingName `yaml:"offering"`
	Model    fleet.ModelName    `yaml:"model"`
	Count    int                `yaml:"count,min=1,max=100000"`
	By       time.Duration      `yaml:"by,max=6h"`
	Factor   float64            `yaml:"factor,min=0,max=1000"`
}

// signals says how what is measured reaches a controller.
type signals struct {
	Scrape time.Duration `yaml:"scrape,min=1s,max=1h"`
	Delay  time.Duration `yaml:"delay,max=1h"`
	Window time.Duration `yaml:"window,min=1s,max=1h"`
}

// reservation is nodes that are paid for the whole run.
type reservation struct {
	Offering     fleet.OfferingName `yaml:"offering,required"`
	Nodes        int                `yaml:"nodes,required,min=1,max=100000"`
	PricePerHour strictyaml.Decimal `yaml:"pricePerHour,required"`
}
