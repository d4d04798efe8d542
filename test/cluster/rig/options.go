package rig

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Options says what is started. The zero value is a control plane without Karpenter,
// on which nodes and pods become ready at once.
type Options struct {
	// Dir takes the data and the logs of the servers. It must be empty and is left in
	// place by Stop. By default it is a temporary folder that Stop removes.
	Dir string
	// Log takes a line for each step of starting, for people. By default nobody reads them.
	Log io.Writer
	// Karpenter starts Karpenter and creates the KWOKNodeClass named NodeClass.
	Karpenter bool
	// InstanceTypes is what Karpenter can buy; DefaultInstanceTypes by default.
	InstanceTypes []InstanceType
	// NodeDelay is how long a bought machine takes to register as a node, in whole
	// seconds, because KWOKNodeClass knows nothing shorter.
	NodeDelay time.Duration
	// PodDelay is how long a pod that has been placed takes to be ready.
	PodDelay time.Duration
}

func (o Options) validate() error {
	var errs []error
	if o.NodeDelay < 0 || o.NodeDelay%time.Second != 0 {
		errs = append(errs, fmt.Errorf("NodeDelay is %s; give whole seconds, which is all that a KWOKNodeClass can say", o.NodeDelay))
	}
	if o.PodDelay < 0 {
		errs = append(errs, fmt.Errorf("PodDelay is %s; a pod cannot be ready before it is placed", o.PodDelay))
	}
	for _, t := range o.InstanceTypes {
		errs = append(errs, t.validate())
	}
	return errors.Join(errs...)
}
