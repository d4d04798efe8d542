package main

import (
	"log/slog"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/outlook"
)

// outlookFile is spec.forecaster of a Service file: a forecaster outside of this
// program, whose answers take the place of the loop's own.
type outlookFile struct {
	URL             string        `yaml:"url,required,nonempty"`
	BearerTokenFile string        `yaml:"bearerTokenFile,nonempty"`
	CAFile          string        `yaml:"caFile,nonempty"`
	Timeout         time.Duration `yaml:"timeout,min=10ms,max=30s"`
	History         time.Duration `yaml:"history,min=1m,max=720h"`
}

const outlookPath = "spec.forecaster"

// readOutlook reads spec.forecaster, nil where there is none. What is wrong stands
// among the complaints of the document.
func readOutlook(path string, doc *strictyaml.Document, node strictyaml.Node) *outlook.Config {
	if node.Kind() == strictyaml.Absent {
		return nil
	}
	f := outlookFile{Timeout: outlook.DefaultTimeout, History: outlook.DefaultHistory}
	doc.DecodeNode(node, &f)
	if doc.Err() != nil {
		return nil
	}
	c := &outlook.Config{
		URL: f.URL, Timeout: f.Timeout, History: f.History,
		BearerTokenFile: beside(path, f.BearerTokenFile), CAFile: beside(path, f.CAFile),
	}
	if _, err := outlook.New(*c); err != nil {
		doc.Complain(outlookPath, "%v", err)
	}
	return c
}

// forecasters are what foresees demand for a new loop: the loop's own, nil, or those
// of a service that was told of one outside.
func (s service) forecasters(log *slog.Logger) (control.Forecasters, error) {
	if s.outlook == nil {
		return nil, nil
	}
	c := *s.outlook
	c.Log = log
	client, err := outlook.New(c)
	if err != nil {
		return nil, err
	}
	return client.Forecasters(control.OwnForecasters()), nil
}
