package peer

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Parameter is something of a peer that may be tuned.
type Parameter struct {
	Name    string
	Default float64   // as documented by the peer
	Try     []float64 // values worth trying, ascending
	Why     string    // what it does, with its unit
}

// Parameters lists what may be tuned of a peer, nil for a name that is none. The
// parameters of the cluster itself come last.
func Parameters(name string) []Parameter {
	k, ok := kinds[name]
	if !ok {
		return nil
	}
	return append(append([]Parameter{}, k.parameters...), clusterParameters...)
}

// knobs reads the parameters of a peer.
type knobs struct {
	setup    Setup
	defaults map[string]float64
}

func newKnobs(name string, setup Setup) knobs {
	k := knobs{setup: setup, defaults: map[string]float64{}}
	for _, p := range Parameters(name) {
		k.defaults[p.Name] = p.Default
	}
	return k
}

// clusterSettings are the parameters of the cluster itself, read.
type clusterSettings struct {
	mostAllocated    bool
	emptyOnly        bool
	consolidateAfter time.Duration
}

func newClusterSettings(setup Setup) clusterSettings {
	k := knobs{setup: setup, defaults: map[string]float64{}}
	for _, p := range clusterParameters {
		k.defaults[p.Name] = p.Default
	}
	return clusterSettings{
		mostAllocated: k.all("most-allocated") > 0, emptyOnly: k.all("empty-only") > 0,
		consolidateAfter: time.Duration(k.all("consolidate-after") * float64(time.Second)),
	}
}

// of is a parameter as it is for a model: what was set for the model, else for
// all, else the default.
func (k knobs) of(name string, m fleet.ModelName) float64 {
	if v, ok := k.setup.Parameters[name+"/"+string(m)]; ok {
		return v
	}
	return k.all(name)
}

// all is a parameter as it is for every model without one of its own.
func (k knobs) all(name string) float64 {
	if v, ok := k.setup.Parameters[name]; ok {
		return v
	}
	return k.defaults[name]
}

// seconds is a parameter in seconds.
func (k knobs) seconds(name string, m fleet.ModelName) time.Duration {
	return time.Duration(k.of(name, m) * float64(time.Second))
}
