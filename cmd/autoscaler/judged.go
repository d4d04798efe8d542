package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// runFlags are the flags of every command that makes many runs.
type runFlags struct {
	data  string
	cache string
	jobs  int
}

func (f *runFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.data, "data", "", "root folder of recorded traffic (default $TESSERA_DATA, else the scenario's folder)")
	c.Flags().StringVar(&f.cache, "cache", "", "folder in which finished runs are kept (default in the user's cache)")
	c.Flags().IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how many runs go on at a time")
}

// judged is a scenario with a digest of everything that it was read from.
type judged struct {
	*scenario.Scenario
	path    string
	inputs  string
	untuned []string // controllers that run on their default setups
}

// loadJudged reads a scenario and notes which files it opened.
func loadJudged(path, data string) (judged, error) {
	var opened []string
	loader := scenario.Loader{Data: dataRoot(data), Open: func(p string) (io.ReadCloser, error) {
		if !slices.Contains(opened, p) {
			opened = append(opened, p)
		}
		return openFile(p)
	}}
	s, err := loader.Load(path)
	if err != nil {
		return judged{}, err
	}
	inputs, err := digestOf(opened)
	return judged{Scenario: s, path: path, inputs: inputs}, err
}

// digestOf is a digest of what files and folders hold, in their order, wherever
// they lie.
func digestOf(paths []string) (string, error) {
	sum := sha256.New()
	for _, path := range paths {
		err := filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return addTo(sum, p)
		})
		if err != nil {
			return "", fmt.Errorf("read a file once more: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// addTo adds a file and its length to a digest.
func addTo(sum io.Writer, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(sum, f)
	if err == nil {
		_, err = fmt.Fprintf(sum, "\x00%d\x00", n)
	}
	return err
}

// programDigest tells this program from any that was built from other sources.
var programDigest = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return digestOf([]string{path})
})

// storeIn is where results are kept: the flag, else a folder of the user's cache.
func storeIn(folder string) (judge.Store, error) {
	program, err := programDigest()
	if err != nil {
		return judge.Store{}, err
	}
	if folder == "" {
		root, err := os.UserCacheDir()
		if err != nil {
			return judge.Store{}, usage("there is no folder to keep results in: %v\ngive one with --cache DIR", err)
		}
		folder = filepath.Join(root, "tessera", "results")
	}
	return judge.Store{Folder: folder, Program: program}, nil
}

// interrupted says of a command that keeps its finished runs that it can go on.
func interrupted(ctx context.Context, err error, store judge.Store) error {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("interrupted; finished runs are kept in %s: give the same command again to go on", store.Folder)
}

// readTuned reads the file of tuned setups: the one given, which must be there, or
// else tuned.yaml in the folder above the scenario's, if there is one.
func readTuned(given, scenarioPath string) (judge.Tuned, error) {
	path := given
	if path == "" {
		path = filepath.Join(filepath.Dir(scenarioPath), "..", "tuned.yaml")
	}
	doc, err := parseFile(path)
	if given == "" && errors.Is(err, fs.ErrNotExist) {
		return judge.Tuned{}, nil
	}
	if err != nil {
		if given != "" {
			err = fmt.Errorf("--tuned: %w", err)
		}
		return judge.Tuned{}, err
	}
	tuned := judge.ReadTuned(doc)
	return tuned, doc.Err()
}

// checkSetup refuses a tuned setup that does not fit its scenario.
func checkSetup(s *scenario.Scenario, controller string, setup *peer.Setup) error {
	if setup == nil {
		return nil
	}
	if err := setup.Validate(s.Settings); err != nil {
		return fmt.Errorf("the tuned setup of %s for %s does not fit: %w\nfind another with 'autoscaler tune'", controller, s.Name, err)
	}
	return nil
}

// parseControllers reads a comma-separated list of names, each once.
func parseControllers(flag, text string, among []string) ([]string, error) {
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(among, name) {
			return nil, usage("%s %q is not known%s", flag, name, suggestion(name, among))
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}
