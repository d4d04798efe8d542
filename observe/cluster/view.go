package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// View is what the cluster shows at an instant. Nodes and replicas are sorted by
// id, holds by model and doubts by subject.
type View struct {
	Nodes    []fleet.Node
	Replicas []fleet.Replica // what is in flight is unknown here
	// Places is where a server of a model can be started. Every model of the policy
	// has an entry; an empty one is nowhere.
	Places map[fleet.ModelName][]fleet.Place
	Pods   map[fleet.ReplicaID]PodRef // of the replicas that have one
	Holds  []fleet.Hold
	Doubts []fleet.Doubt
	Ledger kube.Ledger // as it was read for this view
}

// PodRef names one pod and no other that may bear its name later.
type PodRef struct {
	Namespace, Name string
	UID             types.UID
}

// inputs are everything that a view depends on.
type inputs struct {
	now          time.Time
	settings     control.Settings
	namespaces   []string          // of the models
	home         kube.Key          // of the ledger
	yield        time.Duration     // for how long a person's number of replicas is theirs
	ledger       kube.Ledger       // as it was read
	configMap    *corev1.ConfigMap // in which it lies, nil where there is none yet
	nodes        []*corev1.Node
	pods         []*corev1.Pod
	deployments  []*appsv1.Deployment // of the models
	placeholders map[string]bool      // names of the Deployments beside the ledger
	claims       []*unstructured.Unstructured
	memory       memory
}

// viewer is a view in the making.
type viewer struct {
	inputs
	out      View
	servers  []kube.Server                         // sound ones, sorted by key
	labelled map[kube.Key]fleet.Replica            // model and variant of every Deployment, as far as its labels say
	owners   map[kube.Key]owner                    // who wrote the replicas of each Deployment
	hosts    map[string]kube.Host                  // nodes of the fleet by the cluster's name
	kubelets map[string]bool                       // whose kubelet is ready, by the cluster's name
	down     map[string]bool                       // whose kubelet is away for long, by the cluster's name
	listed   map[fleet.NodeID]bool                 // nodes of the fleet
	claimed  map[string]*unstructured.Unstructured // claims by name
}

// view is what the inputs show. It is a pure function: equal inputs give equal views.
func view(in inputs) View {
	v := viewer{
		inputs:   in,
		out:      View{Places: map[fleet.ModelName][]fleet.Place{}, Pods: map[fleet.ReplicaID]PodRef{}, Ledger: in.ledger},
		labelled: map[kube.Key]fleet.Replica{}, owners: map[kube.Key]owner{}, hosts: map[string]kube.Host{},
		kubelets: map[string]bool{}, down: map[string]bool{}, listed: map[fleet.NodeID]bool{}, claimed: map[string]*unstructured.Unstructured{},
	}
	v.findServers()
	v.findNodes()
	v.findReplicas()
	v.findHolds()
	v.weighLedger()

	slices.SortFunc(v.out.Nodes, func(a, b fleet.Node) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(v.out.Doubts, func(a, b fleet.Doubt) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Cause, b.Cause))
	})
	v.out.Doubts = slices.Compact(v.out.Doubts)
	return v.out
}

// weighLedger tells when the ledger is half as large as it may become.
func (v *viewer) weighLedger() {
	if v.configMap == nil {
		return
	}
	if n := len(v.configMap.Data[kube.LedgerKey]); n > kube.LedgerMost/2 {
		v.doubt("ledger "+v.home.String(), "it has %d KiB of the %d KiB that it may have; beyond that nothing new is begun: divide the fleet among several installations", n>>10, kube.LedgerMost>>10)
	}
}

// doubt tells people of something wrong that leaves what is spent known.
func (v *viewer) doubt(subject, cause string, operands ...any) {
	v.out.Doubts = append(v.out.Doubts, fleet.Doubt{Subject: subject, Cause: fmt.Sprintf(cause, operands...)})
}

// unpriced tells people of something that costs what nobody knows.
func (v *viewer) unpriced(subject, cause string, operands ...any) {
	v.out.Doubts = append(v.out.Doubts, fleet.Doubt{Subject: subject, Cause: fmt.Sprintf(cause, operands...), Money: true})
}

// ledgerLabel is the label's value that marks what this installation made.
func ledgerLabel(home kube.Key) string { return home.Namespace + "." + home.Name }
