// Command cluster runs the test cluster until Ctrl-C: a real Kubernetes control plane on
// this machine, Karpenter, and nodes whose GPUs are played. It builds what is missing
// first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/gpu"
	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// settings are how long things take. The defaults are a cloud that is quick enough to
// be watched.
type settings struct {
	dir                      string
	node, device, apply, pod time.Duration
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	var s settings
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.StringVar(&s.dir, "dir", "", "empty `folder` for data and logs, kept afterwards (default a temporary one)")
	flags.DurationVar(&s.node, "node-delay", 5*time.Second, "from buying a machine to its node, in whole seconds")
	flags.DurationVar(&s.device, "device-delay", 5*time.Second, "from the node being ready to its GPUs")
	flags.DurationVar(&s.apply, "mig-delay", 5*time.Second, "for cutting GPUs anew")
	flags.DurationVar(&s.pod, "pod-delay", 2*time.Second, "from placing a pod to its being ready")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := build(ctx, out); err != nil {
		return err
	}
	c, err := rig.Start(ctx, rig.Options{Dir: s.dir, Log: out, Karpenter: true, NodeDelay: s.node, PodDelay: s.pod})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if err := c.Apply(ctx, []byte(migConfigs)); err != nil {
		return err
	}
	operator, err := gpu.Start(ctx, c.Config, gpu.Options{
		DeviceDelay: s.device, ApplyDelay: s.apply, ClientTimeout: 5 * time.Minute, // As the real one.
		Log: slog.New(slog.NewTextHandler(out, nil)),
	})
	if err != nil {
		return err
	}
	defer operator.Stop()
	claim := filepath.Join(c.Dir, "nodeclaim.yaml")
	if err := os.WriteFile(claim, []byte(nodeClaim), 0o644); err != nil {
		return err
	}
	if err := guide.Execute(out, map[string]string{"Kubeconfig": c.Kubeconfig, "Audit": c.AuditLog, "Dir": c.Dir, "Claim": claim}); err != nil {
		return err
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\ntaking everything down")
	return nil
}

// build runs test/cluster/build, which says what it does when that takes long.
func build(ctx context.Context, out io.Writer) error {
	root, err := rig.Root()
	if err != nil {
		return err
	}
	script := exec.CommandContext(ctx, filepath.Join(root, "build"))
	script.Stdout, script.Stderr = out, os.Stderr
	if err := script.Run(); err != nil {
		return fmt.Errorf("building the servers: %w", err)
	}
	return nil
}

// migConfigs are geometries to try, named by what they hold.
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
      all-1g.10gb:
      - {devices: all, mig-enabled: true, mig-devices: {"1g.10gb": 7}}
      all-balanced:
      - {devices: all, mig-enabled: true, mig-devices: {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}}
      all-3g.40gb:
      - {devices: all, mig-enabled: true, mig-devices: {"3g.40gb": 2}}
`

// nodeClaim is the example that the guide points to.
const nodeClaim = `apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata:
  generateName: try-
  labels: {nvidia.com/mig.config: all-balanced}
spec:
  expireAfter: Never
  nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
  requirements:
  - {key: node.kubernetes.io/instance-type, operator: In, values: [a2-ultragpu-1g]}
`

var guide = template.Must(template.New("guide").Parse(`
A Kubernetes cluster runs here until Ctrl-C. Its nodes come when they are asked for.

  export KUBECONFIG={{.Kubeconfig}}

  kubectl create -f {{.Claim}}     buys a machine whose GPU is cut into 3g + 2g + 1g + 1g
  kubectl get nodeclaims,nodes -w  shows it arrive
  kubectl get nodes -o custom-columns=NODE:.metadata.name,MIG:'.metadata.labels.nvidia\.com/mig\.config',STATE:'.metadata.labels.nvidia\.com/mig\.config\.state',SLICES:.status.allocatable
  kubectl label node NODE nvidia.com/mig.config=all-1g.10gb --overwrite
                                   cuts its GPU anew; all-3g.40gb and all-disabled are there too
  kubectl delete nodeclaim NAME    gives the machine back

  {{.Audit}}     every write, whoever made it
  {{.Dir}}       the logs of the servers

`))
