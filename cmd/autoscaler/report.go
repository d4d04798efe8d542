package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/report"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// writeReport writes the report of a run to a file.
func writeReport(path string, s *scenario.Scenario, r simulator.Result) error {
	summary := report.Summary{
		Result: r, Start: s.Start, Duration: s.Duration, Settings: s.Settings,
		Command: commandLine(os.Args, os.Getenv("TESSERA_DATA")), Version: version,
	}
	return replaceFile(path, func(w io.Writer) error { return report.Write(w, summary) })
}

// replaceFile writes a file whole or not at all: it writes beside it and renames,
// so that no partial file is taken for a result and an old one stays until the
// new one is complete. What is no regular file, such as /dev/stdout, is written
// to directly: renaming would put a file in its place.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeTo(path, os.O_WRONLY, write)
	}
	partial := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.partial", filepath.Base(path), os.Getpid()))
	if err := writeTo(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, write); err != nil {
		return errors.Join(err, remove(partial))
	}
	if err := os.Rename(partial, path); err != nil {
		return errors.Join(fmt.Errorf("put %s in its place: %w", path, err), remove(partial))
	}
	return nil
}

// writeTo opens a file, writes it and closes it. The umask bounds who may read
// what it creates.
func writeTo(path string, flag int, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, flag, 0o666)
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer := bufio.NewWriter(f)
	if err := write(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

// remove deletes a file that may not have come to be.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// commandLine is what to type for the same run again, given the arguments of this
// process and the environment's root of recorded traffic. It is empty when the
// process is not a simulate command.
func commandLine(process []string, data string) string {
	if len(process) < 2 || process[1] != "simulate" {
		return ""
	}
	words := []string{"autoscaler"}
	for _, word := range process[1:] {
		words = append(words, quoted(word))
	}
	line := strings.Join(words, " ")
	given := slices.ContainsFunc(process, func(w string) bool { return w == "--data" || strings.HasPrefix(w, "--data=") })
	if data != "" && !given {
		line = "TESSERA_DATA=" + quoted(data) + " " + line
	}
	return line
}

// plain are the characters that mean nothing to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+"

// quoted writes a word so that a shell reads it back as it is.
func quoted(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
