package cluster

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

func TestNobodyIsLetInWithoutAToken(t *testing.T) {
	t.Parallel()
	stranger, err := kubernetes.NewForConfig(rest.AnonymousClientConfig(kube.Config))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Fatalf("a stranger listing nodes got %v, want Unauthorized", err)
	}
}

// A service account may do what RBAC says and nothing else, and the audit log shows
// what it has written and what it has tried to write.
func TestAServiceAccountHasItsOwnRightsAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	err := kube.Apply(t.Context(), []byte(`
apiVersion: v1
kind: Namespace
metadata: {name: limited}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: limited}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: limited}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: limited}]
`))
	if err != nil {
		t.Fatal(err)
	}
	path, config, err := kube.KubeconfigFor(t.Context(), "limited", "reader")
	if err != nil {
		t.Fatal(err)
	}
	fromFile, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil || fromFile.BearerToken != config.BearerToken || fromFile.Host != config.Host {
		t.Fatalf("the kubeconfig does not say the same as the config: %v", err)
	}
	config.UserAgent = "test-agent/1.0"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Data: map[string]string{"k": "v"}}
	eventually(t, "RBAC letting the account in", func() (bool, any) {
		_, err := client.CoreV1().ConfigMaps("limited").List(t.Context(), metav1.ListOptions{})
		return err == nil, err
	})
	if _, err := client.CoreV1().ConfigMaps("limited").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatalf("what the role allows was refused: %v", err)
	}
	if err := client.CoreV1().ConfigMaps("limited").Delete(t.Context(), "mine", metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("deleting, which the role does not allow, got %v, want Forbidden", err)
	}
	if _, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("listing nodes, which the role does not allow, got %v, want Forbidden", err)
	}
	question := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "list", Resource: "nodes"},
	}}
	if _, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), question, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	user := rig.ServiceAccountUser("limited", "reader")
	audited(t, 1, func(e rig.AuditEvent) bool { return e.User == user && e.Resource == "selfsubjectaccessreviews" })
	audited(t, 2, func(e rig.AuditEvent) bool { return e.User == user && e.IsWrite() })
	writes, err := kube.Writes(user)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(writes, func(a, b rig.AuditEvent) int { return a.Time.Compare(b.Time) })
	if len(writes) != 2 {
		t.Fatalf("the account has written twice, the log has %v", writes)
	}
	w := writes[0]
	if w.Verb != "create" || w.Resource != "configmaps" || w.Namespace != "limited" || w.Code != 201 ||
		w.UserAgent != "test-agent/1.0" || !strings.Contains(string(w.Request), `"k":"v"`) {
		t.Errorf("the first write is logged as %v with request %s", w, w.Request)
	}
	if w := writes[1]; w.Verb != "delete" || w.Name != "mine" || w.Code != 403 {
		t.Errorf("the refused write is logged as %v", w)
	}
}

func TestAuditLogThatCannotBeReadIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	c := &rig.Cluster{AuditLog: t.TempDir() + "/absent"}
	if writes, err := c.Writes("anybody"); err == nil {
		t.Fatalf("without a log Writes answered %v and no error", writes)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	c, err := rig.Start(t.Context(), rig.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder %s is still there: %v", c.Dir, err)
	}
	if _, err := c.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("a stopped cluster answers")
	}
	if err := c.Stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

// These run before the parallel tests, so they may hold and kill servers.

func TestAFrozenServerAnswersNobodyUntilItGoesOn(t *testing.T) {
	if err := kube.StopServer(rig.Etcd); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "frozen"}}
	_, err := kube.Client.CoreV1().ConfigMaps("default").Create(ctx, cm, metav1.CreateOptions{})
	if thawed := kube.ContinueServer(rig.Etcd); thawed != nil {
		t.Fatal(thawed)
	}
	if err == nil {
		t.Fatal("a write succeeded while etcd was frozen")
	}
	eventually(t, "a write", func() (bool, any) {
		_, err := kube.Client.CoreV1().ConfigMaps("default").Create(t.Context(), cm, metav1.CreateOptions{})
		return err == nil || apierrors.IsAlreadyExists(err), err
	})
}

func TestAKilledServerComesBackWithWhatItKnew(t *testing.T) {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "survivor"}}
	if _, err := kube.Client.CoreV1().ConfigMaps("default").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := kube.Kill(rig.APIServer); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Client.CoreV1().ConfigMaps("default").Get(t.Context(), "survivor", metav1.GetOptions{}); err == nil {
		t.Fatal("a killed API server answered")
	}
	if err := kube.StartServer(t.Context(), rig.APIServer); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Client.CoreV1().ConfigMaps("default").Get(t.Context(), "survivor", metav1.GetOptions{}); err != nil {
		t.Fatalf("after the restart: %v", err)
	}
	if err := kube.Kill("kube-apisever"); err == nil {
		t.Error("a server that does not exist was killed")
	}
}
