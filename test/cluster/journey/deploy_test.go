package journey

import (
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// Who the program is, as configs/deploy names it, and who it is in shadow mode.
const (
	programNamespace = "tessera"
	activeAccount    = "tessera"
	shadowAccount    = "tessera-shadow"
)

// deploy applies configs/deploy as it is: namespace, account, rights and admission
// policy. The program itself is scaled to nothing, because it runs outside.
func deploy(t *testing.T, c *rig.Cluster) {
	t.Helper()
	if err := c.ApplyKustomize(t.Context(), filepath.Join("..", "..", "..", "configs", "deploy")); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), worldFile(t, "shadow.yaml")); err != nil {
		t.Fatal(err)
	}
	none := []byte(`{"spec":{"replicas":0}}`)
	if _, err := c.Client.AppsV1().Deployments(programNamespace).Patch(t.Context(), "tessera", types.MergePatchType, none, metav1.PatchOptions{}, "scale"); err != nil {
		t.Fatal(err)
	}
}

// kubeconfig answers the path of a kubeconfig with a real token of an account.
func kubeconfig(t *testing.T, c *rig.Cluster, account string) string {
	t.Helper()
	path, _, err := c.KubeconfigFor(t.Context(), programNamespace, account)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
