package journey

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tessera-autoscaler/tessera/test/cluster/rig"
)

// Who the program is, as configs/deploy names it.
const (
	programNamespace = "tessera"
	activeAccount    = "tessera"
	shadowAccount    = "tessera-shadow"
)

// deploy applies what configs/deploy grants: namespace, accounts, roles and the
// admission policy, and not the program itself, which runs here.
func deploy(t *testing.T, c *rig.Cluster) {
	t.Helper()
	if _, err := os.Stat("../../../configs/deploy"); err != nil {
		if err := c.Apply(t.Context(), []byte(fallback)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := c.ApplyKustomize(t.Context(), filepath.Join("..", "..", "..", "configs", "deploy")); err != nil {
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
