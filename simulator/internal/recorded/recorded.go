// Package recorded finds recorded traffic for tests, which run without it, too.
package recorded

import (
	"os"
	"path/filepath"
	"testing"
)

// Open opens a file of the recorded data, below $TESSERA_DATA or else ../shared/data
// of the repository, for a test in a folder two below the root. Where it is not there
// the test is skipped and says so.
func Open(t testing.TB, path string) *os.File {
	t.Helper()
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(root, path))
	if err != nil {
		t.Skipf("no recorded data (set TESSERA_DATA to its folder): %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
