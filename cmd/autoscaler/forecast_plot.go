package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tessera-autoscaler/tessera/forecast/evaluate"
	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// drawInto writes a picture into a folder.
func drawInto(folder, name string, p *evaluate.Picture) error {
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return fmt.Errorf("write a picture: %w", err)
	}
	return errors.Join(p.Draw(file), file.Close())
}

// fileNames gives the picture of each series a name that a file may have.
func fileNames(all []series.Series) map[string]string {
	out := map[string]string{}
	taken := map[string]bool{}
	for i := range all {
		plain := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
				return r
			}
			return '_'
		}, all[i].Name)
		plain = plain[:min(len(plain), 100)]
		name := plain
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", plain, n)
		}
		taken[strings.ToLower(name)] = true
		out[all[i].Name] = name + ".png"
	}
	return out
}
