package actuator_test

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// bench is an actuator in a world.
type bench struct {
	*world
	*actuator.Actuator
	config actuator.Config
	shadow bool
	told   []string
	load   map[fleet.ReplicaID]fleet.Signal // in flight; a replica that is not named has none
	plans  int
}

func newBench() *bench {
	b := &bench{world: newWorld(monday), load: map[fleet.ReplicaID]fleet.Signal{}}
	b.config = actuator.Config{
		Ledger: kube.Key{Namespace: "tessera", Name: "ledger"}, Leader: "test", Namespaces: []string{"models"},
		MIGConfigs: kube.Key{Namespace: "tessera", Name: "geometries"},
		Engine: actuator.Karpenter{Types: map[fleet.OfferingName]actuator.NodeType{
			"a100": {InstanceType: "a2-ultragpu-1g", Class: actuator.ClassRef{Group: "karpenter.kwok.sh", Kind: "KWOKNodeClass", Name: "default"}},
		}},
		Offering: fleet.Catalog{Offerings: []fleet.Offering{{Name: "a100", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand}}}.Offering,
	}
	b.restart()
	return b
}

// restart makes a new actuator over the same cluster: all that was in memory is gone.
func (b *bench) restart() {
	b.crash = 0
	rc := &rest.Config{Host: "http://api", QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, Transport: actuator.Door(b.api, b.may, "tessera/test")}
	b.Actuator = actuator.New(kubernetes.NewForConfigOrDie(rc), dynamic.NewForConfigOrDie(rc), b.config, b,
		func() time.Time { return b.now }, slog.New(slog.DiscardHandler))
}

// may is the word at the door.
func (b *bench) may() error {
	if b.shadow {
		return actuator.Shut()
	}
	return actuator.Open()
}

// Tell keeps what was told.
func (b *bench) Tell(about runtime.Object, kind, reason, sentence string, plan fleet.PlanID) {
	ref := about.(*corev1.ObjectReference)
	b.told = append(b.told, fmt.Sprintf("%s %s %s/%s %s: %s", kind, reason, ref.Kind, ref.Name, plan, sentence))
}

// do carries out steps, each for a plan of its own.
func (b *bench) do(t testing.TB, steps ...fleet.Step) {
	t.Helper()
	for _, s := range steps {
		if err := b.try(t, s); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bench) try(t testing.TB, s fleet.Step) error {
	b.plans++
	return b.Do(t.Context(), fleet.PlanID(fmt.Sprintf("plan-%04d", b.plans)), s)
}

// settle lets rounds of the world and of the actuator pass.
func (b *bench) settle(t testing.TB, rounds int) {
	t.Helper()
	for range rounds {
		b.round()
		b.plans++
		if err := b.Settle(t.Context(), fleet.PlanID(fmt.Sprintf("plan-%04d", b.plans)), b.snapshot()); err != nil {
			t.Fatal(err)
		}
	}
}

// snapshot is what observe would tell: the replicas and what they have in flight.
func (b *bench) snapshot() fleet.Snapshot {
	s := fleet.Snapshot{At: b.now, Spend: fleet.Spend{Day: fleet.Micros(1, "USD"), Month: fleet.Micros(1, "USD")}}
	for _, x := range b.matching().Seated {
		load, named := b.load[x.Seat.ID]
		if !named {
			load = fleet.Measured(0, 0, 1)
		}
		if x.Pod != nil && b.busy[x.Pod.Name] {
			load = fleet.Measured(3, 0, 1)
		}
		s.Replicas = append(s.Replicas, fleet.Replica{ID: x.Seat.ID, Slice: x.Seat.Slice, InFlight: load})
	}
	s.Sort()
	return s
}

func (b *bench) matching() kube.Matching {
	l := b.ledger()
	hosts := map[string]kube.Host{}
	for _, n := range below[corev1.Node](b.world, nodesPath) {
		if w := l.Node(kube.NodeID(n)); w != nil {
			hosts[n.Name] = kube.Host{ID: w.ID, GPUs: w.GPUs}
		}
	}
	var servers []kube.Server
	for _, d := range below[appsv1.Deployment](b.world, deploymentsPath) {
		if s, err := kube.ServerOf(d); err == nil {
			servers = append(servers, s)
		}
	}
	return kube.Match(l, servers, hosts, below[corev1.Pod](b.world, podsPath))
}

func (b *bench) ledger() kube.Ledger {
	o := b.objects[ledgerPath]
	if o == nil {
		return kube.Ledger{}
	}
	l, err := kube.DecodeLedger(load[corev1.ConfigMap](o).Data[kube.LedgerKey])
	if err != nil {
		panic(err)
	}
	return l
}

// deploy makes a model's Deployment on slices of 1g.10gb; with seats, its pods ask
// for them.
func (b *bench) deploy(model string, replicas int32, seats bool) {
	labels := map[string]string{kube.LabelModel: model, kube.LabelVariant: "fp16", kube.LabelSlice: "a100-80gb_1g.10gb"}
	limits := corev1.ResourceList{"nvidia.com/mig-1g.10gb": resource.MustParse("1")}
	if seats {
		limits[corev1.ResourceName(kube.SeatPrefix+model)] = resource.MustParse("1")
	}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{kube.LabelServing: "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Resources: corev1.ResourceRequirements{Limits: limits}}}},
	}
	maps.Copy(template.Labels, labels)
	b.store(deploymentsPath+model, &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Name: model, Labels: labels},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Template: template},
	})
}

