package judge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// Store keeps the results of runs in a folder, each in a file of its own whose
// name is a digest of everything that the result depends on. Several processes
// may share one.
type Store struct {
	Folder  string // made where it is not there; empty keeps nothing
	Program string // digest of the program: another may decide otherwise
}

// key is everything that a result depends on.
type key struct {
	Program    string        `json:"program"`
	Inputs     string        `json:"inputs"` // digest of the scenario and all files that it names
	Controller string        `json:"controller"`
	Setup      *peer.Setup   `json:"setup,omitempty"`
	Seed       uint64        `json:"seed"`
	Duration   time.Duration `json:"duration"`
	Bound      bool          `json:"bound"`
}

// path is the file of a key.
func (s Store) path(k key) (string, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("name a result: %w", err)
	}
	sum := sha256.Sum256(text)
	return filepath.Join(s.Folder, hex.EncodeToString(sum[:])+".json"), nil
}

// Run answers with the result that is kept for a job, or runs the job and keeps
// what came out. Inputs is a digest of the trial's scenario and of every file that
// it names. It tells whether the result was kept before.
func (s Store) Run(ctx context.Context, t *Trial, inputs string, job Job) (simulator.Result, bool, error) {
	if s.Folder == "" {
		result, err := t.Run(ctx, job)
		return result, false, err
	}
	path, err := s.path(key{s.Program, inputs, job.Controller, job.Setup, t.Seed, job.Duration, job.Bound})
	if err != nil {
		return simulator.Result{}, false, err
	}
	if result, ok := read(path); ok {
		return result, true, nil
	}
	result, err := t.Run(ctx, job)
	if err != nil {
		return result, false, err
	}
	return result, false, s.write(path, result)
}

// read reads a result, if a whole and unchanged one is there: its hash must be
// that of what it says.
func read(path string) (simulator.Result, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return simulator.Result{}, false
	}
	var r simulator.Result
	if json.Unmarshal(text, &r) != nil {
		return simulator.Result{}, false
	}
	again := r
	if again.Seal() != nil || again.Hash != r.Hash {
		return simulator.Result{}, false
	}
	return r, true
}

// write puts a result into its file, whole or not at all.
func (s Store) write(path string, r simulator.Result) (err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	if err := os.MkdirAll(s.Folder, 0o755); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	f, err := os.CreateTemp(s.Folder, ".partial-*")
	if err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	defer func() {
		if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	return nil
}
