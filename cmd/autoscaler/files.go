package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
)

func openFile(path string) (io.ReadCloser, error) { return os.Open(path) }

// readSource reads a file for the policy package, no further than it would be
// refused.
func readSource(path string) (policy.Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return policy.Source{}, fmt.Errorf("read a file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1))
	if err != nil {
		return policy.Source{}, fmt.Errorf("read a file: %w", err)
	}
	return policy.Source{Name: path, Data: data}, nil
}

// parseFile reads and parses a file.
func parseFile(path string) (*strictyaml.Document, error) {
	source, err := readSource(path)
	if err != nil {
		return nil, err
	}
	return strictyaml.Parse(source.Name, source.Data), nil
}

// beside is a path that a file names, relative to that file.
func beside(file, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

// dataRoot is the root of recorded traffic: the flag, else the environment.
func dataRoot(flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv("TESSERA_DATA")
}
