package rig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"
)

// writeStages joins KWOK's own stages into one file, pods becoming ready after podDelay.
func writeStages(from, to string, podDelay time.Duration) error {
	paths, err := filepath.Glob(filepath.Join(from, "*.yaml"))
	if err != nil {
		return fmt.Errorf("listing KWOK's stages: %w", err)
	}
	var all bytes.Buffer
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a stage of KWOK: %w", err)
		}
		if filepath.Base(path) == "pod-ready.yaml" && podDelay > 0 {
			if text, err = delayed(text, podDelay); err != nil {
				return fmt.Errorf("delaying the stage %s: %w", path, err)
			}
		}
		all.WriteString("---\n")
		all.Write(text)
		all.WriteString("\n")
	}
	if err := os.WriteFile(to, all.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing KWOK's stages: %w", err)
	}
	return nil
}

// delayed answers a stage that happens after a delay.
func delayed(stage []byte, by time.Duration) ([]byte, error) {
	var s map[string]any
	if err := yaml.Unmarshal(stage, &s); err != nil {
		return nil, err
	}
	spec, ok := s["spec"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it has no spec")
	}
	spec["delay"] = map[string]any{"durationMilliseconds": by.Milliseconds()}
	return yaml.Marshal(s)
}
