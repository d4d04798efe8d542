package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// The cluster and the GPU operator that all tests of this package share. A test uses
// names of its own and leaves the servers as it found them.
var (
	kube     *rig.Cluster
	operator *gpu.Operator
)

// Delays long enough to be seen, also where everything else is slow, and short enough
// to be waited for.
const (
	nodeDelay     = 4 * time.Second
	deviceDelay   = 2 * time.Second
	applyDelay    = 400 * time.Millisecond
	clientTimeout = 600 * time.Millisecond
)

func TestMain(m *testing.M) {
	// The tests mostly wait, so more of them run at once than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if kube, err = rig.Start(ctx, rig.Options{Log: os.Stderr, Karpenter: true, NodeDelay: nodeDelay}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, kube.Stop()) }()
	if err := kube.Apply(ctx, []byte(migConfigs)); err != nil {
		return 1, err
	}
	operator, err = gpu.Start(ctx, kube.Config, gpu.Options{
		DeviceDelay: deviceDelay, ApplyDelay: applyDelay, ClientTimeout: clientTimeout,
	})
	if err != nil {
		return 1, err
	}
	defer operator.Stop()
	return m.Run(), nil
}

const migConfigs = `
apiVersion: v1
kind: Namespace
metadata: {name: gpu-operator}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: default-mig-parted-config, namespace: gpu-operator}
data:
  config.yaml: |
    version: v1
    mig-configs:
      sevenths:
      - {devices: all, mig-enabled: true, mig-devices: {"1g.10gb": 7}}
      halves:
      - {devices: [0], mig-enabled: true, mig-devices: {"3g.40gb": 2}}
      media:
      - {devices: all, mig-enabled: true, mig-devices: {"1g.10gb+me": 1, "2g.20gb": 2}}
      impossible:
      - {devices: all, mig-enabled: true, mig-devices: {"4g.40gb": 2}}
`
