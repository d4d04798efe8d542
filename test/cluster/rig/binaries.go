package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNotBuilt is what Start answers when a server has not been built.
var ErrNotBuilt = errors.New("the servers of the test cluster are not built: run test/cluster/build (about ten minutes the first time)")

// Root is the folder test/cluster, which holds the servers' modules and the bin folder:
// the working directory or the nearest one above it, which is where go test and
// go run work.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for test/cluster: %w", err)
	}
	for from := dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "servers", "kubernetes", "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("neither %s nor a folder above it is test/cluster; run from there", from)
		}
	}
}

// binaries finds the folder of the built servers and checks that each one is there.
func binaries(names ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "bin")
	for _, n := range append(names, "stages", "crds") {
		if _, err := os.Stat(filepath.Join(dir, n)); err != nil {
			return "", fmt.Errorf("%w: %s is missing in %s", ErrNotBuilt, n, dir)
		}
	}
	return dir, nil
}