func (b *bench) replicas(model string) int {
	return int(*load[appsv1.Deployment](b.objects[deploymentsPath+model]).Spec.Replicas)
}

// person scales a Deployment by hand.
func (b *bench) person(model string, replicas int) {
	o := clone(b.objects[deploymentsPath+model])
	dig(o, "spec")["replicas"] = replicas
	b.own(o, "kubectl")
	b.put(deploymentsPath+model, o)
}

// podsOn are the names of a node's pods.
func (b *bench) podsOn(node string) []string {
	var out []string
	for _, pod := range below[corev1.Pod](b.world, podsPath) {
		if pod.Spec.NodeName == node {
			out = append(out, pod.Name)
		}
	}
	return out
}

// tells fails unless something was told that contains all the words.
func (b *bench) tells(t testing.TB, words ...string) {
	t.Helper()
	if !slices.ContainsFunc(b.told, func(s string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(s, w) })
	}) {
		t.Errorf("nothing was told with %q, but:\n%s", words, strings.Join(b.told, "\n"))
	}
}

func sevenths() []fleet.GPU { return gpu("1g.10gb", 0, 1, 2, 3, 4, 5, 6) }

func gpu(profile fleet.ProfileName, starts ...int) []fleet.GPU {
	var g fleet.Geometry
	for _, s := range starts {
		g = append(g, fleet.Placement{Profile: profile, Start: s})
	}
	return []fleet.GPU{{Type: "a100-80gb", Geometry: g}}
}

func slice(node fleet.NodeID, start int) fleet.SliceID {
	return fleet.SliceID{GPU: fleet.GPUID{Node: node}, Start: start}
}

var why = fleet.Because(fleet.ReasonDemand, "model", "fr", "need", "12/s", "at", "Mon 09:10", "have", "8/s")

func buy(node fleet.NodeID) fleet.Step {
	return fleet.BuyNode{Node: node, Offering: "a100", GPUs: sevenths(), Reason: why}
}

func start(id fleet.ReplicaID, node fleet.NodeID, at int) fleet.Step {
	model, _, _ := strings.Cut(string(id), "-")
	return fleet.StartReplica{Replica: id, Model: fleet.ModelName(model), Variant: "fp16", Slice: slice(node, at), Reason: why}
}

func stop(id fleet.ReplicaID) fleet.Step { return fleet.StopReplica{Replica: id, Reason: why} }

func quantity(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.DecimalSI) }
