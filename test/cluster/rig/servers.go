package rig

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// The servers of a cluster, as Kill, StopServer and ContinueServer call them.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	KWOK              = "kwok"
	Karpenter         = "karpenter"
)

// plan is everything that the servers' command lines are made of.
type plan struct {
	bin, dir    string
	options     Options
	pki         pki
	tokens      string            // The path of the token file.
	kubeconfigs map[string]string // The path for each user.

	etcdPort, peerPort, apiPort, metricsPort, healthPort int
}

func (p plan) command(name string, args ...string) process.Command {
	return process.Command{
		Name: name, Path: filepath.Join(p.bin, name), Args: args, Dir: p.dir,
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir},
	}
}

func (p plan) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", p.etcdPort) }

func (p plan) apiURL() string { return fmt.Sprintf("https://127.0.0.1:%d", p.apiPort) }

func (p plan) etcd() process.Command {
	peer := fmt.Sprintf("http://127.0.0.1:%d", p.peerPort)
	return p.command(Etcd,
		"--data-dir="+filepath.Join(p.dir, "etcd"),
		"--unsafe-no-fsync",                                 // Nothing here has to survive the machine.
		"--heartbeat-interval=20", "--election-timeout=100", // ms: it has nobody to wait for.
		"--listen-client-urls="+p.etcdURL(), "--advertise-client-urls="+p.etcdURL(),
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer,
	)
}

func (p plan) apiServer() process.Command {
	return p.command(APIServer,
		"--etcd-servers="+p.etcdURL(),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", p.apiPort),
		"--tls-cert-file="+p.pki.certificateFile, "--tls-private-key-file="+p.pki.keyFile,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.pki.accountKeyFile,
		"--service-account-signing-key-file="+p.pki.accountKeyFile,
		"--authorization-mode=Node,RBAC", "--anonymous-auth=false", "--token-auth-file="+p.tokens,
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none", // A loopback address is no endpoint.
		"--audit-policy-file="+filepath.Join(p.dir, "audit-policy.yaml"),
		"--audit-log-path="+filepath.Join(p.dir, "audit.log"),
		"--audit-log-mode=blocking", "--audit-log-maxsize=10240", // MB: one file, never rotated.
	)
}

func (p plan) controllerManager() process.Command {
	return p.command(ControllerManager,
		"--kubeconfig="+p.kubeconfigs["system:kube-controller-manager"],
		"--service-account-private-key-file="+p.pki.accountKeyFile, "--root-ca-file="+p.pki.authorityFile,
		"--use-service-account-credentials", // Each controller under its own name, with its own rights.
		"--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=1000", "--kube-api-burst=1000", // The default of 20 alone makes the start four seconds longer.
	)
}

func (p plan) scheduler() process.Command {
	return p.command(Scheduler,
		"--kubeconfig="+p.kubeconfigs["system:kube-scheduler"], "--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=1000", "--kube-api-burst=1000")
}

func (p plan) kwok() process.Command {
	return p.command(KWOK,
		"--kubeconfig="+p.kubeconfigs["kwok"], "--config="+filepath.Join(p.dir, "stages.yaml"),
		"--manage-all-nodes=true", "--node-lease-duration-seconds=40")
}

func (p plan) karpenter() process.Command {
	c := p.command(Karpenter)
	c.Env = append(c.Env,
		"KUBECONFIG="+p.kubeconfigs["karpenter"],
		"KUBERNETES_MIN_VERSION=1.19.0-0", "KARPENTER_SERVICE=karpenter", "SYSTEM_NAMESPACE=kube-system",
		"DISABLE_LEADER_ELECTION=true",
		fmt.Sprintf("METRICS_PORT=%d", p.metricsPort), fmt.Sprintf("HEALTH_PROBE_PORT=%d", p.healthPort),
		"FEATURE_GATES=StaticCapacity=true,SpotToSpotConsolidation=false,NodeRepair=false,CapacityBuffer=true",
		"INSTANCE_TYPES_FILE_PATH="+filepath.Join(p.dir, "instance-types.json"),
	)
	return c
}
